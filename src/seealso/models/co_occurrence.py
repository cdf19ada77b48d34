"""Item co-occurrence: which items are chosen around which, and what each pair weighs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from seealso.datasets.dataset import Dataset
from seealso.encoder import CoOccurrence
from seealso.models.histories import Matrix

Places = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NEAREST: Final = 100
"""Pairs that are kept of each item: the strongest."""


WINDOW: Final = 20
"""Places in a sequence that two items of a pair are apart at most."""


@dataclass(frozen=True, slots=True)
class CoOccurrenceConfig:
    """What pairs of items weigh.

    Attributes
    ----------
    distance
        Weight of a pair relative to one that is one place nearer in a sequence.
    backward
        Weight of what came before an item relative to what came after it.
    shrink
        Added to the root of both items' events, which the weights are divided by: rare pairs
        weigh less.
    recency
        Weight of a history item relative to the next newer one.
    share
        What a weight of one adds to w * similarity.
    """

    distance: float
    backward: float
    shrink: float
    recency: float
    share: float


def fit_co_occurrence(dataset: Dataset, config: CoOccurrenceConfig) -> CoOccurrence:
    """Return the strongest pairs of each item, as `PairCounts.weigh` has them."""
    return PairCounts(dataset).weigh(config)


class PairCounts:
    """How often, and how near, items stand after each other; counted once for many weights.

    Parameters
    ----------
    dataset
        What users chose, and the n items.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._sequences = dataset.sequences
        self._events = dataset.event_counts()
        self._after: dict[float, Matrix] = {}

    def weigh(self, config: CoOccurrenceConfig) -> CoOccurrence:
        """Return the strongest pairs of each item.

        The weight of j for i is sum of distance ** (gap - 1) over all places where j stands gap
        places after i (times ``backward`` where it stands before), divided by
        sqrt(events of i * events of j) + shrink: the cosine with shrinkage of ItemKNN (Ferrari
        Dacrema, Cremonesi and Jannach 2019), of pairs that fade with their distance as in
        sequential rules (Ludewig and Jannach 2018, "Evaluation of Session-based Recommendation
        Algorithms").

        Parameters
        ----------
        config
            What pairs weigh.
        """
        after = self._count(config.distance)
        both = (after + config.backward * after.T).tocsr() if config.backward else after.tocsr()
        row = np.repeat(np.arange(len(self._events)), np.diff(both.indptr))
        column, weight = both.indices, both.data
        apart = row != column
        row, column, weight = row[apart], column[apart], weight[apart]
        length = np.sqrt(self._events.astype(np.float32))
        weight = weight / (length[row] * length[column] + config.shrink)
        kept = _strongest(row, weight, len(self._events))
        starts = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=len(length)))])
        return CoOccurrence(
            starts.astype(np.int64),
            column[kept].astype(np.int32),
            weight[kept].astype(np.float32),
            config.share,
            config.recency,
        )

    def _count(self, distance: float) -> Matrix:
        """Return how often, and how near, the column's item comes after the row's."""
        if distance not in self._after:
            self._after[distance] = _after(self._sequences, len(self._events), distance)
        return self._after[distance]


def _strongest(row: Places, weight: Weights, items: int) -> Mask:
    """Return which pairs are the `NEAREST` strongest of their row: of equal ones, the first."""
    kept = np.ones(len(row), dtype=bool)
    starts = np.searchsorted(row, np.arange(items + 1))
    for start, end in pairwise(starts.tolist()):
        if end - start > NEAREST:
            kept[start + np.argsort(-weight[start:end], kind="stable")[NEAREST:]] = False
    return kept


def _after(sequences: Sequence[Sequence[int]], items: int, distance: float) -> Matrix:
    """Return how often, and how near, the column's item comes after the row's."""
    total = Matrix((items, items), dtype=np.float64)
    arrays = [np.asarray(one, dtype=np.int64) for one in sequences if len(one) > 1]
    for gap in range(1, WINDOW + 1):
        arrays = [one for one in arrays if len(one) > gap]
        if not arrays:
            break
        older = np.concatenate([one[:-gap] for one in arrays])
        newer = np.concatenate([one[gap:] for one in arrays])
        weight = np.full(len(older), distance ** (gap - 1))
        total = total + Matrix((weight, (older, newer)), shape=(items, items))
    return total
