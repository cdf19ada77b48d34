"""What behaviour knows of items, joined with what their texts say, in one unit vector.

An item is [text; b * factor; rest], a user [text; b * fold-in; 0]: one inner product ranks by both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import orjson

from seealso.encoder.projection import unit_rows
from seealso.errors import BundleError
from seealso.types import Vector

Matrix: TypeAlias = npt.NDArray[np.float64]
Floats: TypeAlias = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Collaborative:
    """Factors of a matrix factorisation of behaviour (iALS), and how they meet the text vectors.

    Items of which behaviour knows nothing get the factor that their text predicts. Users are no
    part of it: they are folded in from their history when they are asked for.

    The rest makes every item a unit vector without changing any inner product with a user
    (Bachrach et al. 2014, "Speeding Up the Xbox Recommender System Using a Euclidean
    Transformation for Inner-Product Spaces"), so that importance, the graph and the scripts work
    on joined vectors as on others.

    Attributes
    ----------
    ids
        The n items that have a factor.
    factors
        f, shape (n, k), float32.
    gram
        F'F + regularisation, shape (k, k), in double precision.
    predictor
        From a text vector, shape (d,), to a factor: shape (d, k).
    weight
        b: what the factors weigh beside the text.
    confidence
        alpha: a chosen item counts as 1 + alpha.
    recency
        Confidence of a history item relative to the next newer one.
    newcomer
        Length of a predicted factor.
    """

    ids: Sequence[str]
    factors: Vector
    gram: Matrix
    predictor: Vector
    weight: float
    confidence: float
    recency: float
    newcomer: float

    @property
    def text_dimension(self) -> int:
        """Length d of the text vectors."""
        return int(self.predictor.shape[0])

    @property
    def dimension(self) -> int:
        """Length d + k + 1 of a joined vector."""
        return int(sum(self.predictor.shape)) + 1

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Row of each item."""
        return {item_id: row for row, item_id in enumerate(self.ids)}

    @cached_property
    def radius(self) -> float:
        """Length that [text; b * factor] has at most: what the vectors are divided by."""
        longest = max(np.linalg.norm(self.factors, axis=1).max(initial=0.0), self.newcomer)
        return float(np.sqrt(1 + (self.weight * longest) ** 2))

    @property
    def _numbers(self) -> list[float]:
        return [float(n) for n in (self.weight, self.confidence, self.recency, self.newcomer)]

    @cached_property
    def _solved(self) -> Matrix:
        return np.asarray(np.linalg.inv(self.gram), dtype=np.float64)

    def factors_of(self, ids: Sequence[str], texts: Vector) -> Vector:
        """Return the factor of each item, shape (m, k), or what its text predicts.

        Parameters
        ----------
        ids
            m items.
        texts
            Their text vectors, shape (m, d).
        """
        rows = np.array([self.place.get(item_id, -1) for item_id in ids], dtype=np.int64)
        known = rows >= 0
        found: Vector = unit_rows(texts @ self.predictor) * np.float32(self.newcomer)
        found[known] = self.factors[rows[known]]
        return found

    def join(self, ids: Sequence[str], texts: Vector) -> Vector:
        """Return the joined vectors of items.

        Parameters
        ----------
        ids
            m items.
        texts
            Their text vectors, shape (m, d): unit rows, or zero rows for items without text.

        Returns
        -------
        Vector
            Shape (m, d + k + 1): unit rows; rows without text stay zero.
        """
        joined = np.zeros((len(ids), self.dimension), dtype=np.float32)
        joined[:, : self.text_dimension] = texts
        joined[:, self.text_dimension : -1] = self.weight * self.factors_of(ids, texts)
        joined /= self.radius
        squares = (joined**2).sum(axis=1)
        joined[:, -1] = np.sqrt(np.maximum(0.0, 1.0 - squares))
        joined[~texts.any(axis=1)] = 0.0
        return joined

    def texts_of(self, joined: Vector) -> Vector:
        """Return the text vectors in `joined`, shape (m, d + k + 1), as shape (m, d)."""
        return joined[:, : self.text_dimension] * np.float32(self.radius)

    def ask(
        self, text: Vector | None, joined: Sequence[Vector], ages: Sequence[int]
    ) -> Vector | None:
        """Return E_u of a user, shape (d + k + 1,), unit length; None if nothing is known.

        Parameters
        ----------
        text
            Text part of the profile, shape (d,), unit length, or none.
        joined
            Joined vectors of the h items of the history, each of shape (d + k + 1,).
        ages
            Age of each, the newest item of a history being 0.
        """
        if text is None and not len(joined):
            return None
        asked = np.zeros(self.dimension, dtype=np.float32)
        if text is not None:
            asked[: self.text_dimension] = text
        if len(joined):
            asked[self.text_dimension : -1] = self.weight * self.fold_in(np.stack(joined), ages)
        length = np.linalg.norm(asked)
        return asked / length if length > 0 else None

    def parts(self, texts: Floats, joined: Sequence[Vector], ages: Sequence[int]) -> Matrix:
        """Return what each part of a user adds to E_u, shape (n + h, d + k + 1).

        The rows, first those of the text and then those of the history, sum up to what `ask`
        returns, or are zero where that is None.

        Parameters
        ----------
        texts
            n vectors that sum up to the text part of the profile, shape (n, d).
        joined, ages
            As for `ask`.
        """
        added = np.zeros((len(texts) + len(joined), self.dimension))
        added[: len(texts), : self.text_dimension] = texts
        if len(joined):
            chosen, solved, confidence = self._folding(np.stack(joined), ages)
            factors = fold_in_parts(chosen, solved, confidence)
            length = np.linalg.norm(factors.sum(axis=0))
            if length > 0:
                added[len(texts) :, self.text_dimension : -1] = self.weight * factors / length
        length = np.linalg.norm(added.sum(axis=0))
        return added / length if length > 0 else added

    def asking(self, joined: Vector) -> Vector:
        """Return the vector that asks for what is like an item, unit length, without the rest."""
        asked = joined.copy()
        asked[-1] = 0.0
        return np.asarray(asked / np.linalg.norm(asked), dtype=np.float32)

    def fold_in(self, joined: Vector, ages: Sequence[int]) -> Vector:
        """Return the unit user factor of a history of joined vectors, shape (k,).

        By `fold_in`, with c = alpha * recency ** age.
        """
        user = fold_in(*self._folding(joined, ages))
        length = np.linalg.norm(user)
        return np.asarray(user / length if length > 0 else user, dtype=np.float32)

    def _folding(self, joined: Vector, ages: Sequence[int]) -> tuple[Floats, Floats, Floats]:
        """Return what `fold_in` takes for a history of joined vectors."""
        scale = self.radius / self.weight if self.weight else 0.0
        chosen = joined[:, self.text_dimension : -1].astype(np.float64) * scale
        confidence = self.confidence * np.power(self.recency, np.asarray(ages, dtype=np.float64))
        return chosen, chosen @ self._solved, confidence

    def content(self) -> bytes:
        """Return the bytes that stand for it in a fingerprint."""
        arrays = (self.factors, self.predictor, self.gram)
        parts = [orjson.dumps([list(self.ids), [one.shape for one in arrays], self._numbers])]
        return b"".join([*parts, *(np.ascontiguousarray(one).tobytes() for one in arrays)])

    def save(self, file: Path) -> None:
        """Write everything to `file` (.npz)."""
        np.savez(
            file,
            ids=np.frombuffer(orjson.dumps(list(self.ids)), dtype=np.uint8),
            factors=self.factors,
            gram=self.gram,
            predictor=self.predictor,
            numbers=np.array(self._numbers),
        )

    @classmethod
    def load(cls, file: Path) -> "Collaborative":
        """Read what `save` wrote.

        Raises
        ------
        BundleError
            The file is not a collaborative part.
        """
        try:
            with np.load(file, allow_pickle=False) as arrays:
                ids = orjson.loads(arrays["ids"].tobytes())
                numbers = [float(one) for one in arrays["numbers"]]
                found = cls(ids, arrays["factors"], arrays["gram"], arrays["predictor"], *numbers)
        except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile) as exc:
            raise BundleError(
                f"{file}: not a collaborative part: {exc}",
                hint="fit the bundle again: seealso fit",
                file=str(file),
            ) from exc
        width = found.factors.shape[1:]
        if len(ids) != len(found.factors) or found.predictor.shape[1:] != width:
            raise BundleError(
                f"{file}: {len(ids)} ids, factors {found.factors.shape} and predictor "
                f"{found.predictor.shape} do not fit together",
                hint="fit the bundle again: seealso fit",
                file=str(file),
            )
        return found


