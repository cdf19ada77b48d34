"""What behaviour knows of items, joined with what their texts say, in one unit vector.

An item is [text; b * factor; new; rest], a user [text; b * fold-in; welcome; 0]: one inner product
ranks by both.
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
from seealso.encoder.together import Together
from seealso.errors import BundleError
from seealso.types import Vector

Matrix: TypeAlias = npt.NDArray[np.float64]
Floats: TypeAlias = npt.NDArray[np.floating[Any]]


NUMBERS = 5
"""Numbers that a saved part holds beside its matrices."""


@dataclass(frozen=True, eq=False)
class Collaborative:
    """Factors of a matrix factorisation of behaviour (iALS), and how they meet the text vectors.

    Items of which behaviour knows nothing get the factor that their text predicts, and a welcome:
    the same for all of them, so that it changes no order among them. Users are no part of it: they
    are folded in from their history when they are asked for.

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
    welcome
        What is added to the similarity of items without a factor, before dilution.
    together
        Which items are chosen around which, in places of `ids`, if that helps.
    """

    ids: Sequence[str]
    factors: Vector
    gram: Matrix
    predictor: Vector
    weight: float
    confidence: float
    recency: float
    newcomer: float
    welcome: float = 0.0
    together: Together | None = None

    @property
    def text_dimension(self) -> int:
        """Length d of the text vectors."""
        return int(self.predictor.shape[0])

    @property
    def dimension(self) -> int:
        """Length d + k + 2 of a joined vector."""
        return int(sum(self.predictor.shape)) + 2

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Row of each item."""
        return {item_id: row for row, item_id in enumerate(self.ids)}

    @cached_property
    def radius(self) -> float:
        """Length that [text; b * factor; new] has at most: what the vectors are divided by."""
        longest = np.linalg.norm(self.factors, axis=1).max(initial=0.0)
        known = 1 + (self.weight * longest) ** 2
        return float(np.sqrt(max(known, 2 + (self.weight * self.newcomer) ** 2)))

    @cached_property
    def _new(self) -> float:
        """Length that is left of the radius for the coordinate of items without a factor."""
        return float(np.sqrt(self.radius**2 - 1 - (self.weight * self.newcomer) ** 2))

    @cached_property
    def _greeting(self) -> float:
        """Coordinate of a user for items without a factor, relative to the other ones' length."""
        return self.welcome * self.radius / self._new

    @cached_property
    def dilution(self) -> float:
        """What similarities are multiplied by, since users greet new items as well."""
        return float(1 / np.sqrt(1 + self._greeting**2))

    @property
    def _numbers(self) -> list[float]:
        numbers = (self.weight, self.confidence, self.recency, self.newcomer, self.welcome)
        return [float(number) for number in numbers]

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
            Shape (m, d + k + 2): unit rows; rows without text stay zero.
        """
        joined = np.zeros((len(ids), self.dimension), dtype=np.float32)
        joined[:, : self.text_dimension] = texts
        joined[:, self.text_dimension : -2] = self.weight * self.factors_of(ids, texts)
        joined[:, -2] = [0.0 if item_id in self.place else self._new for item_id in ids]
        joined /= self.radius
        squares = (joined**2).sum(axis=1)
        joined[:, -1] = np.sqrt(np.maximum(0.0, 1.0 - squares))
        joined[~texts.any(axis=1)] = 0.0
        return joined

    def texts_of(self, joined: Vector) -> Vector:
        """Return the text vectors in `joined`, shape (m, d + k + 2), as shape (m, d)."""
        return joined[:, : self.text_dimension] * np.float32(self.radius)

    def ask(
        self, text: Vector | None, joined: Sequence[Vector], ages: Sequence[int]
    ) -> Vector | None:
        """Return E_u of a user, shape (d + k + 2,), unit length; None if nothing is known.

        Parameters
        ----------
        text
            Text part of the profile, shape (d,), unit length, or none.
        joined
            Joined vectors of the h items of the history, each of shape (d + k + 2,).
        ages
            Age of each, the newest item of a history being 0.
        """
        if text is None and not len(joined):
            return None
        told = np.zeros(self.dimension - 2, dtype=np.float32)
        if text is not None:
            told[: self.text_dimension] = text
        if len(joined):
            told[self.text_dimension :] = self.weight * self.fold_in(np.stack(joined), ages)
        return self.greeting(told[None])[0] if told.any() else None

    def parts(self, texts: Floats, joined: Sequence[Vector], ages: Sequence[int]) -> Matrix:
        """Return what each part of a user adds to E_u, shape (n + h + 1, d + k + 2).

        The rows, first those of the text, then those of the history, then the welcome of new
        items, sum up to what `ask` returns, or are zero where that is None.

        Parameters
        ----------
        texts
            n vectors that sum up to the text part of the profile, shape (n, d).
        joined, ages
            As for `ask`.
        """
        added = np.zeros((len(texts) + len(joined) + 1, self.dimension))
        added[: len(texts), : self.text_dimension] = texts
        if len(joined):
            chosen, solved, confidence = self._folding(np.stack(joined), ages)
            factors = fold_in_parts(chosen, solved, confidence)
            length = np.linalg.norm(factors.sum(axis=0))
            if length > 0:
                added[len(texts) : -1, self.text_dimension : -2] = self.weight * factors / length
        length = np.linalg.norm(added.sum(axis=0))
        if length == 0:
            return added
        added *= self.dilution / length
        added[-1, -2] = self._greeting * self.dilution
        return added

    def greeting(self, told: Vector) -> Vector:
        """Return E_u of users, unit rows, shape (users, d + k + 2), with what new items are met by.

        Parameters
        ----------
        told
            [text; b * fold-in] of each, shape (users, d + k); no row is all zeros.
        """
        asked = np.zeros((len(told), self.dimension), dtype=np.float32)
        asked[:, :-2] = unit_rows(told) * np.float32(self.dilution)
        asked[:, -2] = self._greeting * self.dilution
        return asked

    def asking(self, joined: Vector) -> Vector:
        """Return the vector that asks for what is like an item, unit length: by its contents.

        Whether it is new itself is no part of what it is like.
        """
        asked = joined.copy()
        asked[-2:] = 0.0
        return np.asarray(asked / np.linalg.norm(asked), dtype=np.float32)

    def lifts(self, history: Sequence[str], ages: Sequence[int]) -> dict[str, float]:
        """Return what a history adds to w * similarity of the items chosen around its own.

        Parameters
        ----------
        history
            Item ids.
        ages
            Age of each, 0 being the newest.
        """
        known = [row for row, item_id in enumerate(history) if item_id in self.place]
        if self.together is None or not known:
            return {}
        places, added = self.together.lifted(
            [self.place[history[row]] for row in known], [ages[row] for row in known]
        )
        diluted = added * np.float32(self.dilution)
        return {self.ids[place]: float(one) for place, one in zip(places, diluted, strict=True)}

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
        chosen = joined[:, self.text_dimension : -2].astype(np.float64) * scale
        confidence = self.confidence * np.power(self.recency, np.asarray(ages, dtype=np.float64))
        return chosen, chosen @ self._solved, confidence

    def content(self) -> bytes:
        """Return the bytes that stand for it in a fingerprint."""
        arrays: list[npt.NDArray[Any]] = [self.factors, self.predictor, self.gram]
        arrays += [] if self.together is None else self.together.arrays().values()
        parts = [orjson.dumps([list(self.ids), [one.shape for one in arrays], self._numbers])]
        return b"".join([*parts, *(np.ascontiguousarray(one).tobytes() for one in arrays)])

    def save(self, file: Path) -> None:
        """Write everything to `file` (.npz)."""
        arrays: dict[str, Any] = {
            "ids": np.frombuffer(orjson.dumps(list(self.ids)), dtype=np.uint8),
            "factors": self.factors,
            "gram": self.gram,
            "predictor": self.predictor,
            "numbers": np.array(self._numbers),
            **({} if self.together is None else self.together.arrays()),
        }
        np.savez(file, **arrays)

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
                if len(numbers) != NUMBERS:
                    raise BundleError(
                        f"{file}: was fitted by another version of seealso",
                        hint="fit the bundle again: seealso fit --force",
                        file=str(file),
                    )
                weight, confidence, recency, newcomer, welcome = numbers
                found = cls(
                    ids,
                    arrays["factors"],
                    arrays["gram"],
                    arrays["predictor"],
                    weight,
                    confidence,
                    recency,
                    newcomer,
                    welcome,
                    Together.of(arrays, len(ids)),
                )
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
