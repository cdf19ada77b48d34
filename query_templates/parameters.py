"""The values that templates take: each checked, and encoded as JSON before mustache sees it."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import orjson

from seealso.errors import TemplateError

Encode = Callable[[Any], str]


def encoded(name: str, value: Any) -> str:
    """Return parameter `name` with `value` as JSON text.

    Raises
    ------
    ValueError
        The value is not what the parameter takes; the message says what it takes.
    """
    return ENCODERS[name](value)


def is_list(name: str) -> bool:
    """Tell whether parameter `name` is a list."""
    return ENCODERS[name] in (_vector, _strings, _clauses)


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
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    except (orjson.JSONEncodeError, TypeError) as exc:
        raise ValueError(f"cannot be written as JSON: {exc}") from exc


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


def _strings(value: Any) -> str:
    if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, Set)):
        raise ValueError(f"must be a list of strings, not {_kind(value)}")
    strings = list(value)
    for entry in strings:
        if not isinstance(entry, str):
            raise ValueError(f"must be a list of strings, but holds {_kind(entry)}")
    return _json(strings)


def _clauses(value: Any) -> str:
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise ValueError(f"must be a list of query clauses, not {_kind(value)}")
    clauses = [dict(clause) for clause in value if isinstance(clause, Mapping)]
    if len(clauses) < len(value):
        raise ValueError("must be a list of query clauses (objects)")
    return _json(clauses)


def _numbers_by_name(value: Any) -> str:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be numbers by item id, not {_kind(value)}")
    for name, number in value.items():
        real = isinstance(number, (int, float, np.number)) and not isinstance(number, bool)
        if not isinstance(name, str) or not real or not np.isfinite(number):
            raise ValueError(f"must be numbers by item id, but holds {name!r}: {number!r}")
    return _json({name: float(number) for name, number in value.items()})


def _object(value: Any) -> str:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be an object, not {_kind(value)}")
    return _json(dict(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {_kind(value)}")
    return _json(value)[1:-1]


def _whole(least: int) -> Encode:
    def encode(value: Any) -> str:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least:
            raise ValueError(f"must be a whole number from {least} on, not {value!r}")
        return str(int(value))

    return encode


def _true(value: Any) -> str:
    if value is not True:
        raise ValueError(f"must be true or not given, not {value!r}")
    return "true"


def _number(above: float = -np.inf, least: float = -np.inf) -> Encode:
    def encode(value: Any) -> str:
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not np.isfinite(value) or value <= above or value < least:
            limit = f" above {above:g}" if above > -np.inf else ""
            limit = f" from {least:g} on" if least > -np.inf else limit
            raise ValueError(f"must be a number{limit}, not {value!r}")
        return _json(value)

    return encode


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"


ENCODERS: Mapping[str, Encode] = {
    "vector": _vector,
    "size": _whole(0),
    "k": _whole(1),
    "ef_search": _whole(1),
    "exclude": _strings,
    "filter": _clauses,
    "min_score": _number(least=0.0),
    "b": _number(),
    "T": _number(above=0.0),
    "source": _strings,
    "fields": _strings,
    "words": _text,
    "space": _text,
    "weight": _number(least=0.0),
    "candidates": _clauses,
    "members": _clauses,
    "explain": _true,
    "ids": _strings,
    "boosts": _numbers_by_name,
    "query": _object,
    "from": _whole(0),
    "sort": _clauses,
    "aggs": _object,
    "highlight": _object,
    "collapse": _object,
    "post_filter": _object,
    "suggest": _object,
    "neutral": _number(),
}
"""Every parameter of every template; None or False stand for "not given"."""
