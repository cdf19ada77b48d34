"""The request for a list of several people: candidates scored for each member, one order of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seealso.config import GroupSettings
from seealso.indexer.documents import item_vector
from seealso.plugin.groups.members import Group
from seealso.plugin.groups.search import TAIL, group_search
from seealso.plugin.groups.strategies import ByStrategy
from seealso.plugin.ranking.answers import Hit
from seealso.plugin.ranking.boosts import Boosts
from seealso.plugin.ranking.candidates import Candidates, HitReader, raw_of, recommendation
from seealso.plugin.ranking.options import Criteria, Filter
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.ranking.plans import Plan
from seealso.plugin.ranking.requests import Query
from seealso.plugin.ranking.searches import importance_search
from seealso.plugin.reranking.draft import ByValue, Candidate, Order
from seealso.types import Source


@dataclass(frozen=True, slots=True)
class GroupRequest:
    """The request for a list of several people.

    Attributes
    ----------
    group
        Those whose preferences count.
    settings
        How their preferences become one order.
    plan
        What the list is made by.
    allowed
        Clauses for what every member may see.
    """

    group: Group
    settings: GroupSettings
    plan: Plan
    allowed: tuple[Filter, ...]

    @property
    def known(self) -> bool:
        """Whether anything is known of any member."""
        return bool(self.group.profiles)

    def order(self, context: RankingContext) -> Order:
        """Return that of the strategy; by importance where nothing is known of anybody."""
        return ByStrategy(self.settings, context.calibration) if self.known else ByValue()

    def queries(self, criteria: Criteria, context: RankingContext) -> Sequence[Query]:
        """Return the one search of the group."""
        if not self.known:
            search = importance_search(sorted(self.group.excluded), criteria)
            return [Query(search, HitReader(context, Boosts(), 0.0).read_importance)]
        search = group_search(self.group, criteria, self.settings, context)
        return [Query(search, GroupReader(context, self.group, criteria.min_probability).read)]


@dataclass(frozen=True, slots=True)
class GroupReader:
    """Makes candidates of the hits of a group's search.

    Attributes
    ----------
    context
        How the hits were ranked.
    group
        Those whom they are scored for.
    min_probability
        Candidates of the ranking whose mean probability is below it are left out.
    """

    context: RankingContext
    group: Group
    min_probability: float

    def read(self, hits: Sequence[Hit]) -> Candidates:
        """Return the hits as candidates of the ranking, and those of the tail list by its score."""
        ranked, tail = [], []
        for hit in hits:
            found = self._candidate(hit)
            probability = found.item.probability
            if probability is not None and probability >= self.min_probability:
                ranked.append(found)
            if (score := (hit.get("matched_queries") or {}).get(TAIL)) is not None:
                item = replace(found.item, source=Source.TAIL, score=float(score))
                tail.append(replace(found, item=item))
        return Candidates(ranked, tail)

    def _candidate(self, hit: Hit) -> Candidate:
        """Return a hit with what it is worth to each member; the mean is its probability."""
        raw, calibration = self._raw(hit), self.context.calibration
        item = recommendation(hit, None, Source.VECTOR, calibration)
        if raw:
            # sorted: sums of the same numbers then have the same last digit
            mean = np.sort(calibration.probability(raw)).mean()
            item = replace(item, probability=float(mean))
        return Candidate(item, raw, raw, item_vector(hit["_source"]))

    def _raw(self, hit: Hit) -> tuple[float, ...]:
        """Return w * similarity for each member; nothing for a hit without a vector.

        What is chosen around a member's history is boosted, as in a list of their own.
        """
        scores, profiles = hit.get("matched_queries") or {}, self.group.profiles
        if "0" in scores:
            raw = [raw_of(scores[str(n)], self.context) for n in range(len(profiles))]
        elif (stored := hit["_source"].get("vector")) is not None and not self.context.scripts:
            # no script could score it: it brought its vector, which has the importance in it
            raw = [float(np.dot(stored, one.vector)) for one in profiles if one.vector is not None]
        else:
            return ()
        return tuple(
            value + one.co_occurrence.get(hit["_id"], 0.0)
            for value, one in zip(raw, profiles, strict=True)
        )
