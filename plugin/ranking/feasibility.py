"""Whether the guarantees of a list can be kept together; those that cannot are refused by name."""

from collections.abc import Iterator, Sequence

from seealso.config import CapSettings, Choice, Rule, ShareSettings
from seealso.errors import ConfigError
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.rules.ruling import contradiction, describe_rule, takes_all
from seealso.plugin.rules.taxonomy import Clause, Taxonomy


def check_sum(criteria: Criteria, shares: Sequence[ShareSettings]) -> None:
    """Refuse shares that are more than the whole list.

    Raises
    ------
    ConfigError
        They are; the message adds them up.
    """
    whole = criteria.tail_share + sum(one.share for one in shares)
    if shares and whole > 1 + 1e-9:
        parts = [f"tail_share {criteria.tail_share:g}", *map(describe_share, shares)]
        raise ConfigError(
            f"{' + '.join(parts)} = {whole:g}, more than the whole list",
            hint="lower one of them; recommend.tail_share counts too",
            caller_hint="lower tail_share",
        )


def check_share(
    share: ShareSettings,
    places: int,
    criteria: Criteria,
    caps: Sequence[CapSettings],
    rules: Sequence[Rule],
    tree: Taxonomy,
) -> None:
    """Refuse a share that nothing can fill.

    Parameters
    ----------
    share, places
        The share, and how many places it is.
    criteria, caps, rules, tree
        What else a list has to keep to.

    Raises
    ------
    ConfigError
        The share contradicts a cap, a rule or a filter; the message says which.
    """
    for cap in caps:
        if _is_below(cap, share, places, tree):
            raise contradiction(
                f"{describe_share(share)} ({places} places)",
                f"at most {cap.most} of one {cap.field}",
            )
    excluded = [rule for rule in rules if rule.do == "exclude"]
    excluded += _left_out(criteria.filters)
    against = [rule for rule in excluded if takes_all(rule, share, tree)]
    against += [rule for rule in rules if rule.do == "require" and _disjoint(rule, share)]
    for rule in against:
        raise contradiction(describe_share(share), describe_rule(rule))


def describe_share(share: ShareSettings) -> str:
    """Return a share in a few words, to name it in a message."""
    if share.new:
        return f"share {share.share:g} of new items"
    what = ", ".join(share.items[:3]) if share.field is None else share.field
    values = " or ".join(map(str, share.values[:3]))
    return f"share {share.share:g} of {what} {values}".strip()


def _is_below(cap: CapSettings, share: ShareSettings, needed: int, tree: Taxonomy) -> bool:
    """Tell whether a cap leaves a share of the same values too few places."""
    alike = cap.field == share.field != tree.field and cap.window is None
    return alike and 0 < cap.most * len(share.values) < needed


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
    """Tell whether the ranges of a rule and a share have no value in common."""
    if rule.field is None or rule.field != share.field:
        return False

    def over(one: Choice, other: Choice) -> bool:
        return one.least is not None and other.most is not None and one.least > other.most

    return over(rule, share) or over(share, rule)
