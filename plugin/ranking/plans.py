"""What a list is made by: criteria, what rules and exposure make of them, and what reranks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from seealso.config import CapSettings, ExposureSettings, Rule
from seealso.plugin.ranking.feasibility import check_share, check_sum, describe_share
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.searches import MOST_HITS
from seealso.plugin.reranking.diversity import Diversity
from seealso.plugin.reranking.draft import PINNED, RANKED, Component, Ordering
from seealso.plugin.reranking.freshness import Freshness
from seealso.plugin.reranking.pins import Pins
from seealso.plugin.reranking.places import divide_places
from seealso.plugin.reranking.shares import ExposureShare, TailShare
from seealso.plugin.rules.ruling import BoostTier, Ruling, clause, ruling
from seealso.plugin.rules.taxonomy import Clause, Taxonomy

NO_INTERACTIONS: Final[Clause] = {"term": {"interactions": 0}}
"""Items without events."""


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
    """What every list of an answer is made by: by criteria, rules and exposure, for any user.

    Attributes
    ----------
    size
        Length of a list.
    fields
        Catalogue fields that the caller wants; all of them for None.
    sub_queries
        What a list searches for.
    components
        What reranks, in the order in which it acts.
    caps
        How often a value of a field may come.
    columns
        Fields that decide about places, where the index has them in columns as its documents do;
        None where the documents of all candidates are needed.
    """

    size: int
    fields: tuple[str, ...] | None
    sub_queries: tuple[SubQuery, ...]
    components: tuple[Component, ...]
    caps: tuple[CapSettings, ...]
    columns: tuple[str, ...] | None = None

    @property
    def fields_read(self) -> tuple[str, ...] | None:
        """Fields of the documents that its searches bring; all but the vector for None."""
        return self.sub_queries[0].criteria.fields

    @property
    def diverse(self) -> bool:
        """Whether its components compare the vectors of items."""
        return any(isinstance(one, Diversity) for one in self.components)


def build_plan(
    criteria: Criteria,
    rules: Sequence[Rule],
    exposure: ExposureSettings,
    tree: Taxonomy,
    now: datetime,
) -> Plan:
    """Return the plan of a list.

    Parameters
    ----------
    criteria
        The caller's.
    rules, exposure, tree
        What every list has to keep to.
    now
        The time that freshness counts from.

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
    shares = {}
    for number, (share, needed) in enumerate(zip(exposure.shares, places, strict=True)):
        check_share(share, needed, criteria, exposure.caps, rules, tree)
        component = ExposureShare(describe_share(share), f"share {number}", needed)
        shares[component] = NO_INTERACTIONS if share.new else clause(share, tree)
    depth = _depth(criteria.size, exposure, found)
    ranked = replace(_with_fields(criteria, exposure).narrow(found.filters), size=depth)
    sub_queries = _sub_queries(ranked, found, shares)
    components = [*_rankers(exposure, found, depth, now), TailShare(tail_places), *shares]
    return Plan(
        criteria.size, criteria.fields, tuple(sub_queries), tuple(components), exposure.caps
    )


def _depth(size: int, exposure: ExposureSettings, found: Ruling) -> int:
    """Return how many candidates are looked at, so that enough are left for the list."""
    deeper = bool(exposure.caps) or bool(exposure.fresh) or exposure.diversity > 0
    # pinned items leave the list, and others move up
    return min(MOST_HITS, size * (exposure.depth if deeper else 1) + len(found.pins))


def _with_fields(criteria: Criteria, exposure: ExposureSettings) -> Criteria:
    """Return the criteria with the fields that caps, freshness and diversity look at."""
    if criteria.fields is None:
        return replace(criteria, fields=("*",)) if exposure.diversity else criteria
    needed = [one.field for one in exposure.caps]
    needed += [exposure.fresh] if exposure.fresh else []
    needed += ["vector"] if exposure.diversity else []
    return replace(criteria, fields=tuple(dict.fromkeys((*criteria.fields, *needed))))


def _sub_queries(
    ranked: Criteria, found: Ruling, shares: Mapping[ExposureShare, Clause]
) -> Iterator[SubQuery]:
    """Yield what a list searches for: each tier of the ranking and of every share, and the pins."""
    without_tail = replace(ranked, tail_share=0.0)
    parts = [(RANKED, ranked)]
    parts += [(share.pool, without_tail.narrow([items])) for share, items in shares.items()]
    for pool, criteria in parts:
        for tier in found.tiers:
            yield SubQuery(criteria.narrow(tier.filters), tier, pool)
    if found.pins:
        only = {"ids": {"values": list(found.pins.values())}}
        pinned = replace(without_tail.narrow([only]), size=len(found.pins))
        yield SubQuery(pinned, BoostTier(), PINNED)


def _rankers(
    exposure: ExposureSettings, found: Ruling, depth: int, now: datetime
) -> Iterator[Component]:
    """Yield the components that bring candidates into an order, in that in which they act."""
    if exposure.fresh:
        yield Freshness(exposure.fresh, exposure.half_life_days, now)
    yield Ordering(depth)
    if exposure.diversity:
        yield Diversity(exposure.diversity)
    if found.pins:
        yield Pins(found.pins)
