"""Parts of a request that are wrong, named as whoever sent it wrote them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

Place: TypeAlias = tuple[str | int, ...]
"""The names and numbers that lead to a part of a request."""

Refused: TypeAlias = dict[str, Any]
"""What is wrong with a part of a request: its ``field`` and the ``reason``, and where it is."""

OF_PYTHON: Final = frozenset({"dict_type", "model_type", "model_attributes_type"})
"""Refusals that pydantic words by dictionaries and classes: what JSON has is an object."""


def refused_fields(errors: Sequence[Any], sent: object) -> list[Refused]:
    """Return the fields that pydantic refuses, as `sent` has them, each once, with the reasons.

    Where one of several types may come, pydantic says what each of them lacks. Who sent an object
    meant the type that is one: what is wrong within it counts, not that it is no text.
    """
    reasons: dict[Place, dict[str, None]] = {}
    for one in errors:
        place = _place(one["loc"], sent, missing=one["type"] == "missing")
        reason = "Input should be an object" if one["type"] in OF_PYTHON else one["msg"]
        reasons.setdefault(place, {})[reason] = None
    return [
        {"field": ".".join(map(str, place)), "reason": " or ".join(several)}
        for place, several in reasons.items()
        if not any(len(place) < len(other) and other[: len(place)] == place for other in reasons)
    ]


def _place(names: Sequence[str | int], sent: Any, *, missing: bool) -> Place:
    """Return the names that lead to a value of `sent`, without those of pydantic's types."""
    place: list[str | int] = []
    for name in names:
        if isinstance(sent, Mapping):
            there = name in sent
        else:
            there = isinstance(sent, list) and isinstance(name, int) and name < len(sent)
        if there:
            sent = sent[name]
            place.append(name)
    return (*place, *names[-1:]) if missing else tuple(place)
