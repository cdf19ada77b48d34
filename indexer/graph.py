"""What the graph of an index finds of the exact neighbours, and whether lists come from it."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from seealso.cluster import Cluster
from seealso.config import RecommendSettings
from seealso.encoder import Bundle, History
from seealso.encoder.projection import unit_rows
from seealso.errors import ClusterError
from seealso.query_templates import render
from seealso.types import Path, Vector

EXACT_LIMIT = 20_000
"""Documents up to which ``auto`` ranks exactly."""

COLLABORATIVE_LIMIT = 100_000
"""The same where vectors hold behaviour: docs/decisions/0005."""

LEAST_RECALL = 0.9
"""Of the ten exact neighbours of the sample, a graph that ranks must find this share."""

PROBES = 8
"""Vectors whose neighbours are searched."""

EXPENSIVE = "search.allow_expensive_queries"
"""The cluster's setting without which no script ranks, and so nothing is searched exactly."""

SAME_SCORE = 1e-5
"""Scores are 32-bit sums, which the two paths add up in different orders."""

ITEMS_PER_USER = 5
"""Items that each user chose who is made up to ask the graph."""


def exact_limit(own: int | None, *, collaborative: bool) -> int:
    """Return how many documents path ``auto`` scores exactly at most; above, the graph ranks.

    Parameters
    ----------
    own
        ``recommend.exact_limit``, or that of a list.
    collaborative
        Whether vectors hold behaviour.
    """
    return (COLLABORATIVE_LIMIT if collaborative else EXACT_LIMIT) if own is None else own


def graph_ranks(settings: RecommendSettings, documents: int, *, collaborative: bool) -> bool:
    """Return whether lists come from the graph of an index, or every document is scored.

    Parameters
    ----------
    settings
        ``path`` and ``exact_limit`` are used.
    documents
        How many the index has.
    collaborative
        Whether vectors hold behaviour.
    """
    if settings.path != "auto":
        return settings.path == Path.ANN
    # the graph of texts gives the candidates of groups in an index of any size
    return not collaborative or documents > exact_limit(settings.exact_limit, collaborative=True)


def measure_recall(cluster: Cluster, name: str, vectors: Vector) -> float | None:
    """Return which share of the ten items nearest to an item the graph of an index finds.

    Parameters
    ----------
    cluster, name
        The index.
    vectors
        E_i of a sample, shape (n, dimension); the first `PROBES` are asked about.

    Returns
    -------
    float or None
        None where the cluster allows no exact search.
    """
    return _find_share(cluster, name, vectors[:PROBES])


def measure_user_recall(
    cluster: Cluster, name: str, bundle: Bundle, vectors: Vector
) -> float | None:
    """Return the same for users who are made up from items of the sample."""
    return _find_share(cluster, name, _make_users(bundle, vectors))


def _make_users(bundle: Bundle, vectors: Vector) -> Vector:
    """Return E_u of users who each chose a few of the items whose vectors are given."""
    chosen = vectors[: PROBES * ITEMS_PER_USER]
    starts = range(ITEMS_PER_USER, len(chosen), ITEMS_PER_USER)
    parts = np.split(np.arange(len(chosen)), starts)
    contents = bundle.content_vectors(chosen)
    texts = unit_rows(np.stack([contents[rows].sum(axis=0) for rows in parts]))
    histories = [History(rows, np.arange(len(rows))) for rows in parts]
    levels = np.zeros(len(parts), dtype=np.float32)
    users = bundle.user_vectors(texts, chosen, histories, levels)
    return users[users.any(axis=1)]


def _find_share(cluster: Cluster, name: str, vectors: Iterable[Vector]) -> float | None:
    """Return which share of the exact neighbours the graph finds, or None where none may be asked.

    The graph itself is asked in any case.
    """
    found = exact_hits = 0
    for vector in vectors:
        params = {"vector": vector, "size": 10, "k": 10, "ef_search": 100, "source": ["item_id"]}
        near = _scores(cluster, name, "ann", params)
        try:
            exact = _scores(cluster, name, "exact", params)
        except ClusterError as exc:
            if EXPENSIVE not in exc.message:
                raise
            return None
        exact_hits += len(exact)
        # by score, not by id: of items with the same text, any is as good as the other
        found += sum(score >= exact[-1] - SAME_SCORE for score in near)
    return found / exact_hits if exact_hits else 1.0


def _scores(cluster: Cluster, name: str, path: str, params: Mapping[str, Any]) -> list[float]:
    answer = cluster.request("POST", f"/{name}/_search", render(path, params), whole=True)
    return [hit["_score"] for hit in answer["hits"]["hits"]]
