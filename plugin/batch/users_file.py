"""Reads the users of a batch from a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson

from seealso.decoding import loads, open_utf8
from seealso.errors import DataError
from seealso.plugin.profiles.users import describe_user
from seealso.plugin.recommender import Recommender
from seealso.readers import parse_id
from seealso.readers.files.lines import TOO_LONG, number_lines
from seealso.types import User

USERS_AT_ONCE: Final = 64
"""Users that are looked up together, and whose lists share a request."""

FIELDS: Final = ("user_id", "history", "session", "words", "attributes")

LINE_HINT: Final = f"a line is a user id or {{{', '.join(FIELDS)}}}"


def read_users(file: Path, recommender: Recommender) -> Iterator[User]:
    """Yield the users of a file: an id a line, or a JSON object a line.

    An object may have ``user_id``, ``history`` and ``session`` (item ids, newest first), ``words``
    and ``attributes``.

    Raises
    ------
    DataError
        A line is neither; the message names it.
    """
    with file.open("rb") as raw, open_utf8(raw)[0] as lines:
        parsed = _parse(lines, str(file))
        while batch := list(islice(parsed, USERS_AT_ONCE)):
            known = recommender.known([line.user_id for line in batch if line.user_id is not None])
            yield from (line.describe(known) for line in batch)


@dataclass(frozen=True, slots=True)
class _Line:
    """The fields of one line, and its place in the file."""

    place: str
    fields: dict[str, Any]

    @property
    def user_id(self) -> str | None:
        """The id, if it is one."""
        value = self.fields.get("user_id")
        return str(value) if isinstance(value, str | int) else None

    def describe(self, known: Mapping[str, User]) -> User:
        """Return the user of the line."""
        if odd := sorted(self.fields.keys() - set(FIELDS)):
            raise DataError(f"{self.place}: unknown field {', '.join(odd)}", hint=LINE_HINT)
        try:
            return describe_user(known.get, **self.fields)
        except DataError as exc:
            raise DataError(
                f"{self.place}: {exc.message}", hint=LINE_HINT, caller_hint=None, **exc.context
            ) from exc


def _parse(lines: BufferedReader, file: str) -> Iterator[_Line]:
    for number, line in number_lines(lines):
        place = f"{file} line {number}"
        if line is None:
            raise DataError(f"{place}: {TOO_LONG}", hint=LINE_HINT)
        text = line.strip()
        try:
            if text.startswith(b"{"):
                fields = loads(text)
                yield _Line(place, {**fields, "user_id": _spell(fields.get("user_id"))})
            elif text:
                yield _Line(place, {"user_id": _spell(text.decode())})
        except UnicodeDecodeError as exc:
            raise DataError(f"{place}: not UTF-8", hint="save the file as UTF-8") from exc
        except orjson.JSONDecodeError as exc:
            raise DataError(f"{place}: not JSON: {exc}", hint=LINE_HINT) from exc


def _spell(user_id: Any) -> Any:
    """Return an id as it is read from events: 501.0, of a column of floats or texts, is 501."""
    if isinstance(user_id, float) and user_id.is_integer() and abs(user_id) < 2**53:
        return str(int(user_id))
    return parse_id(user_id) or user_id if isinstance(user_id, str) else user_id
