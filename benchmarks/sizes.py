"""An index of joined vectors at sizes where memory and merging count: films, multiplied.

Whole vectors and rounded ones, one index after the other; each as it was written, merged to a few
segments, and merged to one. Beside it, in process, an HNSW graph of faiss over the same vectors.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from time import perf_counter
from typing import Final

import click
import faiss

from benchmarks.joined import QUERIES, read_catalogue
from benchmarks.large_index import ROUNDS, Bits, Index, Large, find_best
from benchmarks.many import RECIPE, film_index
from benchmarks.measure import Figure, Report, figure, take_turns, times
from benchmarks.ranking import SIZE, Ids, recall
from benchmarks.synthetic import VARIETY
from seealso.cluster import Cluster
from seealso.config import ROUNDED_BITS, WHOLE_BITS, IndexSettings
from seealso.fitting.recipe import Recipe
from seealso.indexer.graph import EF_SEARCHES
from seealso.log import progress
from seealso.plugin import Recommender

MERGED: Final[Mapping[Bits, Sequence[int]]] = {WHOLE_BITS: (4, 2, 1), ROUNDED_BITS: (4,)}
"""Segments that a million is merged to, one after the other, by the bits of a number."""
FAISS_LIMIT: Final = 2_000_000
"""Items up to which the graph of faiss is built, beside everything else, in memory."""
SHORT_TEXTS: Final = 96
SHORT_FACTORS: Final = 64
"""Numbers of a text and of behaviour in the vectors of ten million items."""
FLAT, GRAPH = "faiss flat", "faiss HNSW"


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
