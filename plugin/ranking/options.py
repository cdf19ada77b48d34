"""Options of a list, and the criteria that options and settings make together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Final, Literal, TypeAlias, TypedDict, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from seealso.config import (
    ExposureSettings,
    RecommendSettings,
    Rule,
    describe_first_refusal,
    refusals,
)
from seealso.errors import ConfigError
from seealso.plugin.profiles.users import read_ids
from seealso.plugin.rules.ruling import without
from seealso.types import Path

Filter: TypeAlias = Mapping[str, Any]
"""One query DSL clause."""

RuleLike: TypeAlias = Rule | Mapping[str, Any]
"""A business rule, or its values by name."""

EXAMPLE: Final = """for instance {"do": "exclude", "field": "genres", "values": ["Horror"]}"""

PathName: TypeAlias = Path | Literal["auto", "exact", "ann", "reference"]
"""A path, or how its name is written."""

Section = TypeVar("Section", bound=BaseModel)

CHANGING: Final = ("size", "path", "min_probability", "tail_share")
"""Options that the settings' section ``recommend`` has as well."""


class PopularOptions(TypedDict, total=False):
    """Options of every list, as keywords; without them, the section ``recommend`` decides."""

    size: int | None
    """Length of the list."""
    filters: Filter | Sequence[Filter] | None
    """Query DSL clauses that every recommendation satisfies: one, or several."""
    exclude: Sequence[str] | None
    """Ids of items that are left out."""
    fields: Sequence[str] | None
    """Which catalogue fields to bring along; all of them by default."""
    rules: RuleLike | Sequence[RuleLike] | None
    """Business rules of this list, before those of the settings: one, or several."""
    without_rules: bool
    """Leave out the rules of the settings. What is blocked stays blocked."""


class ListOptions(PopularOptions, total=False):
    """Options of every list that a vector ranks, as keywords."""

    path: PathName | None
    """Which path ranks: ``auto``, ``exact``, ``ann`` or ``reference``."""
    min_probability: float | None
    """Recommendations below it are left out."""


class UserListOptions(ListOptions, total=False):
    """Options of lists for users and groups, as keywords."""

    tail_share: float | None
    """Share of the places that are for tail items."""
    diversity: float | None
    """How much difference from the items above counts, from 0 to 1; ``exposure.diversity`` of the
    settings by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendOptions:
    """Options of one list; where they are None, the settings' section ``recommend`` decides.

    Attributes
    ----------
    size, path, filters, exclude, min_probability, tail_share, diversity, fields, rules
        As in `UserListOptions`.
    without_rules
        As in `UserListOptions`.
    """

    size: int | None = None
    path: PathName | None = None
    filters: Filter | Sequence[Filter] | None = None
    exclude: Sequence[str] | None = None
    min_probability: float | None = None
    tail_share: float | None = None
    diversity: float | None = None
    fields: Sequence[str] | None = None
    rules: RuleLike | Sequence[RuleLike] | None = None
    without_rules: bool = False

    def resolve(self, settings: RecommendSettings) -> "Criteria":
        """Return what a list must be by these options and, where they are None, by `settings`.

        Raises
        ------
        ConfigError
            An option is out of range, or of the wrong type.
        DataError
            One of `exclude` is no id.
        """
        changes = {name: getattr(self, name) for name in CHANGING}
        return Criteria(
            **dict(changed(settings, changes)),
            diversity=_diversity(self.diversity),
            filters=(*_clauses(self.filters), *_left_out(self.exclude)),
            fields=_names(self.fields),
            rules=read_rules(() if self.rules is None else self.rules),
            without_rules=self.without_rules,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a list must be: options and settings together, each value checked.

    Attributes
    ----------
    size, path, min_probability, tail_share, diversity, filters, fields, rules, without_rules
        As in `RecommendOptions`; `fields` is None for all of them, `diversity` for that of the
        settings.
    exact_limit, ef_search, words, field_weights
        As in the settings' section ``recommend``.
    """

    size: int
    path: Path | Literal["auto"]
    min_probability: float
    tail_share: float
    diversity: float | None = None
    filters: tuple[Filter, ...] = ()
    fields: tuple[str, ...] | None = None
    rules: tuple[Rule, ...] = ()
    without_rules: bool = False
    exact_limit: int | None
    ef_search: int | None
    words: int
    field_weights: Mapping[str, float] = field(default_factory=dict)

    def narrow(self, filters: Sequence[Filter]) -> "Criteria":
        """Return the same with further clauses that every recommendation satisfies."""
        return replace(self, filters=(*self.filters, *filters)) if filters else self


