"""The values that templates take: each checked, and encoded as JSON before mustache sees it."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Final

import numpy as np
import orjson

from seealso.errors import TemplateError

Encode = Callable[[Any], str]


def encode(template: str, name: str, value: Any) -> str:
    """Return parameter `name` of a template as JSON text.

    Raises
    ------
    TemplateError
        The value is not what the parameter takes; the message says what it takes.
    """
    try:
        return ENCODERS[name](value)
    except ValueError as exc:
        raise TemplateError(
            f"{template}: parameter {name} {exc}", template=template, parameter=name
        ) from exc


def is_list(name: str) -> bool:
    """Tell whether parameter `name` is a list."""
    return ENCODERS[name] in (_vector, STRINGS, CLAUSES)


def check_known(template: str, params: Mapping[str, Any]) -> None:
    """Refuse a misspelt parameter: unnoticed, it would leave out a filter or an exclusion.

    Raises
    ------
    TemplateError
        No template takes a parameter of that name.
    """
    unknown = sorted(params.keys() - ENCODERS.keys())
    if unknown:
        raise TemplateError(
            f"{template}: unknown parameter {unknown[0]}",
            hint=f"templates take {', '.join(sorted(ENCODERS, key=str.lower))}",
            template=template,
            parameter=unknown[0],
        )


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, _as_dict, orjson.OPT_SERIALIZE_NUMPY).decode()
    except (orjson.JSONEncodeError, TypeError) as exc:
        raise ValueError(f"cannot be written as JSON: {exc}") from exc


def _as_dict(value: Any) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{_kind(value)} is no JSON")


def _vector(value: Any) -> str:
    try:
        array = np.asarray(value)
    except ValueError as exc:
        raise ValueError("must be a flat list of numbers") from exc
    if array.size == 0:
        raise ValueError("is empty")
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise ValueError(f"must be a flat list of numbers, not {_kind(value)}")
    if not np.isfinite(array).all():
        position = int(np.argmin(np.isfinite(array)))
        raise ValueError(f"has {array[position]} at position {position}")
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    return _json(np.ascontiguousarray(array))


def _list_of(kind: type, what: str, needs: str) -> Encode:
    def encode(value: Any) -> str:
        if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, Set)):
            raise ValueError(f"must be a list of {what}, not {_kind(value)}")
        for entry in value:
            if not isinstance(entry, kind):
                raise ValueError(
                    f"must be a list of {what}, but holds {_kind(entry)} where it needs {needs}"
                )
        return _json(list(value))

    return encode


def _is_number(value: Any) -> bool:
    real = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return real and bool(np.isfinite(value))


def _numbers_by_name(value: Any) -> str:
    for name, number in _mapping(value).items():
        if not isinstance(name, str) or not _is_number(number):
            raise ValueError(f"must be numbers by item id, but holds {name!r}: {number!r}")
    return _json(value)


def _object(value: Any) -> str:
    return _json(_mapping(value))


def _mapping(value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be an object, not {_kind(value)}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {_kind(value)}")
    return _json(value)[1:-1]


def _true(value: Any) -> str:
    if value is not True:
        raise ValueError(f"must be true or not given, not {value!r}")
    return "true"


def _whole(least: int) -> Encode:
    def encode(value: Any) -> str:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least:
            raise ValueError(f"must be a whole number from {least} on, not {value!r}")
        return str(int(value))

    return encode


def _number(limit: str = "", within: Callable[[float], bool] = np.isfinite) -> Encode:
    def encode(value: Any) -> str:
        if not _is_number(value) or not within(value):
            raise ValueError(f"must be a number{limit}, not {value!r}")
        return _json(value)

    return encode


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"


STRINGS: Final = _list_of(str, "strings", "strings")
CLAUSES: Final = _list_of(Mapping, "query clauses", "objects")
NOT_NEGATIVE: Final = _number(" from 0 on", lambda number: number >= 0)

ENCODERS: Mapping[str, Encode] = {
    "vector": _vector,
    "size": _whole(0),
    "k": _whole(1),
    "ef_search": _whole(1),
    "rescore": _whole(1),
    "exclude": STRINGS,
    "filter": CLAUSES,
    "min_score": NOT_NEGATIVE,
    "b": _number(),
    "T": _number(" above 0", lambda number: number > 0),
    "source": STRINGS,
    "fields": STRINGS,
    "words": _text,
    "space": _text,
    "weight": NOT_NEGATIVE,
    "candidates": CLAUSES,
    "members": CLAUSES,
    "explain": _true,
    "only_ids": _true,
    "docvalues": STRINGS,
    "ids": STRINGS,
    "boosts": _numbers_by_name,
    "query": _object,
    "from": _whole(0),
    "sort": CLAUSES,
    "aggs": _object,
    "highlight": _object,
    "collapse": _object,
    "post_filter": _object,
    "suggest": _object,
    "neutral": _number(),
}
"""Every parameter of every template; None or False mean "not given"."""
