"""What the checks of an index found, and what the index is to say of its graph."""

from dataclasses import dataclass
from typing import Any

from seealso.indexer.graph import EF_SEARCHES, EXPENSIVE, misses
from seealso.wording import format_count


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked and what came out.

    Attributes
    ----------
    index
        Its name.
    documents, sample
        Of the index, and how many of them were encoded again.
    least_cosine
        Of a stored vector and the same item encoded again.
    recall
        Which share of the ten items nearest to an item, or to somebody who says but words, the
        graph finds, the lower of the two; None where the cluster does not allow the queries that
        would tell (``search.allow_expensive_queries``).
    item_ef_search
        Candidates of the graph with which that was found.
    user_recall
        Which share of the ten best items of users the graph finds, with the items they have seen
        and without, the lower of the two; None where it was not asked for any.
    ef_search
        Candidates of the graph for users: those with which that was found.
    graph_ranks
        Whether lists come from the graph.
    """

    index: str
    documents: int
    sample: int
    least_cosine: float
    recall: float | None
    item_ef_search: int = EF_SEARCHES[0]
    user_recall: float | None = None
    ef_search: int = EF_SEARCHES[0]
    graph_ranks: bool = True

    def as_meta(self) -> dict[str, Any]:
        """Return what the index is to say of its graph."""
        return {
            "graph_recall": self.decisive_recall,
            "ef_search": self.ef_search,
            "item_recall": self.recall,
            "item_ef_search": self.item_ef_search,
        }

    @property
    def decisive_recall(self) -> float | None:
        """What says whether the graph may rank: for users, where there are any."""
        return self.recall if self.user_recall is None else self.user_recall

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user of the index should know."""
        found = (
            (self.decisive_recall, "best items", "every list is"),
            (
                self.recall,
                "items nearest to an item or to words",
                "related items and lists without a history are",
            ),
        )
        missing = [
            f"the graph finds {recall:.0%} of the {best}, so {ranked} ranked exactly, which takes "
            "longer the more documents there are; a larger index.m and index.ef_construction find "
            "more"
            for recall, best, ranked in found
            if recall is not None and misses(recall)
        ]
        # the first is about every list
        return tuple(missing[:1])

    @property
    def graph_recall(self) -> str:
        """The recall of the graph for items, or why there is none."""
        if self.recall is None:
            return f"not measured ({EXPENSIVE} is false)"
        return _describe(self.recall, self.item_ef_search)

    @property
    def user_graph_recall(self) -> str:
        """The recall of the graph for users; empty where it was asked for none."""
        return "" if self.user_recall is None else _describe(self.user_recall, self.ef_search)

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        checked = f"{format_count(self.documents, 'document')}, cosine >= {self.least_cosine:.4f}"
        users = f", for users {self.user_graph_recall}" if self.user_graph_recall else ""
        return f"{checked}, graph recall {self.graph_recall}{users}"


def _describe(recall: float, ef_search: int) -> str:
    thorough = f" (ef_search {ef_search})" if ef_search != EF_SEARCHES[0] else ""
    return f"{recall:.2f}{thorough}"
