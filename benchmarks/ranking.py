"""The three paths to one ranking, side by side: painless, knn_score, HNSW; and faiss in process.

Each is timed from the vector to the hits, as `Recommender` asks: template, request, decoding.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import faiss
import numpy as np

from benchmarks.measure import Figure, Report, Seconds, Target, machine, ratio, take_turns, times
from benchmarks.measure import figure as figure_of
from benchmarks.node import running_node
from benchmarks.synthetic import (
    BOUNDS,
    CLUSTERS,
    NOISE,
    Catalogue,
    ensure_index,
    make_catalogue,
)
from seealso.cluster import Cluster
from seealso.indexer.graph import EF_SEARCHES
from seealso.log import progress
from seealso.query_templates import msearch, render
from seealso.types import Vector

SIZE = 10
WARM_UP = 5
WARM_QUERIES = 1000
"""HNSW queries before the timed ones: OpenSearch compiles what they run meanwhile."""

DEFAULT_EF = EF_SEARCHES[0]
HALF_EF = DEFAULT_EF // 2
PAINLESS, EXACT, FAISS = "painless", "knn_score", "faiss"
ANN, ANN_HALF = f"HNSW (ef_search {DEFAULT_EF})", f"HNSW (ef_search {HALF_EF})"

Ids = list[str]


class Paths:
    """The contenders over one index, by name; each returns ids, best first."""

    def __init__(self, cluster: Cluster, index: str, catalogue: Catalogue) -> None:
        self._cluster = cluster
        self._index = index
        faiss.omp_set_num_threads(1)
        self._flat = faiss.IndexFlatIP(catalogue.dimension)
        self._flat.add(catalogue.vectors)

    def painless(self, vector: Vector) -> Ids:
        """Rank by the reference script."""
        return self._ask("reference_cosine", {"vector": vector, "b": 0.0, "T": 1.0})

    def exact(self, vector: Vector) -> Ids:
        """Rank by ``knn_score``."""
        return self._ask("exact", {"vector": vector})

    def ann(self, vector: Vector, ef_search: int = DEFAULT_EF) -> Ids:
        """Rank by the HNSW graph."""
        return self._ask("ann", {"vector": vector, "k": SIZE, "ef_search": ef_search})

    def flat(self, vector: Vector) -> Ids:
        """Rank by faiss, one thread."""
        _, found = self._flat.search(vector[None], SIZE)
        return [str(number) for number in found[0]]

    def _ask(self, template: str, params: dict[str, Any]) -> Ids:
        return find_ids(self._cluster, self._index, template, params)


def find_ids(cluster: Cluster, index: str, template: str, params: Mapping[str, Any]) -> Ids:
    """Return the ids of the best items by a template, as a list asks for them."""
    body = msearch(index, [render(template, {"size": SIZE, **params})])
    (answer,) = cluster.request("POST", "/_msearch", body)["responses"]
    return [hit["_id"] for hit in answer["hits"]["hits"]]


def recall(found: Sequence[Ids], truth: Sequence[Ids]) -> Seconds:
    """Return the share of each true top ten that was found, shape (queries,)."""
    return np.array([len(set(f) & set(t)) / SIZE for f, t in zip(found, truth, strict=True)])


def compare(paths: Paths, queries: Vector, rounds: int) -> dict[str, Seconds]:
    """Time the contenders on the same queries."""

    def builder(search: Callable[[Vector], Ids]) -> Callable[[int], Ids]:
        return lambda turn: search(queries[turn % len(queries)])

    with progress("ranking", rounds + WARM_UP) as tick:
        return take_turns(
            {
                PAINLESS: builder(paths.painless),
                EXACT: builder(paths.exact),
                ANN: builder(paths.ann),
                ANN_HALF: builder(lambda vector: paths.ann(vector, HALF_EF)),
                FAISS: builder(paths.flat),
            },
            rounds,
            warm_up=WARM_UP,
            tick=tick,
        )


def warm_up(paths: Paths, queries: Vector) -> None:
    """Ask the graph until OpenSearch answers as quickly as it ever will."""
    with progress("warming up", WARM_QUERIES) as tick:
        for turn in range(WARM_QUERIES):
            paths.ann(queries[turn % len(queries)])
            tick(1)


def speed_figures(seconds: dict[str, Seconds], *, ann: Target | None) -> list[Figure]:
    """Return ratios first, then milliseconds."""
    return [
        ratio(
            "knn_score, times faster than painless",
            seconds[PAINLESS],
            seconds[EXACT],
            Target("at least", 5),
        ),
        ratio(f"{ANN}, times faster than knn_score", seconds[EXACT], seconds[ANN], ann),
        ratio(f"{ANN_HALF}, times faster than knn_score", seconds[EXACT], seconds[ANN_HALF]),
        ratio(
            "knn_score over HTTP, times the time of faiss flat in process",
            seconds[EXACT],
            seconds[FAISS],
            Target("at most", 2, "aim"),
        ),
        *(times(f"{name}, one query", each) for name, each in seconds.items()),
    ]


def recall_figures(paths: Paths, queries: Vector) -> list[Figure]:
    """Return recall@10 against faiss over the same vectors."""
    truth = [paths.flat(query) for query in queries]
    figures = [
        figure_of(
            "knn_score, recall@10 against faiss flat",
            "",
            [recall([paths.exact(query) for query in queries], truth).mean()],
        )
    ]
    for ef_search in (HALF_EF, DEFAULT_EF, 2 * DEFAULT_EF):
        found = [paths.ann(query, ef_search) for query in queries]
        target = Target("at least", 0.98) if ef_search == DEFAULT_EF else None
        what = f"HNSW, recall@10 with ef_search {ef_search}"
        figures.append(figure_of(what, "", [recall(found, truth).mean()], target))
    return figures


def rank(name: str, items: int, rounds: int, heap: str, ann: Target | None) -> Report:
    """Measure ranking on a synthetic catalogue of that many items."""
    catalogue = make_catalogue(items)
    with running_node(heap) as (cluster, facts):
        made = {
            "clusters": CLUSTERS,
            "noise": NOISE,
            "weights": f"lognormal, bounded to {list(BOUNDS)}",
        }
        return rank_catalogue(cluster, catalogue, name, machine(facts), made, rounds, ann)


def rank_catalogue(
    cluster: Cluster,
    catalogue: Catalogue,
    name: str,
    known: Mapping[str, Any],
    made: Mapping[str, Any],
    rounds: int,
    ann: Target | None,
) -> Report:
    """Measure ranking on a catalogue; `made` says how it was made, `known` where it is measured."""
    index, written = ensure_index(cluster, catalogue)
    paths = Paths(cluster, index, catalogue)
    warm_up(paths, catalogue.queries)
    seconds = compare(paths, catalogue.queries, rounds)
    figures = [*speed_figures(seconds, ann=ann), *recall_figures(paths, catalogue.queries)]
    return Report(
        name=name,
        title=f"Ranking {len(catalogue):,} x {catalogue.dimension}",
        setting={
            "items": len(catalogue),
            "dimension": catalogue.dimension,
            **made,
            "shards": 1,
            "segments": 1,
            "queries": len(catalogue.queries),
            "faiss_threads": 1,
            "hnsw_queries_before_the_timed_ones": WARM_QUERIES,
            **written,
        },
        machine=known,
        figures=tuple(figures),
    )


def run(items: int) -> Report:
    """Measure the paths on the small catalogue."""
    return rank("ranking", items, rounds=60, heap="2g", ann=None)
