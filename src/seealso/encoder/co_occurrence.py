"""Co-occurrence: for each item, those that are near it in histories.

One inner product cannot hold such pairs: on sparse behaviour their matrix has no low rank. They
boost the few items that a history points to, on top of what the vectors say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from seealso.types import Vector

MOST_BOOSTED: Final = 200
"""Most items that one history boosts: those with the largest boosts."""

ENTRY: Final = 10
"""The place of a list that an item has to win: what boosts the tenth of the boosted items."""

Places = npt.NDArray[np.int64]


def entry_boost(boosts: Vector) -> float:
    """Return the tenth largest of `boosts`; 0 where there are fewer."""
    if len(boosts) < ENTRY:
        return 0.0
    return float(np.partition(boosts, len(boosts) - ENTRY)[len(boosts) - ENTRY])


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """The items that a history boosts.

    Attributes
    ----------
    ids
        m items.
    amounts
        What is added to w * similarity of each before dilution, shape (m,).
    own
        Which of them are in the history themselves, shape (m,).
    """

    ids: Sequence[str] = ()
    amounts: Vector = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    own: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    @property
    def entry_level(self) -> float:
        """What the tenth of the most boosted items gets, own items left out; 0 if they are fewer.

        What a user has chosen already is no news.
        """
        return entry_boost(self.amounts[~self.own])

    def diluted(self, dilution: float) -> dict[str, float]:
        """Return what is added to each item, by its id."""
        amounts = dilution * self.amounts.astype(np.float64)
        return dict(zip(self.ids, amounts.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class CoOccurrence:
    """Weights of pairs of n items, the strongest of each item, and how a history adds them up.

    Attributes
    ----------
    starts
        Where the pairs of each item begin, shape (n + 1,).
    places
        Second item of each pair, shape (pairs,).
    weights
        Of each pair, shape (pairs,), float32.
    share
        What a weight of one adds to w * similarity.
    recency
        Weight of a history item relative to the next newer one.
    """

    starts: Places
    places: npt.NDArray[np.int32]
    weights: Vector
    share: float
    recency: float

    def boost(self, history: Sequence[int], ages: Sequence[int]) -> tuple[Places, Vector]:
        """Return the places that a history boosts, at most `MOST_BOOSTED`, and by how much.

        Parameters
        ----------
        history
            Places of its h items.
        ages
            Age of each, 0 being the newest.

        Returns
        -------
        tuple
            Places in rising order and, for each, share times the sum of recency ** age times the
            weight of the pair.
        """
        items = np.asarray(history, dtype=np.int64)
        starts, pairs = self.starts[items], self.starts[items + 1] - self.starts[items]
        fading = np.power(self.recency, np.asarray(ages, dtype=np.float64))
        # the pairs of each item one after the other: rising numbers, with a jump at each item
        jumps = np.repeat(starts - np.cumsum(pairs) + pairs, pairs)
        numbers = jumps + np.arange(len(jumps))
        second = self.places[numbers]
        sums = np.bincount(second, weights=self.weights[numbers] * np.repeat(fading, pairs))
        # what weighs nothing boosts nothing
        places = np.flatnonzero(sums > 0.0)
        sums = sums[places]
        if len(places) > MOST_BOOSTED:
            least = np.partition(sums, -MOST_BOOSTED)[-MOST_BOOSTED]
            high = np.flatnonzero(sums >= least)
            kept = np.sort(high[np.argsort(-sums[high], kind="stable")[:MOST_BOOSTED]])
            places, sums = places[kept], sums[kept]
        return places.astype(np.int64), np.asarray(self.share * sums, dtype=np.float32)

    def among(self, known: npt.NDArray[np.bool_]) -> "CoOccurrence":
        """Return the same pairs in places of those items alone; the others must have none."""
        place = np.cumsum(known, dtype=np.int32) - 1
        starts = np.append(self.starts[:-1][known], self.starts[-1])
        return replace(self, starts=starts, places=place[self.places].astype(np.int32))

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return everything as arrays by name, as the file holds them."""
        return {
            "co_occurrence_starts": self.starts,
            "co_occurrence_places": self.places,
            "co_occurrence_weights": self.weights,
            "co_occurrence_numbers": np.array([self.share, self.recency]),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]], items: int) -> "CoOccurrence | None":
        """Return the co-occurrence in `arrays`, or None if they have none.

        Raises
        ------
        ValueError
            They do not fit together, or are not of so many items.
        """
        if "co_occurrence_starts" not in arrays:
            return None
        share, recency = (float(number) for number in arrays["co_occurrence_numbers"])
        found = cls(
            np.asarray(arrays["co_occurrence_starts"], dtype=np.int64),
            np.asarray(arrays["co_occurrence_places"], dtype=np.int32),
            np.asarray(arrays["co_occurrence_weights"], dtype=np.float32),
            share,
            recency,
        )
        pairs = len(found.places)
        whole = (
            len(found.starts) == items + 1
            and found.starts[0] == 0
            and found.starts[-1] == pairs == len(found.weights)
            and bool((np.diff(found.starts) >= 0).all())
            and (pairs == 0 or 0 <= found.places.min() <= found.places.max() < items)
        )
        if not whole:
            raise ValueError(f"pairs that do not belong to {items} items")
        return found
