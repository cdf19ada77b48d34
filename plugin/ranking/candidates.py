"""Hits become candidates of a list: scores to probabilities, with what is added to them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from seealso.indexer.documents import item_direction
from seealso.plugin.ranking.answers import Hit
from seealso.plugin.ranking.boosts import Boosts
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.recommendations import Recommendation
from seealso.plugin.reranking.draft import Candidate
from seealso.plugin.scores import Floats, logit, raw_value, raw_values
from seealso.readers import RESERVED
from seealso.types import Path, Source

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
        return Candidates(ranked=self._read((hit, None, Source.IMPORTANCE) for hit in hits))

    def read_vectors(self, hits: Sequence[Hit]) -> Candidates:
        """Return the vector list."""
        context, total = self.context, self.boosts.total
        return Candidates(
            ranked=self._read(
                (hit, raw_of(hit["_score"], context) + total(hit["_id"]), Source.VECTOR)
                for hit in hits
            )
        )

    def read_boosted(self, hits: Sequence[Hit]) -> Candidates:
        """Return the items that were searched for by their ids, each with what its boost is of."""
        boosts = self.boosts

        def value(hit: Hit) -> float:
            # where scripts run, the score has the boost in it
            added = 0.0 if self.context.scripts else boosts.total(hit["_id"])
            return raw_value(hit["_score"]) + added

        return Candidates(
            ranked=self._read((hit, value(hit), boosts.source(hit["_id"])) for hit in hits)
        )

    def read_tail(self, hits: Sequence[Hit]) -> Candidates:
        """Return the tail list.

        The template's script field ``x`` is each item's w * similarity; items without a vector
        have none, and no probability.
        """
        total = self.boosts.total

        def value(hit: Hit) -> float | None:
            (x,) = hit.get("fields", {}).get("x", [None])
            return None if x is None else float(x) + total(hit["_id"])

        return Candidates(tail=self._read((hit, value(hit), Source.TAIL) for hit in hits))

    def _read(self, found: Iterable[tuple[Hit, float | None, Source]]) -> list[Candidate]:
        """Return the candidates that are likely enough.

        `found` are hits, each with w * similarity and all boosts, where it is known, and with what
        brought it.
        """
        hits = list(found)
        values = np.array([x for _, x, _ in hits], dtype=np.float64)
        # all at once: a scalar costs numpy as much as a list
        probabilities = self.context.calibration.probability(values).tolist()
        return [
            self._candidate(hit, x, source, None if x is None else p)
            for (hit, x, source), p in zip(hits, probabilities, strict=True)
            if x is None or p >= self.min_probability
        ]

    def _candidate(
        self, hit: Hit, x: float | None, source: Source, probability: float | None
    ) -> Candidate:
        vector = item_direction(hit["_source"])
        if x is None:
            item = recommendation(hit, None, None, source)
            return Candidate(item, (item.importance,), vector=vector)
        item = recommendation(hit, x, probability, source, self.boosts)
        return Candidate(item, (x,), (x,), vector)


def raw_of(score: float, context: RankingContext) -> float:
    """Return x = w * similarity for a score of the vector list."""
    if context.path is not Path.REFERENCE:
        return raw_value(score)
    # a 32-bit probability can reach 0 or 1, where the logit is infinite
    return logit(min(max(score, 1e-7), 1.0 - 1e-7), context.calibration)


def raws_of(scores: Floats, context: RankingContext) -> Floats:
    """Return what `raw_of` does, for scores of any shape."""
    if context.path is not Path.REFERENCE:
        return raw_values(scores)
    found = [raw_of(one, context) for one in scores.ravel().tolist()]
    return np.array(found).reshape(scores.shape)


def recommendation(
    hit: Hit,
    raw: float | None,
    probability: float | None,
    source: Source,
    boosts: Boosts = NO_BOOSTS,
) -> Recommendation:
    """Return the recommendation that a hit stands for; `raw` is None where no x is known."""
    item_id, document = hit["_id"], hit["_source"]
    return Recommendation(
        item_id=item_id,
        probability=probability,
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
