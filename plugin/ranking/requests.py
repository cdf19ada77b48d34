"""The request for one list: for a user, or for an item that others are related to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from seealso.indexer.documents import item_vector
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.ranking import answers
from seealso.plugin.ranking.boosts import Boosts, add_boosts, merge_boosted
from seealso.plugin.ranking.context import RankingContext
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.plans import Plan
from seealso.plugin.ranking.searches import (
    Search,
    boosted_search,
    importance_search,
    tail_search,
    vector_search,
)
from seealso.plugin.recommendations import Recommendation
from seealso.plugin.reranking.draft import ByValue, Candidate, Order
from seealso.types import Path, User, Vector

Response = Mapping[str, Any]


class RankedRequest(Protocol):
    """What `rank` makes a list of: for a user, an item or a group."""

    @property
    def plan(self) -> Plan:
        """What the list is made by."""
        ...

    @property
    def order(self) -> Order:
        """How the values of candidates become one order."""
        ...

    @property
    def known(self) -> bool:
        """Whether anything is known of whom the list is for."""
        ...

    def searches(self, criteria: Criteria, context: RankingContext) -> list[Search]:
        """Return the searches for candidates that meet some criteria."""
        ...

    def read(
        self, responses: Sequence[Response], criteria: Criteria, context: RankingContext
    ) -> tuple[list[Candidate], list[Candidate]]:
        """Return what those searches found: candidates of the ranking, and of the tail list."""
        ...


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The request for a list of one user, or of items related to one.

    Attributes
    ----------
    user
        Whom it is for; nobody for related items.
    profile
        What items are ranked by.
    boosts
        What is added to some items.
    plan
        What the list is made by.
    """

    user: User
    profile: Profile
    boosts: Boosts
    plan: Plan
    order: Order = field(default=ByValue())

    @property
    def known(self) -> bool:
        """Whether anything is known of the user."""
        return self.profile.vector is not None

    def searches(self, criteria: Criteria, context: RankingContext) -> list[Search]:
        """Return one to three searches: the vector list, boosted items, the tail list."""
        profile, seen = self.profile, sorted(self.profile.seen)
        if profile.vector is None:
            return [importance_search(seen, criteria)]
        found = [vector_search(profile.vector, seen, criteria, context)]
        if self.boosts.named:
            found.append(boosted_search(profile.vector, self.boosts, seen, criteria, context))
        if criteria.tail_share and profile.words:
            found.append(tail_search(profile, criteria, context.space))
        return found

    def read(
        self, responses: Sequence[Response], criteria: Criteria, context: RankingContext
    ) -> tuple[list[Candidate], list[Candidate]]:
        """Return what `searches` found: candidates of the ranking, and of the tail list.

        Raises
        ------
        ClusterError
            A search failed.
        """
        hits = [answers.hits_of(response) for response in responses]
        vectors: dict[str, Vector | None] = {}
        if self.plan.exposure.diversity:
            vectors = {hit["_id"]: item_vector(hit["_source"]) for own in hits for hit in own}

        def candidate(item: Recommendation) -> Candidate:
            raw = () if item.raw is None else (item.raw,)
            return Candidate(item, raw or (item.importance,), raw, vectors.get(item.item_id))

        if not self.known:
            return [candidate(one) for one in answers.importance_items(hits[0])], []
        ranked, tail = self._lists(hits, criteria, context)
        return [candidate(one) for one in ranked], [candidate(one) for one in tail]

    def _lists(
        self, hits: Sequence[Sequence[answers.Hit]], criteria: Criteria, context: RankingContext
    ) -> tuple[list[Recommendation], list[Recommendation]]:
        boosts, calibration = self.boosts, context.calibration
        left = iter(hits)
        ranked = answers.vector_items(next(left), context.path, calibration)
        if boosts.named:
            named = answers.vector_items(next(left), Path.EXACT, calibration)
            ranked = merge_boosted(ranked, named, boosts, calibration)
            if not boosts.scored:
                ranked = answers.keep_likely(ranked, criteria.min_probability)
        tail = answers.tail_items(next(left, ()), calibration, 0.0)
        boosted = add_boosts(tail, boosts, calibration)
        return ranked, answers.keep_likely(boosted, criteria.min_probability)
