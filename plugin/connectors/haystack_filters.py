"""Haystack's filter language as query DSL.

As in Haystack's own stores, a document without the field is neither less nor greater, nothing is
less or greater than None, and "not equal" includes documents without the field.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seealso.errors import ConfigError

Clause = dict[str, Any]

NOT_FIELDS = frozenset({"content", "score", "probability", "by"})
"""Parts of a document that the index does not hold."""


def clauses(filters: Mapping[str, Any] | None) -> Clause | None:
    """Return `filters` as one clause of the query DSL, which may be given as well.

    Raises
    ------
    ConfigError
        An operator, field or value cannot be used.
    """
    if not filters:
        return None
    return _condition(filters) if "operator" in filters else dict(filters)


def _condition(condition: Mapping[str, Any]) -> Clause:
    operator = str(condition.get("operator"))
    if operator in _LOGICAL:
        inner = condition.get("conditions")
        if not isinstance(inner, Sequence) or isinstance(inner, str):
            raise _refused(f"{operator} needs a list of conditions")
        return _LOGICAL[operator]([_condition(one) for one in inner])
    if operator not in _COMPARISON:
        known = ", ".join((*_LOGICAL, *_COMPARISON))
        raise _refused(f"operator {operator!r} is none of {known}")
    if "field" not in condition or "value" not in condition:
        raise _refused(f"a condition with {operator} needs field and value")
    return _COMPARISON[operator](_field(str(condition["field"])), condition["value"])


def _field(named: str) -> str:
    name = named.removeprefix("meta.")
    if name in NOT_FIELDS:
        raise _refused(f"{named} is not a field of the index")
    return "item_id" if named == "id" else name


def _equal(field: str, value: Any) -> Clause:
    if value is None:
        return {"bool": {"must_not": [{"exists": {"field": field}}]}}
    return {"term": {field: value}}


def _among(field: str, value: Any) -> Clause:
    if not isinstance(value, list | tuple | set):
        raise _refused(f"'in' and 'not in' need a list, not {value!r:.40}")
    return _any([_equal(field, one) for one in value])


def _any(clauses: list[Clause]) -> Clause:
    # of no clauses at all, OpenSearch demands none
    if not clauses:
        return {"match_none": {}}
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _range(name: str) -> Callable[[str, Any], Clause]:
    def within(field: str, value: Any) -> Clause:
        if isinstance(value, list | tuple | set | dict):
            raise _refused(f"{field} cannot be compared with {value!r:.40}")
        # OpenSearch takes a null bound for none at all, which would let everything in
        if value is None:
            return {"match_none": {}}
        return {"range": {field: {name: value}}}

    return within


def _without(clause: Callable[[str, Any], Clause]) -> Callable[[str, Any], Clause]:
    return lambda field, value: {"bool": {"must_not": [clause(field, value)]}}


_LOGICAL: Mapping[str, Callable[[list[Clause]], Clause]] = {
    "AND": lambda inner: {"bool": {"filter": inner}},
    "OR": _any,
    "NOT": lambda inner: {"bool": {"must_not": [{"bool": {"filter": inner}}]}},
}

_COMPARISON: Mapping[str, Callable[[str, Any], Clause]] = {
    "==": _equal,
    "!=": _without(_equal),
    ">": _range("gt"),
    ">=": _range("gte"),
    "<": _range("lt"),
    "<=": _range("lte"),
    "in": _among,
    "not in": _without(_among),
}


def _refused(what: str) -> ConfigError:
    return ConfigError(
        f"filters: {what}",
        hint='for instance {"field": "meta.kind", "operator": "==", "value": "poetry"}',
        field="filters",
    )
