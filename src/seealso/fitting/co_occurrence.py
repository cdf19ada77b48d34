"""How much a history boosts items that are chosen around its own: chosen on dev."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seealso.datasets.dataset import Dataset
from seealso.encoder import CoOccurrence
from seealso.evaluation.choosing import search_coordinates
from seealso.fitting.bench import Bench, ndcg
from seealso.log import Tick
from seealso.models.co_occurrence import CoOccurrenceConfig, fit_co_occurrence
from seealso.models.histories import Matrix
from seealso.types import Vector

SHARES: Final = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
CO_OCCURRENCE_GRID: Final[Mapping[str, Sequence[float]]] = {
    "recency": (0.8, 0.9, 0.6, 0.4),
    "distance": (0.9, 0.8, 1.0),
    "backward": (0.5, 0.25, 1.0),
    "shrink": (10.0, 3.0, 30.0),
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
    """A pairing, and the NDCG@10 that it reaches on dev."""

    config: CoOccurrenceConfig
    ndcg: float


def choose_co_occurrence(
    bench: Bench, users: Vector, items: Vector, dataset: Dataset, tick: Tick
) -> ChosenCoOccurrence:
    """Choose what pairs weigh, of `CO_OCCURRENCE_GRID`; each attempt tries every share.

    Parameters
    ----------
    bench
        Dev users.
    users, items
        E_u, unit rows, and E_i, shapes (users, d) and (n, d).
    dataset
        Its sequences give the pairs.
    tick
        Called after each attempt.

    Returns
    -------
    Paired
        Its share is 0 where pairs boost nothing that dev users chose.
    """

    def attempt(numbers: Mapping[str, float]) -> ChosenCoOccurrence:
        one = CoOccurrenceConfig(**numbers, share=1.0)
        added = boosts(bench, fit_co_occurrence(dataset, one))
        ranks = bench.ranks_by_share(users, items, added, SHARES)
        reached = [ndcg(found) for found in ranks]
        best = int(np.argmax(reached))
        return ChosenCoOccurrence(replace(one, share=SHARES[best]), reached[best])

    return search_coordinates(CO_OCCURRENCE_GRID, attempt, tick)
