"""The request for a list of several people: candidates scored for each member, one order of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seealso.config import GroupSettings
from seealso.indexer.documents import item_vector
from seealso.plugin.groups.members import Group
from seealso.plugin.groups.search import TAIL, group_search
from seealso.plugin.groups.strategies import Matrix, average, strategies
from seealso.plugin.ranking.answers import (
    Hit,
    hits_of,
    importance_items,
    raw_of,
    recommendation,
)
from seealso.plugin.ranking.context import RankingContext
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.plans import Plan
from seealso.plugin.ranking.requests import Response
from seealso.plugin.ranking.searches import Search
from seealso.plugin.reranking.draft import ByValue, Candidate, Floats, Order
from seealso.types import Calibration, Source


@dataclass(frozen=True, slots=True)
class ByStrategy:
    """The order of a list for several people.

    Attributes
    ----------
    settings
        Strategy and fairness.
    calibration
        Makes the probabilities that a strategy weighs.
    """

    settings: GroupSettings
    calibration: Calibration

    def rank(self, candidates: Sequence[Candidate], size: int) -> list[Candidate]:
        """Return the candidates as the strategy ranks them; behind, those of the long tail."""
        # the order of the hits, which decides between equals, would change with that of the members
        found = sorted(candidates, key=lambda one: one.item_id)
        matrix: Matrix = self.calibration.probability([one.values for one in found]).T
        first = strategies(self.settings.fairness)[self.settings.strategy](matrix, size)
        # the tail's share may need items from further down
        further = [n for n in average(matrix, len(found)).tolist() if found[n].item.tail]
        return [found[n] for n in dict.fromkeys([*first.tolist(), *further[: 2 * size]])]

    def relevance(self, ranked: Sequence[Candidate]) -> Floats:
        """Return what the places of the order say: no value of a candidate has it."""
        return np.linspace(1.0, 0.0, len(ranked))


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
    calibration
        Makes the probabilities that a strategy weighs.
    """

    group: Group
    settings: GroupSettings
    plan: Plan
    calibration: Calibration

    @property
    def known(self) -> bool:
        """Whether anything is known of any member."""
        return bool(self.group.profiles)

    @property
    def order(self) -> Order:
        """That of the strategy; by importance where nothing is known of anybody."""
        return ByStrategy(self.settings, self.calibration) if self.known else ByValue()

    def searches(self, criteria: Criteria, context: RankingContext) -> list[Search]:
        """Return the one search of the group."""
        return [group_search(self.group, criteria, self.settings, context)]

    def read(
        self, responses: Sequence[Response], criteria: Criteria, context: RankingContext
    ) -> tuple[list[Candidate], list[Candidate]]:
        """Return the hits as candidates of the ranking, and those of the tail list by its score.

        Raises
        ------
        ClusterError
            The search failed.
        """
        (response,) = responses
        hits = hits_of(response)
        if not self.known:
            items = importance_items(hits)
            return [Candidate(one, (one.importance,)) for one in items], []
        found = {hit["_id"]: self._candidate(hit, context) for hit in hits}
        ranked = [
            one
            for one in found.values()
            if one.item.probability is not None and one.item.probability >= criteria.min_probability
        ]
        named = [hit for hit in hits if TAIL in (hit.get("matched_queries") or ())]
        named.sort(key=lambda hit: -hit["matched_queries"][TAIL])
        return ranked, [_of_tail(found[hit["_id"]], hit) for hit in named]

    def _candidate(self, hit: Hit, context: RankingContext) -> Candidate:
        """Return a hit with what it is worth to each member; the mean is its probability."""
        raw = self._raw(hit, context)
        item = recommendation(hit, None, Source.VECTOR, context.calibration)
        if raw:
            # sorted: sums of the same numbers then have the same last digit
            mean = np.sort(context.calibration.probability(raw)).mean()
            item = replace(item, probability=float(mean))
        vector = item_vector(hit["_source"]) if self.plan.exposure.diversity else None
        return Candidate(item, raw, raw, vector)

    def _raw(self, hit: Hit, context: RankingContext) -> tuple[float, ...]:
        """Return w * similarity for each member; nothing for a hit without a vector.

        What is chosen around a member's history is boosted, as in a list of their own.
        """
        scores, profiles = hit.get("matched_queries") or {}, self.group.profiles
        if "0" in scores:
            path, calibration = context.path, context.calibration
            raw = [raw_of(scores[str(n)], path, calibration) for n in range(len(profiles))]
        elif (stored := hit["_source"].get("vector")) is not None and not context.scripts:
            # no script could score it: it brought its vector, which has the importance in it
            raw = [float(np.dot(stored, one.vector)) for one in profiles if one.vector is not None]
        else:
            return ()
        item_id = hit["_id"]
        return tuple(
            value + one.co_occurrence.get(item_id, 0.0)
            for value, one in zip(raw, profiles, strict=True)
        )


def _of_tail(candidate: Candidate, hit: Hit) -> Candidate:
    """Return a candidate as the tail list brings it, with the score that it has there."""
    score = float(hit["matched_queries"][TAIL])
    return replace(candidate, item=replace(candidate.item, source=Source.TAIL, score=score))