def fold_in(chosen: Floats, solved: Floats, confidence: Floats) -> Floats:
    """Return the factor of a user with a history of h items, shape (k,).

    u = (F'F + reg + H'CH)^-1 H'(1 + c), the least-squares solution of Hu, Koren and Volinsky 2008
    ("Collaborative Filtering for Implicit Feedback Datasets"), by the push-through identity: a
    system as large as the history instead of one as large as the factors.

    Parameters
    ----------
    chosen
        H, the factors of the items, shape (h, k).
    solved
        H (F'F + reg)^-1, same shape.
    confidence
        c, by how much that of each item is above 1, shape (h,).
    """
    user: Floats = np.linalg.solve(_system(chosen, solved, confidence), 1.0 + confidence) @ solved
    return user


def fold_in_parts(chosen: Floats, solved: Floats, confidence: Floats) -> Floats:
    """Return what each item of the history adds to the factor of a user, shape (h, k).

    The rows sum up to `fold_in`: the factor is linear in the confidences on its right-hand side
    (Hu, Koren and Volinsky 2008, section 5, "Explaining recommendations").

    Parameters
    ----------
    chosen, solved, confidence
        As for `fold_in`.
    """
    added: Floats = np.linalg.solve(_system(chosen, solved, confidence).T, solved)
    return (1.0 + confidence)[:, None] * added


def _system(chosen: Floats, solved: Floats, confidence: Floats) -> Floats:
    system: Floats = confidence[:, None] * (chosen @ solved.T)
    system[np.diag_indices_from(system)] += 1.0
    return system
