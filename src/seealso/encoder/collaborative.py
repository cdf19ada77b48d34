"""What behaviour knows of items, joined with what their texts say, in one unit vector.

An item is [content; b * factor; cold; norm padding], a user [content; b * fold-in; bonus; 0]: one
inner product ranks by both.

Pairs add far more to some users' lists than to others', and nothing to a cold item. So the bonus
grows with the entry level of the user: what the pairs add to the tenth of the items that they add
most to. The same bonus for everyone fills the lists of some users and is never seen by the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from seealso.encoder.blas import one_thread
from seealso.encoder.co_occurrence import Boosted, CoOccurrence, Places
from seealso.encoder.fold_in import Floats, History, fold_in, fold_in_parts
from seealso.encoder.joined import COLD, JoinedLayout
from seealso.encoder.projection import unit_rows
from seealso.types import Vector


@dataclass(frozen=True, eq=False)
class Collaborative:
    """Factors of a matrix factorisation of behaviour (iALS), and how they meet the text vectors.

    Cold items, of which behaviour knows nothing, get the factor that their text predicts, and for
    each user a bonus: the same for all of them, so that it changes no order among them. Users are
    no part of it: they are folded in from their history at query time.

    The norm padding makes every item a unit vector without changing any inner product with a user
    (Bachrach et al. 2014, "Speeding Up the Xbox Recommender System Using a Euclidean
    Transformation for Inner-Product Spaces"), so that joined vectors are compared as others are.
    An index for cosine does without it: users have a zero there, so it changes no score, but the
    graph links items by it that have nothing else in common (docs/decisions/0005).

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
    cold_length
        Length of a predicted factor.
    cold_start_bonus, cold_start_share
        What is added to the similarity of cold items, before dilution: the bonus, and this share
        of the entry level of the user.
    co_occurrence
        Which items are chosen around which, in places of `ids`, if that helps.
    """

    ids: Sequence[str]
    factors: Vector
    gram: Floats
    predictor: Vector
    weight: float
    confidence: float
    recency: float
    cold_length: float
    cold_start_bonus: float = 0.0
    cold_start_share: float = 0.0
    co_occurrence: CoOccurrence | None = None

    @property
    def text_dimension(self) -> int:
        """Length d of the text vectors."""
        return int(self.predictor.shape[0])

    @cached_property
    def layout(self) -> JoinedLayout:
        """Where what lies in its vectors."""
        content, factors = self.predictor.shape
        return JoinedLayout(content, factors, self.radius)

    @property
    def dimension(self) -> int:
        """Length d + k + 2 of a joined vector."""
        return self.layout.dimension

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Row of each item."""
        return {item_id: row for row, item_id in enumerate(self.ids)}

    @cached_property
    def radius(self) -> float:
        """Length that [content; b * factor; cold] has at most: what the vectors are divided by."""
        longest = np.linalg.norm(self.factors, axis=1).max(initial=0.0)
        known = 1 + (self.weight * longest) ** 2
        return float(np.sqrt(max(known, 2 + (self.weight * self.cold_length) ** 2)))

    @cached_property
    def _cold_coordinate(self) -> float:
        """Coordinate of cold items: what is left of the radius beside content and factor."""
        return float(np.sqrt(self.radius**2 - 1 - (self.weight * self.cold_length) ** 2))

    def _meet_cold(self, levels: Vector) -> Vector:
        """Return the coordinate of users that meets cold items, relative to the other ones.

        `levels` are their entry levels, shape (users,).
        """
        bonus = self.cold_start_bonus + self.cold_start_share * levels
        return np.asarray(bonus * (self.radius / self._cold_coordinate), dtype=np.float32)

    def dilutions(self, levels: Vector) -> Vector:
        """Return what similarities are multiplied by, as the bonus takes a part of E_u's length.

        Parameters
        ----------
        levels
            Entry levels of users, shape (users,).
        """
        return np.asarray(1 / np.sqrt(1 + self._meet_cold(levels) ** 2), dtype=np.float32)

    def dilution(self, level: float) -> float:
        """Return what the similarities of one user are multiplied by; `dilutions` of many."""
        return float(self.dilutions(np.array([level]))[0])

    @property
    def numbers(self) -> list[float]:
        """The numbers beside the matrices, in the order of the fields."""
        cold = (self.cold_length, self.cold_start_bonus, self.cold_start_share)
        return [*map(float, (self.weight, self.confidence, self.recency, *cold))]

    @cached_property
    def _solved(self) -> Floats:
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
        found: Vector = unit_rows(texts @ self.predictor) * np.float32(self.cold_length)
        found[known] = self.factors[rows[known]]
        return found

    def join(self, ids: Sequence[str], texts: Vector) -> Vector:
        """Join contents and factors: return E_i of items.

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
        joined[:, self.layout.behaviour] = self.weight * self.factors_of(ids, texts)
        joined[:, COLD] = [
            0.0 if item_id in self.place else self._cold_coordinate for item_id in ids
        ]
        joined /= self.radius
        self.layout.pad(joined)
        joined[~texts.any(axis=1)] = 0.0
        return joined

    def user_vectors(
        self, texts: Vector, joined: Vector, histories: Sequence[History], levels: Vector
    ) -> Vector:
        """Return E_u of users, shape (users, d + k + 2): unit rows, zeros where nothing is known.

        Parameters
        ----------
        texts
            Text part of each profile, shape (users, d): unit rows, or zeros.
        joined
            Joined vectors of the items of all histories, shape (m, d + k + 2).
        histories
            Rows of `joined`, for each user.
        levels
            Entry level of each user, shape (users,).
        """
        factors = self.fold_in(joined, histories)
        profiles = np.hstack([texts, np.float32(self.weight) * factors])
        found = self.add_bonus(profiles, levels)
        found[~profiles.any(axis=1)] = 0.0
        return found

    def user_parts(
        self, texts: Floats, joined: Vector, ages: Sequence[int], level: float = 0.0
    ) -> Floats:
        """Return what each part of a user adds to E_u, shape (n + h + 1, d + k + 2).

        The rows, first those of the text, then those of the history, then the bonus of cold
        items, sum up to that of `user_vectors`.

        Parameters
        ----------
        texts
            n vectors that sum up to the text part of the profile, shape (n, d).
        joined
            Joined vectors of the h items of the history, shape (h, d + k + 2).
        ages, level
            Age of each, and the entry level of the user.
        """
        added = np.zeros((len(texts) + len(joined) + 1, self.dimension))
        added[: len(texts), : self.text_dimension] = texts
        if len(joined):
            with one_thread():
                chosen, solved = self._foldable(joined)
                factors = fold_in_parts(chosen, solved, self._confidence(ages))
            length = np.linalg.norm(factors.sum(axis=0))
            if length > 0:
                added[len(texts) : -1, self.layout.behaviour] = self.weight * factors / length
        length = np.linalg.norm(added.sum(axis=0))
        if length == 0:
            return added
        dilution = self.dilution(level)
        added *= dilution / length
        added[-1, COLD] = self._meet_cold(np.array([level]))[0] * dilution
        return added

    def add_bonus(self, profiles: Vector, levels: Vector) -> Vector:
        """Add the cold-start bonus: return E_u of users, unit rows, shape (users, d + k + 2).

        Parameters
        ----------
        profiles
            [content; b * fold-in] of each, shape (users, d + k); no row is all zeros.
        levels
            Entry level of each, shape (users,).
        """
        dilutions = self.dilutions(levels)
        queries = np.zeros((len(profiles), self.dimension), dtype=np.float32)
        queries[:, :COLD] = unit_rows(profiles) * dilutions[:, None]
        queries[:, COLD] = self._meet_cold(levels) * dilutions
        return queries

    def boosts(self, history: Sequence[str], ages: Sequence[int]) -> Boosted:
        """Return the items that are chosen around those of a history.

        Parameters
        ----------
        history
            Item ids.
        ages
            Age of each, 0 being the newest.
        """
        places = [self.place.get(item_id, -1) for item_id in history]
        known = [n for n, place in enumerate(places) if place >= 0]
        if self.co_occurrence is None or not known:
            return Boosted()
        found, amounts = self.co_occurrence.boost(
            [places[n] for n in known], [ages[n] for n in known]
        )
        rows, own = found.tolist(), frozenset(places)
        return Boosted([self.ids[n] for n in rows], amounts, np.array([n in own for n in rows]))

    def fold_in(self, joined: Vector, histories: Sequence[History]) -> Vector:
        """Return the unit factor of each user, shape (users, k); zeros without a history.

        By `fold_in`, with c = alpha * recency ** age.

        Parameters
        ----------
        joined, histories
            As for `user_vectors`.
        """
        users = np.zeros((len(histories), self.factors.shape[1]), dtype=np.float32)
        if not len(joined):
            return users
        with one_thread():
            # an item that several users chose is multiplied once
            chosen, solved = self._foldable(joined)
            for user, (rows, ages) in zip(users, histories, strict=True):
                if len(rows):
                    user[:] = fold_in(chosen[rows], solved[rows], self._confidence(ages))
        return unit_rows(users)

    def _foldable(self, joined: Vector) -> tuple[Floats, Floats]:
        """Return H and H (F'F + reg)^-1 for joined vectors, as `fold_in` takes them."""
        scale = self.radius / self.weight if self.weight else 0.0
        chosen = joined[:, self.layout.behaviour].astype(np.float64) * scale
        return chosen, chosen @ self._solved

    def _confidence(self, ages: Sequence[int] | Places) -> Floats:
        confidence = np.power(self.recency, np.asarray(ages, dtype=np.float64))
        return np.asarray(self.confidence * confidence)

    def arrays(self) -> dict[str, Any]:
        """Return its arrays by name, as its file holds them."""
        return {
            "ids": np.frombuffer(orjson.dumps(list(self.ids)), dtype=np.uint8),
            "factors": self.factors,
            "gram": self.gram,
            "predictor": self.predictor,
            "numbers": np.array(self.numbers),
            **({} if self.co_occurrence is None else self.co_occurrence.arrays()),
        }

    def content(self) -> bytes:
        """Return its bytes for a fingerprint."""
        arrays: list[npt.NDArray[Any]] = [self.factors, self.predictor, self.gram]
        arrays += [] if self.co_occurrence is None else self.co_occurrence.arrays().values()
        parts = [orjson.dumps([list(self.ids), [one.shape for one in arrays], self.numbers])]
        return b"".join([*parts, *(np.ascontiguousarray(one).tobytes() for one in arrays)])
