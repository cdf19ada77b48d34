"""How rules, shares and caps make a list: which searches, and what their answers become.

Pure functions. Without rules and shares the searches are those of `profile_searches` alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any, Final

from seealso.config import Choice, ExposureSettings, Rule, ShareSettings
from seealso.errors import ConfigError
from seealso.indexer.documents import item_vector
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.ranking import answers
from seealso.plugin.ranking.boosts import Lifts
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.searches import MOST_HITS, Search, profile_searches
from seealso.plugin.recommendations import Recommendation
from seealso.plugin.reranking.exposure import by_worth, diverse, freshened, worth
from seealso.plugin.reranking.filling import Cap, Share, filled, of_tail, places_of
from seealso.plugin.rules.ruling import Ruling, Stratum, clause, contradiction, takes_all, told
from seealso.plugin.rules.taxonomy import Clause, Taxonomy
from seealso.types import Calibration, Path, Source, Space, Vector

NEW: Final[Clause] = {"term": {"interactions": 0}}
"""Items that nobody chose yet."""


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


@dataclass(frozen=True, slots=True)
class Lane:
    """Some of the searches of a list.

    Attributes
    ----------
    criteria
        What these searches want.
    stratum
        How the rules lift their items.
    segment
        Number of the share that they are for; -1 for the ranked list, -2 for pinned items.
    searches
        One to three.
    """

    criteria: Criteria
    stratum: Stratum
    segment: int
    searches: tuple[Search, ...]


RANKED: Final = -1
PINNED: Final = -2


def make_plan(
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
    places = places_of(criteria.size, (criteria.tail_share, *(one.share for one in shares)))
    _check_shares(criteria, shares)
    for share, needed in zip(shares, places[1:], strict=True):
        for cap in exposure.caps:
            most = cap.most * len(share.values)
            alike = cap.field == share.field != tree.field and cap.window is None
            if alike and 0 < most < needed:
                raise contradiction(
                    f"{named(share)} ({needed} places)", f"at most {cap.most} of one {cap.field}"
                )
        taken = [rule for rule in rules if rule.do == "exclude"]
        for rule in (*taken, *_left_out(criteria.filters)):
            if takes_all(rule, share, tree):
                raise contradiction(named(share), told(rule))
        for rule in rules:
            if rule.do == "require" and _disjoint(rule, share):
                raise contradiction(named(share), told(rule))
    segments = tuple(NEW if one.new else clause(one, tree) for one in shares)
    return Plan(criteria, ruling, exposure, segments, tuple(places))


def lanes(
    profile: Profile,
    plan: Plan,
    path: Path,
    space: Space,
    calibration: Calibration,
    lifts: Lifts,
) -> list[Lane]:
    """Return the searches of a list, as they are asked."""

    def lane(criteria: Criteria, stratum: Stratum, segment: int) -> Lane:
        found = profile_searches(profile, criteria, path, space, calibration, lifts)
        return Lane(criteria, stratum, segment, tuple(found))

    criteria, strata = _bringing(plan), plan.ruling.strata
    ranked = replace(criteria, size=_depth(plan))
    found = [lane(_narrowed(ranked, one.filters), one, RANKED) for one in strata]
    alone = replace(ranked, tail_share=0.0)
    for (number, segment), one in product(enumerate(plan.segments), strata):
        found.append(lane(_narrowed(alone, (segment, *one.filters)), one, number))
    if pins := plan.ruling.pins:
        only = {"ids": {"values": list(pins.values())}}
        few = replace(criteria, size=len(pins), tail_share=0.0)
        found.append(lane(_narrowed(few, (only,)), Stratum(), PINNED))
    return found


def listed(
    asked: Sequence[Lane],
    responses: Iterator[Mapping[str, Any]],
    profile: Profile,
    plan: Plan,
    path: Path,
    calibration: Calibration,
    lifts: Lifts,
    now: datetime,
) -> list[Recommendation]:
    """Return the list of what `lanes` asked, taking as many of `responses`.

    Raises
    ------
    ClusterError
        A search failed.
    """
    front: dict[int, list[Recommendation]] = {}
    back: dict[int, list[Recommendation]] = {}
    tail: list[Recommendation] = []
    buried: list[Recommendation] = []
    vectors: dict[str, Vector] = {}
    for lane in asked:
        own = [next(responses) for _ in lane.searches]
        if plan.exposure.diversity:
            vectors |= _vectors(own)
        main, rest = answers.parts(own, profile, lane.criteria, path, calibration, lifts)
        part = back if lane.stratum.last else front
        boost = lane.stratum.boost
        part.setdefault(lane.segment, []).extend(
            replace(one, boost=boost(worth(one))) if boost(1.0) or boost(0.0) else one
            for one in main
        )
        (buried if lane.stratum.last else tail).extend(rest)
    # of several strata each brings its own; the score of BM25 is the same in all
    for some in (tail, buried):
        some.sort(key=lambda one: one.score, reverse=True)
    tail += buried
    strata, exposure = len(plan.ruling.strata), plan.exposure

    def ordered(segment: int) -> list[Recommendation]:
        parts = [part.get(segment, []) for part in (front, back)]
        if exposure.fresh:
            fresh, days = exposure.fresh, exposure.half_life_days
            parts = [freshened(part, fresh, days, now) for part in parts]
        elif strata > 1:
            parts = [by_worth(part) for part in parts]
        first = diverse(parts[0], vectors, exposure.diversity, plan.criteria.size)
        return [*first, *parts[1]]

    pinned = _pinned(ordered(PINNED), plan)
    taken = {one.item_id for one in pinned.values()}
    main, tail = _without(ordered(RANKED), taken), _without(tail, taken)
    # what is ranked by importance alone was not asked for tail items
    shares = [of_tail(main, tail, plan.places[0] if profile.vector is not None else 0)]
    for number, places in enumerate(plan.places[1:]):
        reserve = _without(ordered(number), taken)
        sure = [replace(one, source=Source.SHARE) for one in reserve]
        shares.append(Share(places, sure, {one.item_id for one in reserve}))
    caps = [Cap(one.field, one.most, one.window) for one in exposure.caps]
    items = filled(main, shares, plan.criteria.size, caps)
    return _shown(_inserted(items, pinned, plan.criteria.size), plan.criteria)


def not_pinned(items: Sequence[Recommendation], plan: Plan) -> str:
    """Return a line on the pinned items that are not in a list; empty where all are."""
    there = {one.item_id for one in items}
    lost = [one for one in plan.ruling.pins.values() if one not in there]
    if not lost:
        return ""
    return f"not pinned: {', '.join(lost[:5])} (seen, not allowed, beyond the list, or no vector)"


def named(share: ShareSettings) -> str:
    """Return a share in a few words, to name it in a message."""
    if share.new:
        return f"share {share.share:g} of new items"
    what = ", ".join(share.items[:3]) if share.field is None else share.field
    values = " or ".join(map(str, share.values[:3]))
    return f"share {share.share:g} of {what} {values}".strip()


def _check_shares(criteria: Criteria, shares: Sequence[ShareSettings]) -> None:
    whole = criteria.tail_share + sum(one.share for one in shares)
    if shares and whole > 1 + 1e-9:
        parts = [f"tail_share {criteria.tail_share:g}", *map(named, shares)]
        raise ConfigError(
            f"{' + '.join(parts)} = {whole:g}, more than the whole list",
            hint="lower one of them; recommend.tail_share counts too",
        )


def _left_out(filters: Sequence[Clause]) -> Iterator[Rule]:
    """Yield what the plain ``must_not`` of filters excludes, as rules."""
    for one in filters:
        refused = one.get("bool", {}).get("must_not", [])
        for each in refused if isinstance(refused, list) else [refused]:
            for field, value in (each.get("terms") or each.get("term") or {}).items():
                values = value if isinstance(value, list) else [value]
                if all(isinstance(value, str | int | float) for value in values) and values:
                    yield Rule(do="exclude", field=field, values=tuple(values))


def _disjoint(rule: Rule, share: ShareSettings) -> bool:
    if rule.field is None or rule.field != share.field:
        return False

    def over(one: Choice, other: Choice) -> bool:
        return one.least is not None and other.most is not None and one.least > other.most

    return over(rule, share) or over(share, rule)


def _bringing(plan: Plan) -> Criteria:
    """Return the criteria with the fields that caps, freshness and diversity look at."""
    exposure, fields = plan.exposure, plan.criteria.fields
    needed = [one.field for one in exposure.caps]
    needed += [exposure.fresh] if exposure.fresh else []
    if fields is not None:
        needed += ["vector"] if exposure.diversity else []
        return replace(plan.criteria, fields=tuple(dict.fromkeys((*fields, *needed))))
    return replace(plan.criteria, fields=("*",)) if exposure.diversity else plan.criteria


def _depth(plan: Plan) -> int:
    exposure, size = plan.exposure, plan.criteria.size
    looks = bool(exposure.caps) or bool(exposure.fresh) or exposure.diversity > 0
    # pinned items leave the list, and others move up
    return min(MOST_HITS, size * (exposure.depth if looks else 1) + len(plan.ruling.pins))


def _narrowed(criteria: Criteria, filters: Sequence[Clause]) -> Criteria:
    return replace(criteria, filters=(*criteria.filters, *filters)) if filters else criteria


def _vectors(responses: Sequence[Mapping[str, Any]]) -> dict[str, Vector]:
    hits = [hit for one in responses for hit in answers.hits_of(one)]
    found = {hit["_id"]: item_vector(hit["_source"]) for hit in hits}
    return {item_id: vector for item_id, vector in found.items() if vector is not None}


def _pinned(items: Sequence[Recommendation], plan: Plan) -> dict[int, Recommendation]:
    found = {one.item_id: replace(one, source=Source.PIN) for one in items}
    return {place: found[one] for place, one in plan.ruling.pins.items() if one in found}


def _without(items: Sequence[Recommendation], taken: set[str]) -> list[Recommendation]:
    return [one for one in items if one.item_id not in taken]


def _inserted(
    items: Sequence[Recommendation], pinned: Mapping[int, Recommendation], size: int
) -> list[Recommendation]:
    whole = list(items)
    for place in sorted(pinned):
        whole.insert(place - 1, pinned[place])
    return whole[:size]


def _shown(items: Sequence[Recommendation], criteria: Criteria) -> list[Recommendation]:
    """Return the items with the fields that the caller wants alone."""
    if criteria.fields is None:
        return list(items)
    wanted = set(criteria.fields)
    return [
        replace(one, fields={name: value for name, value in one.fields.items() if name in wanted})
        for one in items
    ]
