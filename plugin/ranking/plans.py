"""What a list is made by: criteria, what rules make of them, and the components that rerank."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import product
from typing import Final

from seealso.config import ExposureSettings, Rule
from seealso.plugin.ranking.feasibility import check_shares, describe_share
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.searches import MOST_HITS
from seealso.plugin.reranking.caps import Caps
from seealso.plugin.reranking.components import Ordering
from seealso.plugin.reranking.diversity import Diversity
from seealso.plugin.reranking.draft import Reranker
from seealso.plugin.reranking.filling import Cap
from seealso.plugin.reranking.freshness import Freshness
from seealso.plugin.reranking.pins import Pins
from seealso.plugin.reranking.shares import ExposureShare, TailShare, divide_places
from seealso.plugin.rules.ruling import BoostTier, Ruling, clause
from seealso.plugin.rules.taxonomy import Clause, Taxonomy

NO_INTERACTIONS: Final[Clause] = {"term": {"interactions": 0}}
"""Items that nobody chose yet."""


class Purpose(StrEnum):
    """What the candidates of a sub-query are for."""

    RANKED = "ranked"
    SHARE = "share"
    PINS = "pins"


@dataclass(frozen=True, slots=True)
class SubQuery:
    """A part of what a list asks for.

    Attributes
    ----------
    criteria
        What its candidates must be.
    tier
        How the rules boost them.
    purpose
        What they are for.
    share
        Number of the share that they are for, where they are.
    """

    criteria: Criteria
    tier: BoostTier
    purpose: Purpose
    share: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a list is made by.

    Attributes
    ----------
    criteria
        The caller's, with every filter that holds.
    ruling
        What the rules make of it.
    exposure
        Shares, caps, diversity and freshness.
    segments
        The query of each share.
    places
        Of the long tail, then of each share.
    """

    criteria: Criteria
    ruling: Ruling
    exposure: ExposureSettings
    segments: tuple[Clause, ...]
    places: tuple[int, ...]

    @property
    def depth(self) -> int:
        """How many candidates are looked at, so that enough are left for the list."""
        exposure, size = self.exposure, self.criteria.size
        deeper = bool(exposure.caps) or bool(exposure.fresh) or exposure.diversity > 0
        # pinned items leave the list, and others move up
        depth = size * (exposure.depth if deeper else 1) + len(self.ruling.pins)
        return min(MOST_HITS, depth)

    def sub_queries(self) -> Iterator[SubQuery]:
        """Yield what the list asks for: of each tier, for the ranking, each share, and the pins."""
        bringing = self._bringing()
        ranked = replace(bringing, size=self.depth)
        for tier in self.ruling.tiers:
            yield SubQuery(ranked.narrow(tier.filters), tier, Purpose.RANKED)
        alone = replace(ranked, tail_share=0.0)
        for (number, segment), tier in product(enumerate(self.segments), self.ruling.tiers):
            narrowed = alone.narrow((segment, *tier.filters))
            yield SubQuery(narrowed, tier, Purpose.SHARE, number)
        if pins := self.ruling.pins:
            only = {"ids": {"values": list(pins.values())}}
            few = replace(bringing.narrow([only]), size=len(pins), tail_share=0.0)
            yield SubQuery(few, BoostTier(), Purpose.PINS)

    def rerankers(self, now: datetime, *, known: bool) -> Iterator[Reranker]:
        """Yield the components that make the list, in the order in which they act.

        Parameters
        ----------
        now
            The time that freshness counts from.
        known
            Whether anything is known of whom the list is for: what is ranked by importance alone
            has no tail list.
        """
        exposure = self.exposure
        if exposure.fresh:
            yield Freshness(exposure.fresh, exposure.half_life_days, now)
        yield Ordering()
        if exposure.diversity:
            yield Diversity(exposure.diversity)
        if self.ruling.pins:
            yield Pins(self.ruling.pins)
        yield TailShare(self.places[0] if known else 0)
        for number, (share, places) in enumerate(
            zip(exposure.shares, self.places[1:], strict=True)
        ):
            yield ExposureShare(number, places, describe_share(share))
        if exposure.caps:
            yield Caps(tuple(Cap(one.field, one.most, one.window) for one in exposure.caps))

    def _bringing(self) -> Criteria:
        """Return the criteria with the fields that caps, freshness and diversity look at."""
        exposure, fields = self.exposure, self.criteria.fields
        needed = [one.field for one in exposure.caps]
        needed += [exposure.fresh] if exposure.fresh else []
        if fields is not None:
            needed += ["vector"] if exposure.diversity else []
            return replace(self.criteria, fields=tuple(dict.fromkeys((*fields, *needed))))
        return replace(self.criteria, fields=("*",)) if exposure.diversity else self.criteria


def build_plan(
    criteria: Criteria,
    ruling: Ruling,
    exposure: ExposureSettings,
    rules: Sequence[Rule],
    tree: Taxonomy,
) -> Plan:
    """Return the plan of a list.

    Parameters
    ----------
    criteria
        With every filter that holds, those of the rules too.
    ruling, exposure
        What is to be kept to.
    rules, tree
        What `ruling` is made of.

    Raises
    ------
    ConfigError
        Shares contradict each other, a cap, a rule or a filter; the message says which.
    """
    shares = exposure.shares
    places = divide_places(criteria.size, (criteria.tail_share, *(one.share for one in shares)))
    check_shares(criteria, exposure, places[1:], rules, tree)
    segments = tuple(NO_INTERACTIONS if one.new else clause(one, tree) for one in shares)
    return Plan(criteria, ruling, exposure, segments, tuple(places))
