"""What the graph of an index finds of the best items: for users as they are, and for items."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from seealso.cluster import Cluster, fetch
from seealso.config import Settings
from seealso.encoder import Bundle, History, average_contents
from seealso.errors import ClusterError
from seealso.indexer.documents import item_vector
from seealso.indexer.graph import EXPENSIVE, GraphRecall, graph_parameters, is_enough
from seealso.query_templates import render
from seealso.readers import Histories
from seealso.types import Path, User, Vector

ITEMS: Final = 20
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

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the search for its best items."""
        left_out = {"exclude": self.exclude} if self.exclude else {}
        return {"vector": self.vector, "size": BEST, "source": ["item_id"], **left_out}


def sample_documents(
    cluster: Cluster, name: str, size: int, *, source: Sequence[str] = ("*",)
) -> list[dict[str, Any]]:
    """Return so many documents that have a vector, the same while none is written."""
    body = {
        "size": size,
        "_source": [*source],
        "query": {
            "function_score": {
                "query": {"exists": {"field": "vector"}},
                "random_score": {"seed": 17, "field": "_seq_no"},
            }
        },
    }
    answer = cluster.request("POST", f"/{name}/_search", body, whole=True)
    return list(answer["hits"]["hits"])


def ask_for_items(vectors: Vector, bundle: Bundle) -> list[Question]:
    """Return questions for the items that are like `ITEMS` of E_i, shape (n, dimension)."""
    return [Question(bundle.item_query(vector)) for vector in vectors[:ITEMS]]


def ask_for_words(vectors: Vector, bundle: Bundle) -> list[Question]:
    """Return questions for the best items of somebody who says what is in an item, no more.

    Without behaviour in its vectors an index is asked the same for an item: then there are none.
    """
    if bundle.collaborative is None:
        return []
    words = bundle.content_vectors(vectors[:ITEMS])
    nothing = [History.of((), {})] * len(words)
    levels = np.zeros(len(words), dtype=np.float32)
    asking = bundle.user_vectors(words, vectors[:0], nothing, levels)
    return [Question(vector) for vector in asking if vector.any()]


def without_exclusions(questions: Sequence[Question]) -> list[Question]:
    """Return the same questions for all items: within a filter, OpenSearch may rank exactly."""
    return [replace(one, exclude=()) for one in questions]


def ask_for_users(
    cluster: Cluster,
    name: str,
    bundle: Bundle,
    events: Callable[[], Iterable[pl.DataFrame]],
    settings: Settings,
) -> list[Question]:
    """Return questions for the best items of some users, without those that they have seen.

    Parameters
    ----------
    cluster, name
        The index.
    bundle
        It was built with.
    events
        Returns the event frames, of which some users are taken.
    settings
        ``profile`` and ``events.positive`` are used.

    Returns
    -------
    list of Question
        `USERS` of them; fewer, or none, where so few chose an item of the index.
    """
    users = _choose_users(events, settings.events.positive)
    questions: list[Question] = []
    while users and len(questions) < USERS:
        questions += _ask_for(cluster, name, users[:USERS], bundle, settings)
        users = users[USERS:]
    return questions[:USERS]


def measure_recall(
    cluster: Cluster,
    name: str,
    kinds: Sequence[Sequence[Question]],
    ef_searches: Sequence[int],
    *,
    rounded: bool,
) -> GraphRecall:
    """Return which share of the ten exact best items the graph of an index finds.

    Of several kinds of questions, the share is that of the kind it finds least of: one that it
    answers well says nothing of the others.

    Parameters
    ----------
    cluster, name
        The index.
    kinds
        What is looked for.
    ef_searches
        Candidates that are examined in each segment, tried until `is_enough`.
    rounded
        Whether the graph has rounded vectors.

    Returns
    -------
    GraphRecall
        Without a share where the cluster allows no exact search, which would tell.
    """
    exact = _find_exactly(cluster, name, kinds)
    share = 1.0
    for ef_search in ef_searches:
        graph = graph_parameters(BEST, ef_search, rounded=rounded)
        # where nothing tells what it misses, the graph is asked all the same: it must answer
        near = [
            [_scores(cluster, name, Path.ANN, {**one.params, **graph}) for one in questions]
            for questions in kinds
        ]
        if exact is None:
            return GraphRecall(None, ef_search)
        share = min(map(_share_found, near, exact), default=1.0)
        if is_enough(share, ef_search):
            break
    return GraphRecall(share, ef_search)


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


def _find_exactly(
    cluster: Cluster, name: str, kinds: Sequence[Sequence[Question]]
) -> list[list[list[float]]] | None:
    """Return the scores of the best items of each question; None where no script may rank."""
    try:
        return [
            [_scores(cluster, name, Path.EXACT, one.params) for one in questions]
            for questions in kinds
        ]
    except ClusterError as exc:
        if EXPENSIVE not in exc.message:
            raise
        return None


def _share_found(near: Sequence[Sequence[float]], exact: Sequence[Sequence[float]]) -> float:
    total = sum(map(len, exact))
    return sum(map(_count_found, near, exact)) / total if total else 1.0


def _count_found(near: Sequence[float], exact: Sequence[float]) -> int:
    """Count by score, not by id: of items with the same text, any is as good as the other."""
    return sum(score >= exact[-1] - SAME_SCORE for score in near) if exact else 0


def _scores(cluster: Cluster, name: str, path: Path, params: Mapping[str, Any]) -> list[float]:
    answer = cluster.request("POST", f"/{name}/_search", render(path.value, params), whole=True)
    return [hit["_score"] for hit in answer["hits"]["hits"]]
