"""Whether lists come from the graph of an index: by what it costs, and by what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from seealso.config import WHOLE_BITS, RecommendSettings
from seealso.types import Path

EXACT_LIMIT: Final = 20_000
"""Documents up to which ``auto`` ranks exactly: there it costs about as much as the graph."""

EXACT_GROUP_LIMIT: Final = 100_000
"""Documents times members up to which a group's list is ranked exactly where vectors hold
behaviour: an item that nobody likes most is in nobody's own list."""

LEAST_RECALL: Final = 0.95
"""Of the ten best items, a graph that ranks must find this share."""

ENOUGH_RECALL: Final = 0.98
"""With a share of this, a graph is asked no more thoroughly."""

EF_SEARCHES: Final = (200, 400, 800, 1600, 3200, 6400)
"""Candidates that are examined in each segment: a build tries one after the other until the graph
finds enough."""

MANY_CANDIDATES: Final = 1600
"""From here on, `LEAST_RECALL` is enough: more candidates only where all items would be scored."""

OVERSAMPLING: Final = 3
"""Items found by rounded vectors, and compared again with whole ones, for each place of a list."""

EXPENSIVE: Final = "search.allow_expensive_queries"
"""The cluster's setting without which no script ranks, and so nothing is searched exactly."""


@dataclass(frozen=True, slots=True)
class GraphRecall:
    """What a graph finds, and how thoroughly it is asked for that.

    Attributes
    ----------
    share
        Of the best items; None where that is not known.
    ef_search
        Candidates that are examined for it in each segment.
    """

    share: float | None = None
    ef_search: int = EF_SEARCHES[0]

    @property
    def misses(self) -> bool:
        """Whether it finds too little to rank."""
        return misses(self.share)

    def and_also(self, other: "GraphRecall") -> "GraphRecall":
        """Return what is found of both kinds, asked as thoroughly as both need."""
        known = [one.share for one in (self, other) if one.share is not None]
        return GraphRecall(min(known, default=None), max(self.ef_search, other.ef_search))


def exact_limit(own: int | None) -> int:
    """Return how many documents path ``auto`` scores exactly at most; above, the graph ranks.

    Parameters
    ----------
    own
        ``recommend.exact_limit``, or that of a list.
    """
    return EXACT_LIMIT if own is None else own


def graph_ranks(settings: RecommendSettings, documents: int, recall: float | None) -> bool:
    """Return whether lists come from the graph of an index, or every document is scored.

    Parameters
    ----------
    settings
        ``path`` and ``exact_limit`` are used.
    documents
        How many the index has.
    recall
        What share of the best items its graph finds; None where that is not known.
    """
    if settings.path != "auto":
        return settings.path == Path.ANN
    return documents > exact_limit(settings.exact_limit) and not misses(recall)


def misses(recall: float | None) -> bool:
    """Return whether a graph finds too little to rank."""
    return recall is not None and recall < LEAST_RECALL


def is_enough(recall: float, ef_search: int) -> bool:
    """Return whether a graph that finds this much is asked no more thoroughly than it was."""
    return recall >= (ENOUGH_RECALL if ef_search < MANY_CANDIDATES else LEAST_RECALL)


def is_rounded(meta: Mapping[str, Any]) -> bool:
    """Return whether the graph of an index has rounded vectors, by what the index says of itself.

    Its scores are nearly right, as its order is.
    """
    return int(meta.get("vector_bits", WHOLE_BITS)) < WHOLE_BITS


def recall_for_users(meta: Mapping[str, Any]) -> GraphRecall:
    """Return what the graph of an index finds for users, by what the index says of itself."""
    return GraphRecall(meta.get("graph_recall"), int(meta.get("ef_search", EF_SEARCHES[0])))


def recall_for_items(meta: Mapping[str, Any]) -> GraphRecall:
    """Return what it finds for an item or for words, by the same."""
    if "item_ef_search" not in meta:
        # an index of an earlier version is asked alike for both
        return recall_for_users(meta)
    return GraphRecall(meta["item_recall"], int(meta["item_ef_search"]))


def graph_parameters(size: int, ef_search: int, *, rounded: bool) -> dict[str, int]:
    """Return how the graph is searched for the best items.

    Parameters
    ----------
    size
        How many.
    ef_search
        Candidates examined in each segment, at least.
    rounded
        Whether the graph has rounded vectors: more than `size` are found, and compared again.
    """
    found = OVERSAMPLING * size if rounded else size
    again = {"rescore": found} if rounded else {}
    return {"k": found, "ef_search": max(ef_search, found), **again}
