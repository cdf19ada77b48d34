"""How the probabilities of a group's members become one order: pure functions over probabilities.

Each takes a matrix of shape (members, candidates) and returns places of candidates, best first.
No order depends on the order of the members; of equal candidates the first comes first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from seealso.config import GroupSettings
from seealso.plugin.reranking.draft import Candidate
from seealso.types import Calibration

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Strategy = Callable[[Matrix, int], Places]

PATIENCE: Final = 0.3
"""What each member starts with, in units of their own best item."""


def average(probabilities: Matrix, size: int) -> Places:
    """Rank by the mean over the members (Masthoff 2004, "Group Modeling")."""
    return _best(_mean(probabilities), size=size)


def least_misery(probabilities: Matrix, size: int) -> Places:
    """Rank by the member who likes an item least, then by the mean (O'Connor et al. 2001)."""
    return _best(probabilities.min(axis=0), _mean(probabilities), size=size)


def most_pleasure(probabilities: Matrix, size: int) -> Places:
    """Rank by the member who likes an item most, then by the mean (Masthoff 2004)."""
    return _best(probabilities.max(axis=0), _mean(probabilities), size=size)


def borda(probabilities: Matrix, size: int) -> Places:
    """Rank by the sum of points: for each member, the number of items liked less (Borda 1781).

    Of items that a member likes the same, each gets the mean of their points.
    """
    points = np.stack([(_below(one) + _up_to(one)) / 2 for one in probabilities])
    return _best(points.sum(axis=0), _mean(probabilities), size=size)


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

    def rank(probabilities: Matrix, size: int) -> Places:
        worth = fair_worth(_sort_members(probabilities))
        got = np.zeros(len(worth))
        chosen: list[int] = []
        for _ in range(min(size, worth.shape[1])):
            # no matrix product: equal items must keep equal sums
            gains = (((PATIENCE + got) ** -fairness)[:, None] * worth).sum(axis=0)
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
        "least-misery": least_misery,
        "most-pleasure": most_pleasure,
        "borda": borda,
    }


@dataclass(frozen=True, slots=True)
class ByStrategy:
    """The order of a list for several people.

    Attributes
    ----------
    settings
        Strategy and fairness.
    calibration
        Makes the probabilities that a strategy weighs.
    """

    settings: GroupSettings
    calibration: Calibration

    def rank(self, candidates: Sequence[Candidate], size: int) -> list[Candidate]:
        """Return the candidates as the strategy ranks them; behind, those of the long tail."""
        # the order of the hits, which decides between equals, would change with that of the members
        found = sorted(candidates, key=lambda one: one.item_id)
        matrix: Matrix = self.calibration.probability([one.values for one in found]).T
        first = strategies(self.settings.fairness)[self.settings.strategy](matrix, size)
        # the tail's share may need items from further down
        further = [n for n in average(matrix, len(found)).tolist() if found[n].item.tail]
        return [found[n] for n in dict.fromkeys([*first.tolist(), *further[: 2 * size]])]

    def relevance(self, ranked: Sequence[Candidate]) -> Matrix:
        """Return the places of the order as relevance, from 1 to 0, shape (n,)."""
        return np.linspace(1.0, 0.0, len(ranked))


def _below(own: npt.NDArray[np.float64]) -> Places:
    """Return how many items a member likes less than each."""
    return np.searchsorted(np.sort(own), own)


def _up_to(own: npt.NDArray[np.float64]) -> Places:
    """Return how many items a member likes no more than each, itself among them."""
    return np.searchsorted(np.sort(own), own, side="right")


def _sort_members(probabilities: Matrix) -> Matrix:
    """Return the members in an order of their probabilities: sums then have the same last digit."""
    return probabilities[np.lexsort(probabilities.T)]


def _mean(probabilities: Matrix) -> npt.NDArray[np.float64]:
    return np.asarray(_sort_members(probabilities).mean(axis=0))


def _best(*keys: npt.NDArray[np.float64], size: int) -> Places:
    """Return the places of the best, by the first key, then the next; ties keep their order."""
    places: Places = np.lexsort([-key for key in reversed(keys)])
    return places[:size]
