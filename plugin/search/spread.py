"""How far a user's preferences spread over the catalogue, from a sample of its items.

The similarities of one model may lie within 0.05 of each other, those of another within 0.2.
Counted in standard deviations they are comparable, so that one weight suits both.
"""

from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from seealso.cluster import Cluster
from seealso.plugin.serving import Live
from seealso.types import Space, Vector

SAMPLE = 256
"""Items in a sample: it gives the spread to about 5 %."""

LEAST = 1e-6
"""A smaller spread is that of items that are all alike: none is preferred."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation of x = w * similarity over the catalogue."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of the items of an index.

    Attributes
    ----------
    space
        Similarity of the index.
    vectors
        As they are stored, shape (n, dimension).
    importance
        w_i, shape (n,).
    """

    space: Space
    vectors: Vector
    importance: Vector

    def spread(self, vector: Vector) -> Spread:
        """Return how x of a user with E_u = `vector`, shape (dimension,), spreads."""
        if not len(self.vectors):
            return Spread(0.0, 0.0)
        if self.space is Space.COSINE:
            x = self.vectors @ vector
        else:
            order = 2 if self.space is Space.EUCLIDEAN else 1
            distances = np.linalg.norm(self.vectors - vector, ord=order, axis=1)
            x = self.importance / (1.0 + distances)
        return Spread(float(x.mean()), float(x.std()))


@dataclass
class Samples:
    """Samples of the live index, each read once for each state of it.

    Attributes
    ----------
    cluster
        Where the index is.
    """

    cluster: Cluster
    _samples: dict[str, Sample] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, live: Live) -> Sample:
        """Return a sample of the items of `live` that have a vector."""
        with self._lock:
            if live.generation not in self._samples:
                self._samples = {live.generation: self._read(live)}
            return self._samples[live.generation]

    def _read(self, live: Live) -> Sample:
        # the same items each time, so that two processes make the same body
        chance = {"random_score": {"seed": 17, "field": "_seq_no"}}
        body = {
            "size": SAMPLE,
            "_source": ["vector", "importance"],
            "query": {"function_score": {"query": {"exists": {"field": "vector"}}, **chance}},
        }
        answer = self.cluster.request("POST", f"/{live.name}/_search", body)
        found = [hit["_source"] for hit in answer["hits"]["hits"]]
        dimension = live.encoder.bundle.dimension
        vectors = np.array([one["vector"] for one in found], dtype=np.float32)
        weights = np.array([one.get("importance", 1.0) for one in found], dtype=np.float32)
        return Sample(live.space, vectors.reshape(-1, dimension), weights)