def changed(section: Section, changes: Mapping[str, object]) -> Section:
    """Return a section of the settings with `changes`, those that are None left out.

    Raises
    ------
    ConfigError
        A change is out of range.
    """
    chosen = {name: value for name, value in changes.items() if value is not None}
    try:
        return section.model_validate({**section.model_dump(), **chosen})
    except ValidationError as exc:
        raise _out_of_range(exc) from exc


def read_rules(rules: Any) -> tuple[Rule, ...]:
    """Return the rules of a request: rules, or what makes one, or several of them.

    Raises
    ------
    ConfigError
        One is no rule; the message says what is wrong with it.
    """
    several = (rules,) if isinstance(rules, Mapping | Rule) else rules
    if isinstance(several, str) or not isinstance(several, Sequence):
        raise ConfigError(f"rules: {rules!r:.80} is not a rule, nor a list of them", hint=EXAMPLE)
    return tuple(_read(number, rule) for number, rule in enumerate(several, 1))


def _diversity(value: float | None) -> float | None:
    """Return the diversity of a list, checked as that of the settings is."""
    return None if value is None else changed(ExposureSettings(), {"diversity": value}).diversity


def _clauses(filters: Filter | Sequence[Filter] | None) -> tuple[Filter, ...]:
    clauses = (filters,) if isinstance(filters, Mapping) else () if filters is None else filters
    several = isinstance(clauses, Sequence) and not isinstance(clauses, str | bytes)
    if not several or not all(isinstance(one, Mapping) for one in clauses):
        raise ConfigError(
            f"filters: {filters!r:.80} is not a query DSL clause, nor a list of them",
            hint='for instance {"term": {"genres": "Drama"}}',
            field="filters",
        )
    return tuple(read_clause(one, "filters") for one in clauses)


def _left_out(exclude: Sequence[str] | None) -> tuple[Filter, ...]:
    """Return the clause that leaves items out, none for no items.

    A clause like any other holds in every search of a list, so that the list stays full.
    """
    ids = () if exclude is None else read_ids("exclude", exclude)
    return (without({"ids": {"values": [*dict.fromkeys(ids)]}}),) if ids else ()


def read_clause(clause: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Return a part of a request as JSON has it: other mappings, times, numpy's numbers as plain.

    Parameters
    ----------
    clause
        What a caller gave.
    field
        What the caller calls it.

    Raises
    ------
    ConfigError
        It holds a value that JSON cannot hold.
    """
    try:
        encoded = orjson.dumps(clause, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY)
        if _has_infinite(clause):
            raise TypeError("NaN and infinity are no numbers of JSON")
    except TypeError as exc:
        raise ConfigError(
            f"{field}: {clause!r:.80} cannot be sent as JSON: {exc}",
            hint="use texts, finite numbers, true, false, lists, and objects with texts as names",
            field=field,
        ) from exc
    plain: dict[str, Any] = orjson.loads(encoded)
    return plain


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r:.40} is a {type(value).__name__}")


def _has_infinite(value: object) -> bool:
    """Whether a number in `value` is not finite: as null, it would filter nothing."""
    if isinstance(value, Mapping):
        return any(map(_has_infinite, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_infinite, value))
    return isinstance(value, float) and not isfinite(value)


def _names(fields: Sequence[str] | None) -> tuple[str, ...] | None:
    if isinstance(fields, str):
        raise ConfigError(
            f"fields: must be several names, not {fields!r}", hint=f"({fields!r},)", field="fields"
        )
    return None if fields is None else tuple(fields)


def _out_of_range(exc: ValidationError) -> ConfigError:
    """Return the error that names the option, what it must be, and what it is."""
    first = refusals(exc)[0]
    return ConfigError(
        f"{first}, not {first.value!r:.60}",
        hint="docs/reference/settings.md",
        caller_hint="leave it out for the default",
        field=first.place[0],
    )


def _read(number: int, rule: Any) -> Rule:
    if isinstance(rule, Rule):
        return rule
    try:
        return Rule.model_validate(rule)
    except ValidationError as exc:
        raise ConfigError(f"rule {number}: {describe_first_refusal(exc)}", hint=EXAMPLE) from exc
