"""Hits of a group's search become candidates: what each is worth to every member."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seealso.indexer.documents import item_direction
from seealso.models.group_strategies import mean_of_each
from seealso.plugin.groups.members import Group
from seealso.plugin.groups.search import TAIL
from seealso.plugin.ranking.answers import Hit
from seealso.plugin.ranking.candidates import Candidates, raws_of, recommendation
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
        """Return the hits as candidates of the ranking, and those of the tail list by its score.

        What an item is worth to each member comes with it; the mean is its probability, in which
        the own history of a group counts with its weight.
        """
        raw = self._raw(hits)
        means = iter(self._means([one for one in raw if one]))
        ranked, tail = [], []
        for hit, values in zip(hits, raw, strict=True):
            probability = next(means) if values else None
            if probability is not None and probability < self.min_probability:
                continue
            vector = item_direction(hit["_source"])
            if values:
                item = recommendation(hit, None, probability, Source.VECTOR)
                ranked.append(Candidate(item, values, values, vector))
            if (score := (hit.get("matched_queries") or {}).get(TAIL)) is not None:
                by_words = {**hit, "_score": float(score)}
                item = recommendation(by_words, None, probability, Source.TAIL)
                tail.append(Candidate(item, values, values, vector))
        return Candidates(ranked, tail)

    def _means(self, raw: Sequence[tuple[float, ...]]) -> Sequence[float]:
        """Return the mean probability of each hit; all at once, as one costs nearly as much."""
        if not raw:
            return ()
        members, own = self.group.preferences(self.context.calibration.probability(raw).T)
        means: list[float] = mean_of_each(members, own).tolist()
        return means

    def _raw(self, hits: Sequence[Hit]) -> list[tuple[float, ...]]:
        """Return w * similarity of each hit for each member; nothing for one without a vector.

        What is chosen around a member's history is boosted, as in a list of their own.
        """
        profiles = self.group.profiles
        names = [str(number) for number in range(len(profiles))]
        matched = [hit.get("matched_queries") or {} for hit in hits]
        scores = [[one[name] for name in names] for one in matched if "0" in one]
        scored = iter(raws_of(np.array(scores), self.context).tolist())
        found = [
            tuple(next(scored)) if "0" in one else self._own_products(hit)
            for hit, one in zip(hits, matched, strict=True)
        ]
        if not any(one.co_occurrence for one in profiles):
            return found
        return [
            tuple(
                value + one.co_occurrence.get(hit["_id"], 0.0)
                for value, one in zip(values, profiles, strict=True)
            )
            if values
            else ()
            for hit, values in zip(hits, found, strict=True)
        ]

    def _own_products(self, hit: Hit) -> tuple[float, ...]:
        """Return w * similarity where no script could score a hit: it brought its vector then."""
        stored = hit["_source"].get("vector")
        if stored is None or self.context.scripts:
            return ()
        # the stored vector has the importance in it
        profiles = self.group.profiles
        return tuple(
            float(np.dot(stored, one.vector)) for one in profiles if one.vector is not None
        )
