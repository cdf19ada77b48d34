"""How the wishes of a group's members become one order: pure functions over probabilities.

Each takes a matrix of shape (members, candidates) and returns places of candidates, best first.
No order depends on the order of the members.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Strategy = Callable[[Matrix, int], Places]


def average(wishes: Matrix, size: int) -> Places:
    """Rank by the mean over the members (Masthoff 2004, "Group Modeling")."""
    return _best(_mean(wishes), size=size)


def least_misery(wishes: Matrix, size: int) -> Places:
    """Rank by the member who likes an item least, then by the mean (O'Connor et al. 2001)."""
    return _best(wishes.min(axis=0), _mean(wishes), size=size)


def most_pleasure(wishes: Matrix, size: int) -> Places:
    """Rank by the member who likes an item most, then by the mean (Masthoff 2004)."""
    return _best(wishes.max(axis=0), _mean(wishes), size=size)


def borda(wishes: Matrix, size: int) -> Places:
    """Rank by the sum of points: for each member, the number of items liked less (Borda 1781).

    Of items that a member likes the same, each gets the mean of their points.
    """
    points = np.stack([_points(one) for one in wishes])
    return _best(points.sum(axis=0), _mean(wishes), size=size)


def _points(own: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    ordered = np.sort(own)
    below, up_to = np.searchsorted(ordered, own), np.searchsorted(ordered, own, side="right")
    return np.asarray((below + up_to - 1) / 2)


def _mean(wishes: Matrix) -> npt.NDArray[np.float64]:
    # summed by size: the order of the members must not change the last digit
    return np.asarray(np.sort(wishes, axis=0).mean(axis=0))


def _best(*keys: npt.NDArray[np.float64], size: int) -> Places:
    """Return the places of the best, by the first key, then the next; ties keep their order."""
    places: Places = np.lexsort([-key for key in reversed(keys)])
    return places[:size]


def fair(fairness: float) -> Strategy:
    """Return the strategy that serves the members evenly in every prefix of the list.

    Place by place, the item with the largest sum over the members of what they gain, each
    weighted by 1 / (epsilon + what they got so far) ** `fairness`
    """

    def ranked(wishes: Matrix, size: int) -> Places:
        gains = wishes / wishes.max(axis=1, keepdims=True)
        got = np.zeros(len(wishes))
        left = np.ones(wishes.shape[1], dtype=bool)
        chosen: list[int] = []
        for _ in range(min(size, wishes.shape[1])):
            worth = ((1.0 + got)[:, None] ** -fairness * gains).sum(axis=0)
            best = int(np.where(left, worth, -np.inf).argmax())
            left[best] = False
            got += gains[:, best]
            chosen.append(best)
        return np.array(chosen, dtype=np.int64)

    return ranked


def strategies(fairness: float) -> Mapping[str, Strategy]:
    """Return every strategy by name."""
    return MappingProxyType(
        {
            "average": average,
            "least-misery": least_misery,
            "most-pleasure": most_pleasure,
            "borda": borda,
            "fair": fair(fairness),
        }
    )
