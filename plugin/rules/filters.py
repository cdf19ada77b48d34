"""Which fields the filters of a call compare: OpenSearch says nothing about one that is not there.

A filter on it would let nothing pass, or everything where it is negated.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from seealso.cluster.fields import IndexFields
from seealso.errors import ConfigError

COMPARING: Final = frozenset(
    {
        "term", "terms", "terms_set", "range", "match", "match_phrase", "match_phrase_prefix",
        "match_bool_prefix", "prefix", "wildcard", "regexp", "fuzzy",
    }
)  # fmt: skip
"""Queries whose keys are fields."""

LISTING: Final = frozenset(
    {"multi_match", "combined_fields", "query_string", "simple_query_string", "more_like_this"}
)
"""Queries that list fields, with a weight behind ``^``."""

NO_FIELDS: Final = frozenset({"boost", "_name"})


def check_filters(index: str, fields: IndexFields, filters: object) -> None:
    """Refuse filters on a field that an index does not have.

    Parameters
    ----------
    index, fields
        The index, and what it has.
    filters
        Clauses of the query DSL.

    Raises
    ------
    ConfigError
        It has no such field; the message names it.
    """
    for name in filtered_fields(filters):
        if not (name.startswith("_") or "*" in name or fields.has(name)):
            raise ConfigError(
                f"filters: index {index} has no field {name!r}",
                hint="`fields` of the items of a list show what they have; name another one in "
                "catalogue.keywords, numbers or lists, and build the index again",
                caller_hint="`fields` of the items of a list show what they have",
                field="filters",
            )


def filtered_fields(clause: object) -> Iterator[str]:
    """Yield the fields that a clause of the query DSL compares, and those within it."""
    if isinstance(clause, Mapping):
        for name, inner in clause.items():
            if not isinstance(inner, Mapping):
                yield from filtered_fields(inner)
            elif name == "exists":
                yield from (str(field) for key, field in inner.items() if key == "field")
            elif name in COMPARING:
                yield from (field for field in inner if field not in NO_FIELDS)
            elif name in LISTING:
                yield from _listed(inner.get("fields"))
            elif name != "params":
                yield from filtered_fields(inner)
    elif isinstance(clause, list | tuple):
        for one in clause:
            yield from filtered_fields(one)


def _listed(names: object) -> Iterator[str]:
    if isinstance(names, list | tuple):
        yield from (str(one).partition("^")[0] for one in names)
