"""An index of joined vectors at sizes where memory and merging count: films, multiplied.

Whole vectors and rounded ones, one index after the other; each as it was written, merged to a few
segments, and merged to one. Beside it, in process, an HNSW graph of faiss over the same vectors.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any, Final, Literal

import click
import faiss
import numpy as np

from benchmarks.joined import QUERIES, read_catalogue
from benchmarks.many import RECIPE, film_index
from benchmarks.measure import Figure, Report, figure, ratio, take_turns, times
from benchmarks.ranking import SIZE, Ids, find_ids, recall
from benchmarks.synthetic import VARIETY, Catalogue, fresh_index, multiply, ranked_document
from seealso.cluster import BulkWriter, Cluster, indices
from seealso.cluster.merging import merge_segments
from seealso.config import ROUNDED_BITS, WHOLE_BITS, IndexSettings
from seealso.fitting.recipe import Recipe
from seealso.indexer.graph import EF_SEARCHES, graph_parameters
from seealso.indexer.memory import graph_bytes
from seealso.indexer.refresh import rescaling
from seealso.log import progress
from seealso.plugin import Recommender
from seealso.types import Vector

Bits = Literal[7, 32]

ROUNDS: Final = 60
WARM_UP: Final = 300
MERGED: Final[Mapping[Bits, Sequence[int]]] = {WHOLE_BITS: (4, 2, 1), ROUNDED_BITS: (4,)}
"""Segments that a million is merged to, one after the other, by the bits of a number."""
CLIENTS: Final = 4
AGAIN: Final = 5
"""How often these clients ask every query."""
CHANGED: Final = 0.01
"""Share of the items that an update writes again."""
FAISS_LIMIT: Final = 2_000_000
"""Items up to which the graph of faiss is built, beside everything else, in memory."""
SHORT_TEXTS: Final = 96
SHORT_FACTORS: Final = 64
"""Numbers of a text and of behaviour in the vectors of ten million items."""
FLAT, GRAPH = "faiss flat", "faiss HNSW"


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


def measure_faiss(large: Large, truth: Sequence[Ids]) -> list[Figure]:
    """Build a graph in process, and ask it and a scan of its vectors, with one thread."""
    own = IndexSettings()
    graph = faiss.IndexHNSWFlat(large.few.dimension, own.m, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = own.ef_construction, EF_SEARCHES[0]
    faiss.omp_set_num_threads(2)
    started = perf_counter()
    with progress(GRAPH, large.items) as tick:
        for _, vectors, _ in large.parts():
            graph.add(vectors)
            tick(len(vectors))
    built = perf_counter() - started
    faiss.omp_set_num_threads(1)
    queries = large.few.queries
    ways = {
        GRAPH: lambda turn: graph.search(queries[turn % len(queries)][None], SIZE),
        FLAT: lambda turn: graph.storage.search(queries[turn % len(queries)][None], SIZE),
    }
    seconds = take_turns(ways, ROUNDS, warm_up=3)
    found = [[str(number) for number in row] for row in graph.search(queries, SIZE)[1]]
    return [
        figure(f"{GRAPH}, 2 threads: vectors a second", "1/s", [large.items / built]),
        figure(f"{GRAPH}: recall@10", "", [recall(found, truth).mean()]),
        *(times(f"{name}: one query", seconds[name]) for name in ways),
    ]


def measure_sizes(
    large: Large, cluster: Cluster, merged: Mapping[Bits, Sequence[int]]
) -> Iterator[Figure]:
    """Measure one index after the other, `merged` as in `MERGED`; only one is on the disk."""
    truth = find_best(large)
    for bits, fewer in merged.items():
        index = Index(cluster, large, truth, bits)
        yield from index.write()
        yield from index.measure()
        for segments in fewer:
            if index.segments() > segments:
                yield from index.merge(segments)
                yield from index.measure()
        yield from index.disk()
        yield from index.change()
        index.drop()
    if large.items <= FAISS_LIMIT:
        yield from measure_faiss(large, truth)


def run(items: int) -> Report:
    """Measure ten times as many items as the small catalogue has (a million as a rule)."""
    return _run("joined million", 10 * items, MERGED, RECIPE, None)


def run_ten_million(items: int) -> Report:
    """Measure a hundred times as many, with vectors that leave room for them on a small disk."""
    short = replace(RECIPE, factors=SHORT_FACTORS)
    return _run("ten million", 100 * items, {ROUNDED_BITS: ()}, short, SHORT_TEXTS)


def _run(
    name: str,
    items: int,
    merged: Mapping[Bits, Sequence[int]],
    recipe: Recipe,
    dimension: int | None,
) -> Report:
    with film_index("6g", recipe, dimension) as (cluster, settings, histories, known):
        recommender = Recommender(cluster, settings, histories)
        users = [recommender.user(one) for one in islice(histories.users(), QUERIES)]
        large = Large(read_catalogue(cluster, recommender.live, users), items)
        figures = []
        for each in measure_sizes(large, cluster, merged):
            # hours may lie between two of them
            click.echo(f"{each.what}: {each.median:.4g} {each.unit}", err=True)
            figures.append(each)
    few = large.few
    return Report(
        name=name,
        title=f"Joined vectors, {items:,} x {few.dimension}",
        setting={
            "items": items,
            "dimension": few.dimension,
            "films": len(few),
            "noise": VARIETY,
            "queries": f"{len(few.queries)} users of the films",
            "shards": 1,
            "writing_threads": IndexSettings().threads,
        },
        machine=known,
        figures=tuple(figures),
    )
