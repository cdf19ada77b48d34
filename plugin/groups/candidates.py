"""Hits of a group's search become candidates: what each is worth to every member."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seealso.indexer.documents import item_direction
from seealso.models.group_strategies import mean_with
from seealso.plugin.groups.members import Group
from seealso.plugin.groups.search import TAIL
from seealso.plugin.ranking.answers import Hit
from seealso.plugin.ranking.candidates import Candidates, raw_of, recommendation
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.reranking.draft import Candidate
from seealso.types import Source


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
        Items whose mean probability is below it are left out.
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
            if probability is not None and probability < self.min_probability:
                continue
            if probability is not None:
                ranked.append(found)
            if (score := (hit.get("matched_queries") or {}).get(TAIL)) is not None:
                item = replace(found.item, source=Source.TAIL, score=float(score))
                tail.append(replace(found, item=item))
        return Candidates(ranked, tail)

    def _candidate(self, hit: Hit) -> Candidate:
        """Return a hit with what it is worth to each member; the mean is its probability.

        The own history of a group counts in it with its weight.
        """
        raw, probability = self._raw(hit), None
        if raw:
            each = self.context.calibration.probability(raw)
            members, own = self.group.preferences(each[:, None])
            probability = float(mean_with(members, own)[0])
        item = recommendation(hit, None, probability, Source.VECTOR)
        return Candidate(item, raw, raw, item_direction(hit["_source"]))

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
