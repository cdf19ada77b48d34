"""An index of many items, made of few: written, merged, asked by its graph and exactly, changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, Final, Literal

import numpy as np

from benchmarks.measure import Figure, figure, ratio, take_turns, times
from benchmarks.ranking import SIZE, Ids, find_ids, recall
from benchmarks.synthetic import Catalogue, fresh_index, multiply, ranked_document
from seealso.cluster import BulkWriter, Cluster, indices
from seealso.cluster.merging import merge_segments
from seealso.config import IndexSettings
from seealso.indexer.graph import EF_SEARCHES, graph_parameters
from seealso.indexer.memory import graph_bytes
from seealso.indexer.refresh import rescaling
from seealso.log import progress
from seealso.types import Vector

Bits = Literal[7, 32]

ROUNDS: Final = 60
WARM_UP: Final = 300
CLIENTS: Final = 4
AGAIN: Final = 5
"""How often these clients ask every query."""
CHANGED: Final = 0.01
"""Share of the items that an update writes again."""


@dataclass(frozen=True)
class Large:
    """What is indexed and asked for.

    Attributes
    ----------
    few
        The films, and the vectors of their users.
    items
        How many are made of them.
    """

    few: Catalogue
    items: int

    def parts(self) -> Iterator[tuple[int, Vector, Vector]]:
        """Make number of the first item, vectors and weights, part by part."""
        start = 0
        for vectors, weights in multiply(self.few, self.items):
            yield start, vectors, weights
            start += len(vectors)


def find_best(large: Large) -> list[Ids]:
    """Return the exact best items of each query."""
    queries = large.few.queries
    scores, ids = np.empty((len(queries), 0)), np.empty((len(queries), 0), dtype=int)
    with progress("the exact best", large.items) as tick:
        for start, vectors, _ in large.parts():
            here = np.tile(np.arange(start, start + len(vectors)), (len(queries), 1))
            scores, ids = np.hstack([scores, queries @ vectors.T]), np.hstack([ids, here])
            best = np.argsort(-scores, axis=1)[:, :SIZE]
            scores, ids = (np.take_along_axis(one, best, axis=1) for one in (scores, ids))
            tick(len(vectors))
    return [[str(number) for number in row] for row in ids]


class Index:
    """One index of the items, and what is measured over it."""

    def __init__(self, cluster: Cluster, large: Large, truth: Sequence[Ids], bits: Bits) -> None:
        self._cluster, self._large, self._truth, self._bits = cluster, large, truth, bits
        self.name = f"sizes-{bits}"
        self._words = f"{bits} bits"

    def write(self) -> list[Figure]:
        """Create and load it."""
        dimension = self._large.few.dimension
        fresh_index(self._cluster, self.name, {}, dimension, self._bits)
        started = perf_counter()
        with progress(f"writing, {self._words}", self._large.items) as tick, self._writer() as out:
            for start, vectors, weights in self._large.parts():
                for row, vector in enumerate(vectors):
                    body = ranked_document(start + row, vector, weights[row])
                    out.index(body["item_id"], body)
                tick(len(vectors))
        indices.refresh(self._cluster, self.name)
        seconds = perf_counter() - started
        memory = graph_bytes(self._large.items, dimension, self._settings())
        return [
            figure(f"{self._words}: written, documents a second", "1/s", [len(self) / seconds]),
            figure(f"{self._words}: graph in memory, GiB", "", [memory / 2**30]),
        ]

    def merge(self, segments: int) -> list[Figure]:
        """Merge it to at most so many segments."""
        before = self.segments()
        with progress(f"merging {before} segments to {segments}, {self._words}"):
            started = perf_counter()
            merge_segments(self._cluster, self.name, segments)
            indices.refresh(self._cluster, self.name)
            seconds = perf_counter() - started
        what = f"{self._words}: {before} segments merged to {self.segments()}, seconds"
        return [figure(what, "", [seconds])]

    def measure(self) -> list[Figure]:
        """Ask for the users, by the graph and exactly."""
        queries = self._large.few.queries
        with progress(f"warming up, {self._words}", WARM_UP) as tick:
            for turn in range(WARM_UP):
                self.ann(queries[turn % len(queries)], EF_SEARCHES[0])
                tick(1)
        ways: dict[str, Callable[[int], object]] = {
            f"ef_search {one}": partial(self._ask_in_turn, one) for one in EF_SEARCHES
        }
        ways["exact"] = lambda turn: self.exact(queries[turn % len(queries)])
        seconds = take_turns(ways, ROUNDS, warm_up=3)
        state = f"{self._words}, {self.segments()} segments"
        figures = [times(f"{state}, exact: one query", seconds["exact"])]
        for ef_search in EF_SEARCHES:
            found = recall([self.ann(query, ef_search) for query in queries], self._truth)
            name = f"ef_search {ef_search}"
            figures += [
                figure(f"{state}, {name}: recall@10", "", [found.mean()]),
                times(f"{state}, {name}: one query", seconds[name]),
                ratio(f"{state}, {name}: times faster than exact", seconds["exact"], seconds[name]),
                figure(f"{state}, {name}: {CLIENTS} clients", "1/s", [self._rate(ef_search)]),
            ]
        return figures

    def _ask_in_turn(self, ef_search: int, turn: int) -> Ids:
        queries = self._large.few.queries
        return self.ann(queries[turn % len(queries)], ef_search)

    def _rate(self, ef_search: int) -> float:
        """Return how many queries a second several clients get answered."""
        queries = self._large.few.queries
        started = perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            asked = [*pool.map(lambda query: self.ann(query, ef_search), [*queries] * AGAIN)]
        return len(asked) / (perf_counter() - started)

    def change(self) -> list[Figure]:
        """Write some items again, then give as many a new importance."""
        count = round(CHANGED * self._large.items)
        _, vectors, weights = next(self._large.parts())
        chosen = np.arange(count) % len(vectors)
        started = perf_counter()
        with progress("updating"), self._writer() as out:
            for number, row in enumerate(chosen):
                body = ranked_document(number, vectors[row], weights[row])
                out.index(body["item_id"], body)
        indices.refresh(self._cluster, self.name)
        updated = perf_counter() - started
        params = {"interactions": 1, "tail": False, "weigh": True, "cold_coordinate": None}
        started = perf_counter()
        with progress("refreshing importance"), self._writer(500_000) as out:
            for number, row in enumerate(chosen):
                weight = {"importance": float(weights[row])}
                out.update(str(number), rescaling({**params, **weight}))
        indices.refresh(self._cluster, self.name)
        refreshed = perf_counter() - started
        return [
            figure(f"{self._words}: update of {count:,}, a second", "1/s", [count / updated]),
            figure(f"{self._words}: importance of {count:,}, a second", "1/s", [count / refreshed]),
        ]

    def drop(self) -> None:
        """Delete it."""
        indices.delete(self._cluster, self.name)

    def segments(self) -> int:
        """Return how many segments it has."""
        return int(self._stats("segments")["count"])

    def disk(self) -> list[Figure]:
        """Return what it takes on the disk."""
        size = self._stats("store")["size_in_bytes"] / 2**30
        return [figure(f"{self._words}, {self.segments()} segments: disk, GiB", "", [size])]

    def ann(self, vector: Vector, ef_search: int) -> Ids:
        """Return the best items by its graph, as a list asks for them."""
        rounded = self._settings().rounded
        return self._ask("ann", vector, graph_parameters(SIZE, ef_search, rounded=rounded))

    def exact(self, vector: Vector) -> Ids:
        """Return the best items by scoring all."""
        return self._ask("exact", vector, {})

    def __len__(self) -> int:
        return self._large.items

    def _ask(self, template: str, vector: Vector, params: Mapping[str, Any]) -> Ids:
        return find_ids(self._cluster, self.name, template, {"vector": vector, **params})

    def _stats(self, part: str) -> dict[str, Any]:
        answer = self._cluster.request("GET", f"/{self.name}/_stats/{part}")
        found: dict[str, Any] = answer["_all"]["primaries"][part]
        return found

    def _settings(self) -> IndexSettings:
        return IndexSettings(vector_bits=self._bits)

    def _writer(self, chunk_bytes: int = 4_000_000) -> BulkWriter:
        threads = IndexSettings().threads
        return BulkWriter(self._cluster, self.name, threads=threads, chunk_bytes=chunk_bytes)
