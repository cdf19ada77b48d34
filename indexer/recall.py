"""What the graph of an index finds of the best items: for users as they are, and for items."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from seealso.cluster import Cluster, fetch
from seealso.config import Settings
from seealso.encoder import Bundle, History, average_contents
from seealso.errors import ClusterError
from seealso.indexer.documents import item_vector
from seealso.indexer.graph import EXPENSIVE, graph_parameters
from seealso.query_templates import render
from seealso.readers import Histories
from seealso.types import Path, User, Vector

ITEMS: Final = 8
"""Items whose neighbours are searched."""

USERS: Final = 20
"""Users whose best items are searched: 200 items, so that a share of .95 is known to .015."""

CANDIDATES: Final = 10 * USERS
"""Users of whom these are taken: some know nothing that the index holds."""

BEST: Final = 10
"""Of the best items, so many are looked for."""

SAME_SCORE: Final = 1e-5
"""Scores are 32-bit sums, which the two paths add up in different orders."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the graph is asked: the vector of a user or an item, and the ids of items left out."""

    vector: Vector
    exclude: Sequence[str] = ()


def measure_recall(
    cluster: Cluster, name: str, vectors: Vector, settings: Settings, *, rounded: bool
) -> float | None:
    """Return which share of the ten items nearest to an item the graph of an index finds.

    Parameters
    ----------
    cluster, name
        The index.
    vectors
        E_i of a sample, shape (n, dimension); the first `ITEMS` are asked about.
    settings
        ``recommend.ef_search`` is used.
    rounded
        Whether the graph has rounded vectors.

    Returns
    -------
    float or None
        None where the cluster allows no exact search.
    """
    graph = graph_parameters(BEST, settings.recommend.ef_search, rounded=rounded)
    return _find_share(cluster, name, map(Question, vectors[:ITEMS]), graph)


def measure_user_recall(
    cluster: Cluster,
    name: str,
    bundle: Bundle,
    events: Callable[[], Iterable[pl.DataFrame]],
    settings: Settings,
    *,
    rounded: bool,
) -> float | None:
    """Return which share of the ten best items of a user the graph of an index finds.

    Items that they have seen are left out, as in their lists.

    Parameters
    ----------
    cluster, name
        The index.
    bundle
        It was built with.
    events
        Returns the event frames, of which some users are taken.
    settings
        ``profile``, ``events.positive`` and ``recommend.ef_search`` are used.
    rounded
        Whether the graph has rounded vectors.

    Returns
    -------
    float or None
        None where the cluster allows no exact search, or no user chose an item of the index.
    """
    users = _choose_users(events, settings.events.positive)
    questions: list[Question] = []
    while users and len(questions) < USERS:
        questions += _ask_for(cluster, name, users[:USERS], bundle, settings)
        users = users[USERS:]
    graph = graph_parameters(BEST, settings.recommend.ef_search, rounded=rounded)
    return _find_share(cluster, name, questions[:USERS], graph) if questions else None


def _choose_users(
    events: Callable[[], Iterable[pl.DataFrame]], positive: float | None
) -> list[User]:
    """Return candidates: some users of the first events, with all of their history."""
    first = next(iter(events()), None)
    if first is None:
        return []
    ids = first["user_id"].drop_nulls().unique(maintain_order=True)
    chosen = ids.gather_every(max(1, len(ids) // CANDIDATES)).head(CANDIDATES).to_list()
    histories = Histories.from_events(events(), positive=positive, users=chosen)
    return [user for one in chosen if (user := histories.user(one)) is not None]


def _ask_for(
    cluster: Cluster, name: str, users: Sequence[User], bundle: Bundle, settings: Settings
) -> list[Question]:
    """Return the question of each user of whom the index knows an item."""
    most = settings.profile.history_items
    recent = [[one.item_id for one in user.history[:most]] for user in users]
    known = _read_vectors(cluster, name, {one for ids in recent for one in ids}, bundle)
    place = {item_id: row for row, item_id in enumerate(known)}
    items = np.array([*known.values()], dtype=np.float32).reshape(-1, bundle.dimension)
    histories = [History.of(ids, place) for ids in recent]
    contents = bundle.content_vectors(items)
    texts = average_contents(contents, histories, settings.profile.recency)
    levels = [bundle.boosts(ids, range(len(ids))).entry_level for ids in recent]
    vectors = bundle.user_vectors(texts, items, histories, np.array(levels))
    return [
        Question(vector, sorted(user.seen))
        for user, vector in zip(users, vectors, strict=True)
        if vector.any()
    ]


def _read_vectors(
    cluster: Cluster, name: str, ids: Iterable[str], bundle: Bundle
) -> dict[str, Vector]:
    """Return E_i of those items that have one."""
    documents = fetch(cluster, name, sorted(ids), source=["vector"])
    vectors = {one: item_vector(hit["_source"], bundle) for one, hit in documents.items()}
    return {one: vector for one, vector in vectors.items() if vector is not None}


def _find_share(
    cluster: Cluster, name: str, questions: Iterable[Question], graph: Mapping[str, int]
) -> float | None:
    """Return which share of the exact best items the graph finds, or None where none may be asked.

    The graph itself is asked in any case.
    """
    found = exact_hits = 0
    for question in questions:
        params: dict[str, Any] = {
            "vector": question.vector,
            "size": BEST,
            "source": ["item_id"],
        }
        if question.exclude:
            params["exclude"] = question.exclude
        try:
            near = _scores(cluster, name, Path.ANN, {**params, **graph})
            exact = _scores(cluster, name, Path.EXACT, params)
        except ClusterError as exc:
            if EXPENSIVE not in exc.message:
                raise
            return None
        exact_hits += len(exact)
        # by score, not by id: of items with the same text, any is as good as the other
        found += sum(score >= exact[-1] - SAME_SCORE for score in near)
    return found / exact_hits if exact_hits else 1.0


def _scores(cluster: Cluster, name: str, path: Path, params: Mapping[str, Any]) -> list[float]:
    answer = cluster.request("POST", f"/{name}/_search", render(path.value, params), whole=True)
    return [hit["_score"] for hit in answer["hits"]["hits"]]
