"""What a list is made by: criteria, what rules and exposure make of them, and what reranks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from seealso.config import ExposureSettings, Rule
from seealso.plugin.ranking.feasibility import check_share, check_sum, describe_share
from seealso.plugin.ranking.options import Criteria, Filter
from seealso.plugin.ranking.searches import MOST_HITS
from seealso.plugin.reranking.diversity import Diversity
from seealso.plugin.reranking.draft import PINNED, RANKED, Component
from seealso.plugin.reranking.freshness import Freshness
from seealso.plugin.reranking.ordering import Order, Ordering
from seealso.plugin.reranking.pins import Pins
from seealso.plugin.reranking.shares import ExposureShare, TailShare, divide_places
from seealso.plugin.rules.ruling import BoostTier, Ruling, clause, ruling
from seealso.plugin.rules.taxonomy import Clause, Taxonomy

NO_INTERACTIONS: Final[Clause] = {"term": {"interactions": 0}}
"""Items that nobody chose yet."""


@dataclass(frozen=True, slots=True)
class SubQuery:
    """A part of what a list searches for.

    Attributes
    ----------
    criteria
        What its candidates must be.
    tier
        How the rules boost them.
    pool
        The pool of the draft that they come into.
    """

    criteria: Criteria
    tier: BoostTier
    pool: str


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
        Caps, diversity and freshness.
    tail_places
        Places that the long tail is sure of.
    shares
        Those of the places, each with the query for its items.
    """

    criteria: Criteria
    ruling: Ruling
    exposure: ExposureSettings
    tail_places: int
    shares: tuple[tuple[ExposureShare, Clause], ...]

    def narrow(self, filters: Sequence[Filter]) -> "Plan":
        """Return the same with further clauses that every recommendation satisfies."""
        return replace(self, criteria=self.criteria.narrow(filters))

    @property
    def depth(self) -> int:
        """How many candidates are looked at, so that enough are left for the list."""
        exposure, size = self.exposure, self.criteria.size
        deeper = bool(exposure.caps) or bool(exposure.fresh) or exposure.diversity > 0
        # pinned items leave the list, and others move up
        depth = size * (exposure.depth if deeper else 1) + len(self.ruling.pins)
        return min(MOST_HITS, depth)

    def sub_queries(self) -> Iterator[SubQuery]:
        """Yield what the list searches for: each tier of the ranking and of a share, and pins."""
        ranked = replace(self._with_fields(), size=self.depth)
        without_tail = replace(ranked, tail_share=0.0)
        parts = [(RANKED, ranked)]
        parts += [(share.pool, without_tail.narrow([items])) for share, items in self.shares]
        for pool, criteria in parts:
            for tier in self.ruling.tiers:
                yield SubQuery(criteria.narrow(tier.filters), tier, pool)
        if pins := self.ruling.pins:
            only = {"ids": {"values": list(pins.values())}}
            pinned = replace(without_tail.narrow([only]), size=len(pins))
            yield SubQuery(pinned, BoostTier(), PINNED)

    def components(self, order: Order, now: datetime, *, known: bool) -> Iterator[Component]:
        """Yield the components that make the list, in the order in which they act.

        Parameters
        ----------
        order
            How the values of candidates become one order.
        now
            The time that freshness counts from.
        known
            Whether anything is known of whom the list is for: what is ranked by importance alone
            has no tail list.
        """
        exposure = self.exposure
        if exposure.fresh:
            yield Freshness(exposure.fresh, exposure.half_life_days, now)
        yield Ordering(order, self.depth)
        if exposure.diversity:
            yield Diversity(exposure.diversity, order)
        if self.ruling.pins:
            yield Pins(self.ruling.pins)
        yield TailShare(self.tail_places if known else 0)
        yield from (share for share, _ in self.shares)

    def _with_fields(self) -> Criteria:
        """Return the criteria with the fields that caps, freshness and diversity look at."""
        exposure, fields = self.exposure, self.criteria.fields
        if fields is None:
            return replace(self.criteria, fields=("*",)) if exposure.diversity else self.criteria
        needed = [one.field for one in exposure.caps]
        needed += [exposure.fresh] if exposure.fresh else []
        needed += ["vector"] if exposure.diversity else []
        return replace(self.criteria, fields=tuple(dict.fromkeys((*fields, *needed))))


def build_plan(
    criteria: Criteria, rules: Sequence[Rule], exposure: ExposureSettings, tree: Taxonomy
) -> Plan:
    """Return the plan of a list.

    Parameters
    ----------
    criteria
        The caller's.
    rules, exposure, tree
        What every list has to keep to.

    Raises
    ------
    ConfigError
        Rules contradict each other, or a share contradicts another one, a cap, a rule or a filter;
        the message says which.
    """
    found = ruling(rules, tree)
    check_sum(criteria, exposure.shares)
    parts = (criteria.tail_share, *(one.share for one in exposure.shares))
    tail_places, *places = divide_places(criteria.size, parts)
    shares = []
    for number, (share, needed) in enumerate(zip(exposure.shares, places, strict=True)):
        check_share(share, needed, criteria, exposure.caps, rules, tree)
        items = NO_INTERACTIONS if share.new else clause(share, tree)
        shares.append((ExposureShare(describe_share(share), f"share {number}", needed), items))
    return Plan(criteria.narrow(found.filters), found, exposure, tail_places, tuple(shares))
