"""Diversity: items unlike those above them, by maximal marginal relevance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seealso.plugin.reranking.draft import Candidate, Draft, Order, Pool
from seealso.types import Vector

NOT_READ: Final[Mapping[str, Vector]] = {}
"""No directions: every hit has the vector that it needs."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """Gives each place to the item with the greatest ``(1 - d) * relevance - d * likeness``.

    Relevance is on a scale from 0 (least of the candidates) to 1, likeness the greatest cosine
    with an item above (J. Carbonell and J. Goldstein, The use of MMR, SIGIR 1998; lambda = 1 - d).
    An item without a vector is like no other.
    """

    weight: float
    """d in [0, 1]."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with the front of every pool spread; what is buried stays buried."""

        def spread(pool: Pool) -> Pool:
            front = self.spread(pool.front, draft.order, draft.size, draft.directions)
            return Pool(tuple(front), pool.back)

        return draft.change(spread)

    def spread(
        self,
        ranked: Sequence[Candidate],
        order: Order,
        size: int,
        directions: Mapping[str, Vector] = NOT_READ,
    ) -> list[Candidate]:
        """Return ranked candidates with the first `size` spread; the others keep their order."""
        if not ranked or self.weight == 0:
            return list(ranked)
        values = order.relevance(ranked)
        relevance = (values - values.min()) / (np.ptp(values) or 1.0)
        matrix = _matrix([directions.get(one.item_id, one.vector) for one in ranked])
        likeness = np.zeros(len(ranked))
        chosen: list[int] = []
        left = np.ones(len(ranked), dtype=bool)
        while len(chosen) < min(size, len(ranked)):
            gain = (1 - self.weight) * relevance - self.weight * likeness
            best = int(np.argmax(np.where(left, gain, -np.inf)))
            chosen.append(best)
            left[best] = False
            likeness = np.maximum(likeness, matrix @ matrix[best])
        return [ranked[n] for n in [*chosen, *np.flatnonzero(left).tolist()]]


def _matrix(vectors: Sequence[Vector | None]) -> Vector:
    """Return unit vectors, shape (n, dimension); zeros where there is none."""
    dimension = next((len(one) for one in vectors if one is not None), 1)
    nothing = np.zeros(dimension, dtype=np.float32)
    return np.stack([nothing if one is None else one for one in vectors])
