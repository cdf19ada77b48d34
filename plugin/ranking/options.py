"""What a caller may ask of a list: named options, and the criteria that settings make of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from seealso.config import RecommendSettings, Rule, describe_refusal
from seealso.errors import ConfigError
from seealso.plugin.rules.ruling import read_rules
from seealso.types import Path

Filter: TypeAlias = Mapping[str, Any]
"""One query DSL clause."""

RuleLike: TypeAlias = Rule | Mapping[str, Any]
"""A business rule, or its values by name."""

Section = TypeVar("Section", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendOptions:
    """Options of one list; the settings' section ``recommend`` holds where they are None.

    Attributes
    ----------
    size
        Length of the list.
    path
        Which path ranks: ``auto``, ``exact``, ``ann`` or ``reference``.
    filters
        Query DSL clauses that every recommendation satisfies: one, or several.
    min_probability
        Recommendations below it are left out.
    tail_share
        Share of the positions that tail items are sure of.
    fields
        Which catalogue fields to bring along; all of them by default.
    rules
        Business rules of this list, before those of the settings: one, or several.
    without_rules
        Leave out the rules of the settings. What is blocked stays blocked.
    """

    size: int | None = None
    path: Path | str | None = None
    filters: Filter | Sequence[Filter] | None = None
    min_probability: float | None = None
    tail_share: float | None = None
    fields: Sequence[str] | None = None
    rules: RuleLike | Sequence[RuleLike] | None = None
    without_rules: bool = False

    def resolve(self, settings: RecommendSettings) -> "Criteria":
        """Return what a list must be by these options and, where they say nothing, `settings`.

        Raises
        ------
        ConfigError
            An option is out of range, or of the wrong type.
        """
        chosen = changed(
            settings,
            {
                "size": self.size,
                "path": self.path,
                "min_probability": self.min_probability,
                "tail_share": self.tail_share,
            },
        )
        return Criteria(
            size=chosen.size,
            path=chosen.path,
            min_probability=chosen.min_probability,
            tail_share=chosen.tail_share,
            filters=_clauses(self.filters),
            fields=_names(self.fields),
            rules=read_rules(() if self.rules is None else self.rules),
            without_rules=self.without_rules,
            exact_limit=chosen.exact_limit,
            ef_search=chosen.ef_search,
            words=chosen.words,
            field_weights=chosen.field_weights,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a list must be: options and settings together, each value checked.

    Attributes
    ----------
    size, path, min_probability, tail_share, filters, fields, rules, without_rules
        As in `RecommendOptions`; `fields` is None for all of them.
    exact_limit, ef_search, words, field_weights
        As in the settings' section ``recommend``.
    """

    size: int
    path: Path | Literal["auto"]
    min_probability: float
    tail_share: float
    filters: tuple[Filter, ...] = ()
    fields: tuple[str, ...] | None = None
    rules: tuple[Rule, ...] = ()
    without_rules: bool = False
    exact_limit: int | None
    ef_search: int
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
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        return section.model_validate({**section.model_dump(), **given})
    except ValidationError as exc:
        raise _out_of_range(exc) from exc


def _clauses(given: Filter | Sequence[Filter] | None) -> tuple[Filter, ...]:
    clauses = (given,) if isinstance(given, Mapping) else () if given is None else given
    several = isinstance(clauses, Sequence) and not isinstance(clauses, str | bytes)
    if not several or not all(isinstance(one, Mapping) for one in clauses):
        raise ConfigError(
            f"filters: {given!r:.80} is not a query DSL clause, nor a list of them",
            hint='for instance {"term": {"genres": "Drama"}}',
            field="filters",
        )
    return tuple(clauses)


def _names(given: Sequence[str] | None) -> tuple[str, ...] | None:
    if isinstance(given, str):
        raise ConfigError(
            f"fields: must be several names, not {given!r}", hint=f"({given!r},)", field="fields"
        )
    return None if given is None else tuple(given)


def _out_of_range(exc: ValidationError) -> ConfigError:
    """Return the error that names the setting, what it must be, and what was given."""
    first = exc.errors()[0]
    name = str(first["loc"][0])
    wanted = describe_refusal(first)
    if name == "path":
        wanted = f"must be one of auto, {', '.join(path.value for path in Path)}"
    return ConfigError(
        f"{name}: {wanted}, not {first['input']!r:.60}",
        hint="docs/reference/settings.md",
        field=name,
    )
