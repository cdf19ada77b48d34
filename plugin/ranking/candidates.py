"""Hits become candidates of a list: scores to probabilities, with what is added to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from seealso.indexer.documents import item_vector
from seealso.plugin.ranking.answers import Hit
from seealso.plugin.ranking.boosts import Boosts
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.recommendations import Recommendation
from seealso.plugin.reranking.draft import Candidate
from seealso.plugin.scores import logit, raw_value
from seealso.readers import RESERVED
from seealso.types import Calibration, Path, Source

NO_BOOSTS: Final = Boosts()


@dataclass(frozen=True, slots=True)
class Candidates:
    """What one search brings.

    Attributes
    ----------
    ranked
        Candidates of the ranking.
    tail
        Candidates of the tail list.
    """

    ranked: Sequence[Candidate] = ()
    tail: Sequence[Candidate] = ()


Reader: TypeAlias = Callable[[Sequence[Hit]], Candidates]
"""Makes candidates of the hits of one search."""


@dataclass(frozen=True, slots=True)
class HitReader:
    """Makes candidates of the hits of one user's searches.

    Attributes
    ----------
    context
        How the hits were ranked.
    boosts
        What is added to some items.
    min_probability
        Candidates whose probability is known to be below it are left out.
    """

    context: RankingContext
    boosts: Boosts
    min_probability: float

    def read_importance(self, hits: Sequence[Hit]) -> Candidates:
        """Return the candidates where nothing is known about anybody: importance alone ranks."""
        return Candidates(ranked=[self._candidate(hit, None, Source.IMPORTANCE) for hit in hits])

    def read_vectors(self, hits: Sequence[Hit]) -> Candidates:
        """Return the vector list."""
        found = [
            self._candidate(hit, raw_of(hit["_score"], self.context), Source.VECTOR) for hit in hits
        ]
        return Candidates(ranked=self._likely(found))

    def read_boosted(self, hits: Sequence[Hit]) -> Candidates:
        """Return the items that were searched for by their ids, each with what its boost is of."""
        found = []
        for hit in hits:
            raw, source = raw_value(hit["_score"]), self.boosts.source(hit["_id"])
            # where scripts run, the score has the boost in it
            found.append(self._candidate(hit, raw, source, boosted=self.context.scripts))
        return Candidates(ranked=self._likely(found))

    def read_tail(self, hits: Sequence[Hit]) -> Candidates:
        """Return the tail list.

        The template's script field ``x`` is each item's w * similarity; items without a vector
        have none, and no probability.
        """
        found = []
        for hit in hits:
            (x,) = hit.get("fields", {}).get("x", [None])
            found.append(self._candidate(hit, None if x is None else float(x), Source.TAIL))
        return Candidates(tail=self._likely(found))

    def _candidate(
        self, hit: Hit, raw: float | None, source: Source, *, boosted: bool = False
    ) -> Candidate:
        """Return a hit as a candidate, with its boosts; `boosted` if `raw` has them already."""
        item_id, vector = hit["_id"], item_vector(hit["_source"])
        if raw is None:
            item = recommendation(hit, None, source, self.context.calibration)
            return Candidate(item, (item.importance,), vector=vector)
        x = raw if boosted else raw + self.boosts.total(item_id)
        item = recommendation(hit, x, source, self.context.calibration, self.boosts)
        return Candidate(item, (x,), (x,), vector)

    def _likely(self, found: Sequence[Candidate]) -> list[Candidate]:
        least = self.min_probability
        return [
            one for one in found if one.item.probability is None or one.item.probability >= least
        ]


def raw_of(score: float, context: RankingContext) -> float:
    """Return x = w * similarity for a score of the vector list."""
    if context.path is not Path.REFERENCE:
        return raw_value(score)
    # a 32-bit probability can reach 0 or 1, where the logit is infinite
    return logit(min(max(score, 1e-7), 1.0 - 1e-7), context.calibration)


def recommendation(
    hit: Hit,
    raw: float | None,
    source: Source,
    calibration: Calibration,
    boosts: Boosts = NO_BOOSTS,
) -> Recommendation:
    """Return the recommendation that a hit stands for; `raw` is None where no x is known."""
    item_id, document = hit["_id"], hit["_source"]
    return Recommendation(
        item_id=item_id,
        probability=None if raw is None else float(calibration.probability(raw)),
        raw=raw,
        score=hit["_score"],
        source=source,
        # what an owner wrote since an index was attached has neither; what was never counted is
        # of the long tail
        importance=float(document.get("importance", 0.0)),
        tail=bool(document.get("tail", True)),
        fields={name: value for name, value in document.items() if name not in RESERVED},
        co_occurrence=boosts.co_occurrence.get(item_id, 0.0),
        neighbours=boosts.neighbours.get(item_id, 0.0),
    )
