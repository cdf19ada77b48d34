"""The base of every section of settings, and the message about a refused value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class Section(BaseModel):
    """A group of settings: frozen; unknown keys, infinity and NaN refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


MUST_BE: Final = {
    "model_type": "must be an object with names and values",
    "dict_type": "must be an object with names and values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "extra_forbidden": "no such name",
    "missing": "is missing",
}
"""What a value must be, where pydantic's own sentence speaks of Python."""

PATTERNS: Final = {
    r"^[a-z0-9][a-z0-9_.-]*$": "lower-case letters, digits, and . _ - behind the first",
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": "letters, digits, and . _ - behind the first",
    r"^[a-z0-9-]+$": "lower-case letters, digits and -",
    "%": "the format of strptime, such as %d.%m.%Y",
}
"""What a text must be made of, by the pattern that it must match."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A value that was refused.

    Attributes
    ----------
    place
        The names that lead to it.
    must_be
        What it must be, to go on a sentence behind its name.
    unknown
        Whether there is no such name at all.
    value
        What it is.
    """

    place: tuple[str, ...]
    must_be: str
    unknown: bool
    value: object

    def __str__(self) -> str:
        """Return the name and what its value must be."""
        return f"{'.'.join(self.place)}: {self.must_be}".removeprefix(": ")


def refusals(exc: ValidationError) -> list[Refusal]:
    """Return the values that were refused, each once: pydantic tells them without its words."""
    by_place: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for error in exc.errors():
        # of a choice between types, each is at a place of its own: path, str-enum[Path]
        place = tuple(str(part) for part in error["loc"] if "[" not in str(part))
        by_place.setdefault(place, []).append(error)
    return [
        Refusal(place, _must_be(errors), errors[0]["type"] == "extra_forbidden", errors[0]["input"])
        for place, errors in by_place.items()
    ]


def describe_first_refusal(exc: ValidationError) -> str:
    """Say which value was refused first, and what it must be."""
    return str(refusals(exc)[0])


def _must_be(errors: Sequence[ErrorDetails]) -> str:
    first = errors[0]
    allowed = [
        name
        for error in errors
        if error["type"] in ("enum", "literal_error")
        for name in re.findall("'([^']*)'", error["ctx"]["expected"])
    ]
    if allowed:
        return f"must be one of {', '.join(allowed)}"
    if first["type"] == "string_pattern_mismatch":
        pattern = first["ctx"]["pattern"]
        return f"must be {PATTERNS.get(pattern, f'a text that matches {pattern}')}"
    message = first["msg"].removeprefix("Value error, ").partition(", unable to parse")[0]
    message = re.sub(r"^\w+ should ", "must ", message).replace("a valid integer", "a whole number")
    return MUST_BE.get(first["type"], message.replace("a valid number", "a number"))
