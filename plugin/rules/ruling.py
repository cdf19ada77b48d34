"""Business rules become queries: filters, tiers of what is boosted alike, and pinned items.

Pure functions over settings. A rule that boosts changes the order between the items that it
selects and the others, never within either part. So a list needs only the best of each tier, and
the ranking stays exact on every path.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seealso.config import Choice, Rule
from seealso.errors import ConfigError
from seealso.plugin.rules.taxonomy import Clause, Taxonomy, any_of

MOST_BOOSTS: Final = 16
"""Most rules that boost or bury: each is one more search of a list."""


@dataclass(frozen=True, slots=True)
class BoostTier:
    """Items that the rules boost alike.

    Attributes
    ----------
    filters
        What they have in common.
    factor, add
        Make ``factor * x + add`` of x; below 0, ``x / factor + add``: a factor above 1 raises
        what is below 0, too, and the order within the tier stays.
    last
        Whether they go to the end of the list.
    """

    filters: tuple[Clause, ...] = ()
    factor: float = 1.0
    add: float = 0.0
    last: bool = False

    @property
    def neutral(self) -> bool:
        """Whether nothing is added to any value."""
        return self.factor == 1.0 and self.add == 0.0

    def boost(self, value: float) -> float:
        """Return what is added to `value` of an item."""
        scaled = value * self.factor if value >= 0 else value / self.factor
        return scaled - value + self.add


@dataclass(frozen=True, slots=True)
class Ruling:
    """What rules make of a list.

    Attributes
    ----------
    filters
        What every item satisfies.
    tiers
        What is boosted alike; together they are the whole catalogue.
    pins
        Items by place, from 1 on.
    """

    filters: tuple[Clause, ...]
    tiers: tuple[BoostTier, ...]
    pins: Mapping[int, str]


def clause(choice: Choice, taxonomy: Taxonomy) -> Clause:
    """Return the query for the items that a rule or a share selects."""
    parts: list[Clause] = []
    if choice.items:
        parts.append({"ids": {"values": list(choice.items)}})
    if choice.field is not None:
        limits = {"gte": choice.least, "lte": choice.most}
        limits = {name: value for name, value in limits.items() if value is not None}
        if choice.values:
            parts.append(taxonomy.clause(choice.field, choice.values))
        if limits:
            parts.append({"range": {choice.field: limits}})
    return parts[0] if len(parts) == 1 else {"bool": {"filter": parts}}


def without(*clauses: Clause) -> Clause:
    """Return the query for what satisfies none of `clauses`."""
    return {"bool": {"must_not": list(clauses)}}


def ruling(rules: Sequence[Rule], taxonomy: Taxonomy) -> Ruling:
    """Return what `rules` make of a list, the first ones first.

    Raises
    ------
    ConfigError
        Two rules contradict each other; the message says which.
    """
    check(rules, taxonomy)
    filters = [clause(rule, taxonomy) for rule in rules if rule.do == "require"]
    filters += [without(clause(rule, taxonomy)) for rule in rules if rule.do == "exclude"]
    return Ruling(tuple(filters), tuple(_tiers(rules, taxonomy)), _pins(rules))


def describe_rule(rule: Rule) -> str:
    """Return a rule in a few words, to name it in a message."""
    what = [f"items {', '.join(rule.items[:3])}"] if rule.items else []
    if rule.field is not None:
        values = [" or ".join(map(str, rule.values[:3]))] if rule.values else []
        least = [f"from {rule.least:g}"] if rule.least is not None else []
        most = [f"to {rule.most:g}"] if rule.most is not None else []
        what.append(" ".join([rule.field, *values, *least, *most]))
    return f"{rule.do} {', '.join(what)}"


def check(rules: Sequence[Rule], taxonomy: Taxonomy) -> None:
    """Refuse a rule that excludes what another one requires, pins or boosts.

    Raises
    ------
    ConfigError
        Two rules contradict each other, or too many boost.
    """
    if sum(rule.do in ("boost", "bury") for rule in rules) > MOST_BOOSTS:
        raise ConfigError(
            f"rules: more than {MOST_BOOSTS} boost or bury",
            hint="put values of a field in one rule",
        )
    for excluded in (rule for rule in rules if rule.do == "exclude"):
        for other in (rule for rule in rules if rule.do in ("require", "pin", "boost")):
            if takes_all(excluded, other, taxonomy):
                raise contradiction(describe_rule(other), describe_rule(excluded))


def takes_all(excluded: Choice, other: Choice, taxonomy: Taxonomy) -> bool:
    """Tell whether `excluded` covers all that another choice covers, as far as values say."""
    if excluded.field is None:
        return bool(other.items) and set(other.items) <= set(excluded.items)
    if excluded.items or excluded.field != other.field:
        return False
    if excluded.least is not None or excluded.most is not None:
        low = excluded.least is None or (other.least is not None and other.least >= excluded.least)
        high = excluded.most is None or (other.most is not None and other.most <= excluded.most)
        return not excluded.values and low and high
    name, nodes = excluded.field, excluded.values
    return bool(other.values) and all(
        any(taxonomy.covers(name, node, value) for node in nodes) for value in other.values
    )


def contradiction(one: str, other: str) -> ConfigError:
    """Return the error that names two rules that cannot both hold."""
    return ConfigError(
        f"{one} contradicts {other}",
        hint="leave out one of them; see docs/how-to/rules.md",
        caller_hint="leave out one of them",
    )


def _tiers(rules: Sequence[Rule], taxonomy: Taxonomy) -> Iterator[BoostTier]:
    before: list[Clause] = []
    for rule in rules:
        if rule.do in ("boost", "bury"):
            items = clause(rule, taxonomy)
            others = (without(any_of(before)),) if before else ()
            last = rule.do == "bury" and rule.factor is None
            yield BoostTier((items, *others), rule.factor or 1.0, rule.add or 0.0, last)
            before.append(items)
    yield BoostTier((without(any_of(before)),) if before else ())


def _pins(rules: Sequence[Rule]) -> dict[int, str]:
    """Return the pinned items by place, each at the first of its places."""
    places: dict[int, str] = {}
    for rule in (rule for rule in rules if rule.do == "pin"):
        for place, item_id in enumerate(rule.items, rule.position or 1):
            if places.setdefault(place, item_id) != item_id:
                raise contradiction(f"pin {places[place]} at {place}", f"pin {item_id} at {place}")
    first: dict[str, int] = {}
    for place, item_id in places.items():
        first.setdefault(item_id, place)
    return {place: item_id for item_id, place in first.items()}
