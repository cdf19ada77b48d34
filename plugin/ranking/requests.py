"""The request for one list: for a user, or for an item that others are related to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from seealso.plugin.profiles.profile import Profile
from seealso.plugin.ranking.boosts import Boosts
from seealso.plugin.ranking.candidates import HitReader, Reader
from seealso.plugin.ranking.options import Criteria, Filter
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.ranking.plans import Plan
from seealso.plugin.ranking.searches import (
    Search,
    boosted_search,
    importance_search,
    tail_search,
    vector_search,
)
from seealso.plugin.reranking.draft import ByValue, Order


@dataclass(frozen=True, slots=True)
class Query:
    """A search, and what makes candidates of its hits."""

    search: Search
    read: Reader


class RankedRequest(Protocol):
    """What `rank` makes a list of: for a user, an item or a group."""

    @property
    def plan(self) -> Plan:
        """What the list is made by."""

    @property
    def allowed(self) -> tuple[Filter, ...]:
        """Clauses for what those whom the list is for may see."""

    @property
    def known(self) -> bool:
        """Whether anything is known of whom the list is for."""

    def order(self, context: RankingContext) -> Order:
        """Return how the values of candidates become one order."""

    def queries(self, criteria: Criteria, context: RankingContext) -> Sequence[Query]:
        """Return the searches for candidates that meet some criteria."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The request for a list of one user, or of items related to one.

    Attributes
    ----------
    profile
        What items are ranked by, and whose it is.
    boosts
        What is added to some items.
    plan
        What the list is made by.
    allowed
        Clauses for what the user may see.
    note
        What a person should know of the user, for instance that nothing is known.
    """

    profile: Profile
    boosts: Boosts
    plan: Plan
    allowed: tuple[Filter, ...]
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether anything is known of the user."""
        return self.profile.vector is not None

    def order(self, context: RankingContext) -> Order:  # noqa: ARG002
        """Return the order of a user's list: by value."""
        return ByValue()

    def queries(self, criteria: Criteria, context: RankingContext) -> Sequence[Query]:
        """Return one to three searches: the vector list, boosted items, the tail list."""
        profile, seen = self.profile, sorted(self.profile.seen)
        reader = HitReader(context, self.boosts, criteria.min_probability)
        if profile.vector is None:
            return [Query(importance_search(seen, criteria), reader.read_importance)]
        vectors = vector_search(profile.vector, seen, criteria, context)
        found = [Query(vectors, reader.read_vectors)]
        if self.boosts.named:
            boosted = boosted_search(profile.vector, self.boosts, seen, criteria, context)
            found.append(Query(boosted, reader.read_boosted))
        if criteria.tail_share and profile.words:
            tail = tail_search(profile.words, profile.tail_vector, seen, criteria, context.space)
            found.append(Query(tail, reader.read_tail))
        return found
