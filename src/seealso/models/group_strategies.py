"""How the probabilities of a group's members become one order: pure functions over probabilities.

Each takes a matrix of shape (members, candidates) and returns places of candidates, best first.
What a group chose together before, its own history, is one more member, with a weight of its own.
No order depends on the order of the members; of equal candidates the first comes first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

PATIENCE: Final = 0.3
"""What each member starts with, in units of their own best item."""


LOOKED_AT: Final = 50
"""Best items of each member that a strategy looks at; with 1,000 its lists are hardly others."""

DEEP: Final = {"least-misery": 400, "borda": 400}
"""Strategies that choose items which no member likes best: `LOOKED_AT` are too few for them."""

SMALLEST: Final = 1e-300
"""Stands for a probability of zero, whose logarithm would be infinite."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnHistory:
    """What a group's own history says.

    Attributes
    ----------
    probabilities
        Of each candidate, shape (candidates,).
    weight
        What it weighs beside all members together, from 0 to 1.
    """

    probabilities: Values
    weight: float


class Strategy(Protocol):
    """Ranks candidates by the probabilities of several people."""

    def __call__(self, probabilities: Matrix, size: int, own: OwnHistory | None = None) -> Places:
        """Return the places of the best `size` candidates.

        Parameters
        ----------
        probabilities
            Of each member, shape (members, candidates).
        size
            Length of the list.
        own
            What the group's own history says, if there is any.
        """
        ...


def average(probabilities: Matrix, size: int, own: OwnHistory | None = None) -> Places:
    """Rank by the mean over the members (Masthoff 2004, "Group Modeling")."""
    return _best(mean_with(probabilities, own), size=size)


def multiplicative(probabilities: Matrix, size: int, own: OwnHistory | None = None) -> Places:
    """Rank by the product over the members (Masthoff 2004): by the mean of the logarithms."""
    value = _mix(_mean(_logarithms(probabilities)), own, _logarithms)
    return _best(value, mean_with(probabilities, own), size=size)


def least_misery(probabilities: Matrix, size: int, own: OwnHistory | None = None) -> Places:
    """Rank by the member who likes an item least, then by the mean (O'Connor et al. 2001)."""
    return _best(_mix(probabilities.min(axis=0), own), mean_with(probabilities, own), size=size)


def most_pleasure(probabilities: Matrix, size: int, own: OwnHistory | None = None) -> Places:
    """Rank by the member who likes an item most, then by the mean (Masthoff 2004)."""
    return _best(_mix(probabilities.max(axis=0), own), mean_with(probabilities, own), size=size)


def borda(probabilities: Matrix, size: int, own: OwnHistory | None = None) -> Places:
    """Rank by the mean of points: for each member, the number of items liked less (Borda 1781).

    Of items that a member likes the same, each gets the mean of their points.
    """
    points = np.stack([_points(one) for one in probabilities])
    # points are halves: their sum is exact, and the same in any order
    mean = points.sum(axis=0) / len(points)
    return _best(_mix(mean, own, _points), mean_with(probabilities, own), size=size)


def fair(fairness: float) -> Strategy:
    """Return the strategy that serves each member as evenly as it can in every prefix of a list.

    An item is worth to a member what NDCG gives to its rank in the member's own order,
    1 / log2(rank + 1), so that a member whose probabilities are low counts like any other. At
    each place comes the item that is worth most to all of them, each weighted by
    (`PATIENCE` + what they got so far) ** -`fairness`: greedy as GreedyLM and SPGreedy (Xiao et
    al. 2017, "Fairness-Aware Group Recommendation with Pareto-Efficiency"), sensitive to ranks
    and with gains that diminish as in GFAR (Kaya, Bridge and Tintarev 2020, "Ensuring Fairness in
    Group Recommendations by Rank-Sensitive Balancing of Relevance").

    Parameters
    ----------
    fairness
        0 ranks by the sum of what an item is worth, larger values serve more evenly.
    """

    def rank(probabilities: Matrix, size: int, own: OwnHistory | None = None) -> Places:
        members = _sort_members(probabilities)
        weights = np.ones(len(members))
        if own is not None:
            weights = np.append(weights * (1 - own.weight) / len(members), own.weight)
            members = np.vstack([members, own.probabilities])
        worth = fair_worth(members)
        got = np.zeros(len(worth))
        chosen: list[int] = []
        for _ in range(min(size, worth.shape[1])):
            # no matrix product: equal items must keep equal sums
            gains = ((weights * (PATIENCE + got) ** -fairness)[:, None] * worth).sum(axis=0)
            gains[chosen] = -np.inf
            chosen.append(int(gains.argmax()))
            got += worth[:, chosen[-1]]
        return np.array(chosen, dtype=np.int64)

    return rank


def fair_worth(probabilities: Matrix) -> Matrix:
    """Return what each item is worth to each member, by its rank in their own order."""
    better = np.stack([probabilities.shape[1] - _up_to(one) for one in probabilities])
    return np.asarray(1.0 / np.log2(better + 2.0))


def strategies(fairness: float) -> Mapping[str, Strategy]:
    """Return every strategy by name."""
    return {
        "fair": fair(fairness),
        "average": average,
        "multiplicative": multiplicative,
        "least-misery": least_misery,
        "most-pleasure": most_pleasure,
        "borda": borda,
    }


def looked_at(strategy: str) -> int:
    """Return how many of the best items of each member a strategy needs."""
    return DEEP.get(strategy, LOOKED_AT)


def mean_with(probabilities: Matrix, own: OwnHistory | None = None) -> Values:
    """Return the mean probability of each candidate over the members, with the own history."""
    return _mix(_mean(probabilities), own)


def mean_of_each(probabilities: Matrix, own: OwnHistory | None = None) -> Values:
    """Return what `mean_with` says of each candidate alone: no other one changes a last digit."""
    alone = np.sort(np.ascontiguousarray(probabilities.T), axis=1)
    return _mix(np.asarray(alone.mean(axis=1)), own)


def _mix(
    members: Values, own: OwnHistory | None, unit: Callable[[Values], Values] = np.asarray
) -> Values:
    """Return what candidates are worth to all: to the members together, and to the own history.

    `unit` makes of probabilities what `members` holds.
    """
    if own is None:
        return members
    return (1 - own.weight) * members + own.weight * unit(own.probabilities)


def _logarithms(probabilities: Values) -> Values:
    return np.asarray(np.log(np.maximum(probabilities, SMALLEST)))


def _points(own: Values) -> Values:
    return np.asarray((_below(own) + _up_to(own)) / 2)


def _below(own: Values) -> Places:
    """Return how many items a member likes less than each."""
    return np.searchsorted(np.sort(own), own)


def _up_to(own: Values) -> Places:
    """Return how many items a member likes no more than each, itself among them."""
    return np.searchsorted(np.sort(own), own, side="right")


def _sort_members(probabilities: Matrix) -> Matrix:
    """Return the members in an order of their probabilities: sums then have the same last digit."""
    return probabilities[np.lexsort(probabilities.T)]


def _mean(probabilities: Matrix) -> Values:
    return np.asarray(_sort_members(probabilities).mean(axis=0))


def _best(*keys: Values, size: int) -> Places:
    """Return the places of the best, by the first key, then the next; ties keep their order."""
    places: Places = np.lexsort([-key for key in reversed(keys)])
    return places[:size]
