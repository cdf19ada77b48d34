"""How much a history boosts items that are chosen around its own: chosen on dev."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seealso.datasets.dataset import Dataset
from seealso.datasets.intervals import Values
from seealso.encoder import CoOccurrence
from seealso.fitting.bench import Bench
from seealso.fitting.choosing import choose_beyond_chance
from seealso.fitting.top_scores import TopScores
from seealso.log import Tick
from seealso.models.co_occurrence import CoOccurrenceConfig, PairCounts
from seealso.models.histories import Matrix
from seealso.types import Vector

SHARES: Final = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 11.0, 16.0)
CO_OCCURRENCE_GRID: Final[Mapping[str, Sequence[float]]] = {
    "recency": (0.8, 0.9, 0.6, 0.4),
    "distance": (0.9, 0.8, 1.0, 0.6),
    "backward": (0.25, 0.5, 1.0, 0.1, 0.0),
    "shrink": (10.0, 3.0, 30.0, 60.0, 150.0),
}
"""Values of each number; the search begins with the first ones."""


def boosts(bench: Bench, co_occurrence: CoOccurrence | None) -> Matrix:
    """Return what the histories of the bench add to each item, shape (users, n)."""
    shape = (len(bench.questions), len(bench.texts))
    if co_occurrence is None:
        return Matrix(shape, dtype=np.float32)
    found = [
        co_occurrence.boost(list(one.history), range(len(one.history))) for one in bench.questions
    ]
    starts = np.concatenate([[0], np.cumsum([len(places) for places, _ in found])])
    places = np.concatenate([places for places, _ in found])
    added = np.concatenate([added for _, added in found])
    return Matrix((added, places, starts), shape=shape)


@dataclass(frozen=True, slots=True)
class ChosenCoOccurrence:
    """A pairing, and the NDCG@10 that it reaches on dev.

    Attributes
    ----------
    config
        Its share is 0 where pairs boost nothing that dev users chose.
    ndcg
        NDCG@10 with it.
    tried
        How many settings were compared.
    """

    config: CoOccurrenceConfig
    ndcg: float
    tried: int


def choose_co_occurrence(
    bench: Bench, users: Vector, items: Vector, dataset: Dataset, tick: Tick
) -> ChosenCoOccurrence:
    """Choose what pairs weigh, of `CO_OCCURRENCE_GRID`; each attempt tries every share.

    The share of the first values is the best one; 0, no pairs at all, is among them. Then comes one
    number after the other: its values, with all shares, stand against what was chosen before, and
    have to gain more than luck would (`choose_beyond_chance`).

    Parameters
    ----------
    bench
        Dev users.
    users, items
        E_u, unit rows, and E_i, shapes (users, d) and (n, d).
    dataset
        Its sequences give the pairs.
    tick
        Called after each of the `count_attempts`.
    """
    counts, top = PairCounts(dataset), TopScores.of(bench, users, items)

    def attempt(numbers: Mapping[str, float]) -> Values:
        added = boosts(bench, counts.weigh(CoOccurrenceConfig(**numbers, share=1.0)))
        tick(1)
        return top.gains_by_share(added, SHARES)

    chosen = {name: values[0] for name, values in CO_OCCURRENCE_GRID.items()}
    reached = attempt(chosen)
    # a single number on a smooth curve, and pairs as they are by default: little is picked here
    share = int(np.argmax(reached.mean(axis=1)))
    tried = len(SHARES)
    for name, values in CO_OCCURRENCE_GRID.items():
        every = np.concatenate([reached, *(attempt({**chosen, name: v}) for v in values[1:])])
        best, share = divmod(choose_beyond_chance(every, share), len(SHARES))
        chosen[name], tried = values[best], tried + len(every) - len(SHARES)
        reached = every[best * len(SHARES) : (best + 1) * len(SHARES)]
    config = CoOccurrenceConfig(**chosen, share=SHARES[share])
    return ChosenCoOccurrence(config, float(reached[share].mean()), tried)
