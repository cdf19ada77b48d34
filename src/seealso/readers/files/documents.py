"""Rows of JSON streams: an object on each line, one array of objects, or objects of many lines."""

from codecs import BOM_UTF8
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from typing import Any, Final, TypeAlias

import orjson

from seealso.decoding import loads
from seealso.readers.files.arrays import JsonRows, NotJson, list_within
from seealso.readers.files.lines import LONGEST_LINE, TOO_LONG, number_lines
from seealso.readers.rows import Record, Rows, build_frame, select_named

MOST_KEYS: Final = 10_000
"""Most keys of one row, those of inner objects counted."""

DEEPEST: Final = 100
"""Most objects and lists within each other."""

MOST_CELLS: Final = 5_000_000
"""Most rows times columns of a batch: rows may each have columns of their own."""


@dataclass(frozen=True)
class _Fault:
    """Why something is no row."""

    reason: str


_Parsed: TypeAlias = tuple[int, Record | _Fault]


def read_json(
    stream: BufferedReader, name: str, columns: Collection[str] | None = None, *, batch_rows: int
) -> Iterator[Rows]:
    """Yield the objects of `stream`: one on each line, in an array, or one after the other.

    Parameters
    ----------
    stream
        UTF-8 without a byte order mark.
    name
        What messages call the stream.
    columns
        The columns that are read, those of inner objects as ``object.field``; None for all.
    batch_rows
        Most rows of one batch.

    Raises
    ------
    DataError
        It is not written in lines, and breaks off.
    """
    if _has_lines(stream.peek().lstrip(), columns):
        parsed = _parse_lines(stream)
    else:
        parsed = _parse_values(stream, name, columns)
    batch: list[_Parsed] = []
    names: set[str] = set()
    for place, found in parsed:
        batch.append((place, found))
        if columns is None and not isinstance(found, _Fault):
            names.update(_list_names(found))
        if len(batch) == batch_rows or len(batch) * len(names) > MOST_CELLS:
            yield _build_rows(batch, columns)
            batch, names = [], set()
    if batch:
        yield _build_rows(batch, columns)


def parse_lines(lines: Iterable[tuple[int, bytes]], columns: Collection[str] | None = None) -> Rows:
    """Return the objects of some lines, each line with its number from 1; blank ones left out."""
    parsed = ((place, _parse(line, place)) for place, line in lines)
    return _build_rows([(place, found) for place, found in parsed if found is not None], columns)


def _parse_lines(stream: BufferedReader) -> Iterator[_Parsed]:
    for place, line in number_lines(stream):
        found = _Fault(TOO_LONG) if line is None else _parse(line, place)
        if found is not None:
            yield place, found


def _has_lines(head: bytes, columns: Collection[str] | None) -> bool:
    """Return whether a stream that begins with `head` has an object on each line."""
    if not head.startswith((b"[", b"{")):
        return True
    if head.startswith(b"["):
        return False
    first, *others = (line.strip() for line in head.split(b"\n") if line.strip())
    found = _load(first)
    if found is not None or not first.endswith((b"{", b"[", b",")):
        return list_within(found, columns) is None
    # a line that is cut off stands among others that are whole
    return first.endswith(b",") and any(_load(line) is not None for line in others[:1])


def _load(line: bytes) -> Any:
    try:
        return loads(line)
    except orjson.JSONDecodeError:
        return None


def _parse_values(
    stream: BufferedReader, name: str, columns: Collection[str] | None
) -> Iterator[_Parsed]:
    for place, found in JsonRows(stream, name, columns):
        if isinstance(found, NotJson):
            where = f" (on line {found.line})" if found.line != place else ""
            yield place, _Fault(f"{found.reason}{where}")
        else:
            yield place, _check(found, may_be_large=True)


def _parse(line: bytes, place: int) -> Record | _Fault | None:
    text = line.strip() if place > 1 else line.removeprefix(BOM_UTF8).strip()
    if not text:
        return None
    if len(text) > LONGEST_LINE:
        return _Fault(TOO_LONG)
    try:
        found = loads(text)
    except orjson.JSONDecodeError as exc:
        return _Fault(f"not JSON: {exc.msg} (column {exc.colno})")
    may_be_large = text.count(b"{") + text.count(b"[") > DEEPEST or text.count(b":") > MOST_KEYS
    return _check(found, may_be_large=may_be_large)


def _check(found: Any, *, may_be_large: bool) -> Record | _Fault:
    if not isinstance(found, dict):
        return _Fault("not a JSON object")
    return (_too_large(found) if may_be_large else None) or found


def _too_large(record: Record) -> _Fault | None:
    keys, depth = 0, 0
    level: list[Any] = [record]
    while level:
        depth += 1
        keys += sum(len(one) for one in level if isinstance(one, dict))
        if depth > DEEPEST:
            return _Fault(f"has more than {DEEPEST} objects or lists within each other")
        if keys > MOST_KEYS:
            return _Fault(f"has more than {MOST_KEYS:,} keys")
        inner = (each for one in level for each in (one.values() if isinstance(one, dict) else one))
        level = [each for each in inner if isinstance(each, dict | list)]
    return None


def _build_rows(batch: list[_Parsed], columns: Collection[str] | None) -> Rows:
    broken = [(place, found.reason) for place, found in batch if isinstance(found, _Fault)]
    good = [(place, found) for place, found in batch if not isinstance(found, _Fault)]
    records, others = select_named([found for _, found in good], columns)
    places = [place for place, _ in good]
    return Rows(build_frame(records), places, broken, sparse=True, others=others)


def _list_names(record: Record) -> Iterator[str]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner in _list_names(value))
        else:
            yield name
