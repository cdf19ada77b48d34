"""What the checks of an index found, and what the index is to say of its graph."""

from dataclasses import dataclass
from typing import Any

from seealso.indexer.graph import EF_SEARCHES, EXPENSIVE, misses


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
        Which share of the ten items nearest to an item the graph finds; None where the cluster
        does not allow the queries that would tell (``search.allow_expensive_queries``).
    user_recall
        Which share of the ten best items of users the graph finds; None where it was not asked
        for any.
    ef_search
        Candidates of the graph with which that was found.
    graph_ranks
        Whether lists come from the graph.
    """

    index: str
    documents: int
    sample: int
    least_cosine: float
    recall: float | None
    user_recall: float | None = None
    ef_search: int = EF_SEARCHES[0]
    graph_ranks: bool = True

    def as_meta(self) -> dict[str, Any]:
        """Return what the index is to say of its graph."""
        return {"graph_recall": self.decisive_recall, "ef_search": self.ef_search}

    @property
    def decisive_recall(self) -> float | None:
        """What says whether the graph may rank: for users, where there are any."""
        return self.recall if self.user_recall is None else self.user_recall

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user of the index should know."""
        recall = self.decisive_recall
        if recall is None or not misses(recall):
            return ()
        return (
            f"the graph finds {recall:.0%} of the best items, so every list is ranked exactly, "
            "which takes longer the more documents there are; a larger index.m and "
            "index.ef_construction find more",
        )

    @property
    def graph_recall(self) -> str:
        """The recall of the graph, or why there is none."""
        return (
            f"not measured ({EXPENSIVE} is false)" if self.recall is None else f"{self.recall:.2f}"
        )

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        graph = f"graph recall {self.graph_recall}"
        users = "" if self.user_recall is None else f", for users {self.user_recall:.2f}"
        thorough = f" (ef_search {self.ef_search})" if self.ef_search != EF_SEARCHES[0] else ""
        checked = f"{self.documents:,} documents, cosine >= {self.least_cosine:.4f}"
        return f"{checked}, {graph}{users}{thorough}"
