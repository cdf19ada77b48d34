"""Diversity: items unlike those above them, by maximal marginal relevance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seealso.plugin.reranking.draft import Candidate, Draft, Order, Pool
from seealso.types import Vector


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
        return draft.change(
            lambda pool: Pool(tuple(self.spread(pool.front, draft.order, draft.size)), pool.back)
        )

    def spread(self, ranked: Sequence[Candidate], order: Order, size: int) -> list[Candidate]:
        """Return ranked candidates with the first `size` spread; the others keep their order."""
        if not ranked or self.weight == 0:
            return list(ranked)
        values = order.relevance(ranked)
        relevance = (values - values.min()) / (np.ptp(values) or 1.0)
        matrix = _matrix(ranked)
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


def _matrix(candidates: Sequence[Candidate]) -> Vector:
    """Return the unit vectors of candidates, shape (n, dimension); zeros for those without."""
    dimension = next((len(c.vector) for c in candidates if c.vector is not None), 1)
    nothing = np.zeros(dimension, dtype=np.float32)
    return np.stack([nothing if one.vector is None else one.vector for one in candidates])
