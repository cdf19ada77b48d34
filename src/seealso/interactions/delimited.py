"""Rows of CSV and TSV streams with their real line numbers, a block of lines at a time.

Polars parses a block; the csv module takes over where a row can span lines or is broken, because
it says on which line each row ends and goes on after a broken one.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

import polars as pl

from seealso.errors import DataError
from seealso.interactions.columns import LONGEST_TEXT
from seealso.interactions.rows import Rows

BLOCK_BYTES = 2_000_000


@dataclass(frozen=True)
class _Shape:
    header: tuple[str, ...]
    separator: str


def read_delimited(
    stream: BinaryIO, separator: str, name: str, *, batch_rows: int
) -> Iterator[Rows]:
    """Yield the rows below the header line of `stream`, every column as text.

    Parameters
    ----------
    stream
        UTF-8, with or without a byte order mark.
    separator
        One character. Fields may be quoted with ``"`` and then hold line breaks.
    name
        What messages call the stream.
    batch_rows
        Most rows of one batch.

    Raises
    ------
    DataError
        There is no header, or it cannot be read.
    """
    header, line = _header(stream, separator, name)
    shape = _Shape(header, separator)
    while block := stream.read(BLOCK_BYTES):
        block += stream.readline()
        rows = _by_polars(block, shape, line)
        if rows is None:
            rows, line = _by_csv(block, stream, shape, line)
        else:
            line += rows.frame.height
        yield from _cut(rows, batch_rows)


def _header(stream: BinaryIO, separator: str, name: str) -> tuple[tuple[str, ...], int]:
    lines = (raw.decode("utf-8-sig") for raw in iter(stream.readline, b""))
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        row = next(reader, [])
    except (UnicodeDecodeError, csv.Error) as exc:
        raise DataError(
            f"{name} line 1: the header cannot be read: {exc}",
            hint="the first line names the columns; save the file as UTF-8",
            file=name,
            line=1,
        ) from exc
    header = tuple(column.strip() for column in row)
    if not any(header):
        raise DataError(
            f"{name} is empty", hint="the first line must name the columns", file=name, line=1
        )
    twice = [column for column in header if header.count(column) > 1]
    if twice:
        raise DataError(
            f"{name} line 1: two columns are called {twice[0]!r}",
            hint="give every column a name of its own",
            file=name,
            line=1,
            field=twice[0],
        )
    return header, reader.line_num + 1


def _by_polars(block: bytes, shape: _Shape, first: int) -> Rows | None:
    """Return the rows of `block`, or None where not every line is a plain, whole row."""
    if b'"' in block or b"\n\n" in block or b"\n\r\n" in block or block[:1] in b"\r\n":
        return None
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            new_columns=list(shape.header),
            separator=shape.separator,
            quote_char=None,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError:
        return None
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    # polars fills short rows with nulls: too few separators give them away
    separators = lines * (len(shape.header) - 1)
    if frame.height != lines or block.count(shape.separator.encode()) != separators:
        return None
    return Rows(frame, range(first, first + lines))


def _by_csv(block: bytes, stream: BinaryIO, shape: _Shape, first: int) -> tuple[Rows, int]:
    """Return the rows of `block`, read on to the end of its last row, and the next line."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    raw = chain(io.BytesIO(block), iter(stream.readline, b""))
    # what is not UTF-8 comes through as lone surrogates, so that its field can be named
    text = (line.decode("utf-8", "surrogateescape") for line in raw)
    reader = csv.reader(text, delimiter=shape.separator, strict=True)
    good: list[list[str]] = []
    places: list[int] = []
    broken: list[tuple[int, str]] = []
    with _field_limit(LONGEST_TEXT):
        while reader.line_num < lines:
            place = first + reader.line_num
            try:
                row = next(reader)
            except csv.Error as exc:
                broken.append((place, _reason(exc, first + reader.line_num - 1)))
                continue
            fault = _fault(row, shape.header)
            if fault:
                broken.append((place, fault))
            elif row:
                good.append(row)
                places.append(place)
    columns = {name: [row[i] or None for row in good] for i, name in enumerate(shape.header)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(shape.header, pl.String))
    return Rows(frame, places, broken), first + reader.line_num


def _fault(row: Sequence[str], header: Sequence[str]) -> str | None:
    if row and len(row) != len(header):
        fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
        return f"{fields} where the header has {len(header)}"
    for name, value in zip(header, row, strict=False):
        try:
            value.encode()
        except UnicodeEncodeError as exc:
            return f"{name} is not UTF-8 (byte 0x{ord(value[exc.start]) & 0xFF:02x})"
    return None


def _reason(exc: csv.Error, last: int) -> str:
    if "field limit" in str(exc):
        return (
            f"a quoted field has more than {LONGEST_TEXT:,} characters or is never closed "
            f"(lost up to line {last})"
        )
    if "unexpected end" in str(exc):
        return "a quoted field is never closed"
    return str(exc)


@contextmanager
def _field_limit(characters: int) -> Iterator[None]:
    # the csv module has one limit for the whole process; others get theirs back
    before = csv.field_size_limit(characters)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _cut(rows: Rows, size: int) -> Iterator[Rows]:
    if rows.frame.height <= size:
        yield rows
        return
    for start in range(0, rows.frame.height, size):
        places = rows.places[start : start + size]
        below = rows.places[start - 1] if start else 0
        last = start + size >= rows.frame.height
        broken = [
            (place, reason)
            for place, reason in rows.broken
            if below < place and (last or place < places[-1])
        ]
        yield Rows(rows.frame.slice(start, size), places, broken)
