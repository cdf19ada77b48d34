"""Finds out how a delimited stream is written: header, separator, escaped quotes."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Final

from seealso.config import FormatSettings
from seealso.errors import DataError
from seealso.readers.files.lines import LONGEST_LINE
from seealso.readers.files.sniffing import (
    allow_long_fields,
    find_escape,
    find_separator,
    has_blanks,
    open_csv,
    parse_sample,
    unescape,
)

MOST_COLUMNS: Final = 10_000
"""Most columns of a header."""

_SAMPLE_LINES = 200

# byte order marks and blanks of no width, as copying and joining files leave them
_INVISIBLE: Final = "\ufeff\u200b"


@dataclass(frozen=True)
class Dialect:
    """How a delimited stream is written, and what is read of it.

    Attributes
    ----------
    separator, quote
        The characters between and around fields; no quote where none is used.
    header
        The names of all columns.
    columns
        The positions of those that are read.
    first
        The number of the line behind the header.
    escape
        The character before a quote that belongs to a field, where there is one.
    surplus
        How many fields, all empty, each row has behind those that the header names.
    blanks
        Whether a blank follows each separator, also before quotes.
    """

    separator: str
    quote: str | None
    header: tuple[str, ...]
    columns: tuple[int, ...]
    first: int
    escape: str | None = None
    surplus: int = 0
    blanks: bool = False

    @property
    def width(self) -> int:
        """How many fields a row has."""
        return len(self.header) + self.surplus

    def unescape(self, line: str) -> str:
        """Return `line` with escaped quotes doubled instead."""
        return unescape(line, self.quote, self.escape)

    @property
    def names(self) -> list[str]:
        """The names of the columns that are read."""
        return [self.header[i] for i in self.columns]

    @property
    def others(self) -> tuple[str, ...]:
        """The names of those that are not."""
        return tuple(name for i, name in enumerate(self.header) if i not in self.columns)


def read_dialect(
    stream: io.BufferedReader,
    name: str,
    chosen: FormatSettings,
    *,
    default: str,
    columns: Collection[str] | None,
) -> Dialect:
    """Read the header of `stream` and find out how the stream is written.

    Parameters
    ----------
    stream
        UTF-8 without a byte order mark, at its start; afterwards behind the header.
    name
        What messages call the stream.
    chosen
        What is known of it; the separator is found out where none is named.
    default
        The separator that a file of this kind has as a rule.
    columns
        The columns that are read; None for all.

    Raises
    ------
    DataError
        There is no header, or it cannot be read.
    """
    passed, named = _pass_over(stream, columns or ())
    sample = [f"{line}\n" for line in stream.peek().decode("utf-8", "replace").split("\n")]
    head = sample[:_SAMPLE_LINES]
    separator = chosen.separator or named
    if separator is None:
        separator = find_separator(head, columns or (), default, chosen.quote)
    escape = chosen.escape or find_escape(sample, separator, chosen.quote)
    unescaped = [unescape(line, chosen.quote, escape) for line in head]
    blanks = has_blanks(unescaped, separator, chosen.quote)
    lines = (
        unescape(line.decode("utf-8", "replace"), chosen.quote, escape)
        for line in iter(lambda: stream.readline(LONGEST_LINE), b"")
    )
    reader = open_csv(islice(lines, _SAMPLE_LINES), separator, chosen.quote)
    try:
        with allow_long_fields():
            row = next(reader, [])
    except csv.Error as exc:
        raise DataError(
            f"{name} line {passed + 1}: the header cannot be read: {exc}",
            hint="the first line names the columns",
            file=name,
            line=passed + 1,
        ) from exc
    header = _clean_names(row)
    if not any(header):
        raise DataError(
            f"{name} is empty", hint="the first line must name the columns", file=name, line=1
        )
    if len(header) > MOST_COLUMNS:
        raise DataError(
            f"{name}: has {len(header):,} columns, more than {MOST_COLUMNS:,}",
            hint="the first line must name the columns",
            file=name,
        )
    rows = parse_sample(unescaped, separator, chosen.quote, blanks=blanks)
    _require_first(header, rows[1:], columns or (), name, passed + 1)
    header, surplus = _even_header(header, rows[1:])
    columns_read = _choose_columns(header, columns, name)
    first = passed + reader.line_num + 1
    return Dialect(separator, chosen.quote, header, columns_read, first, escape, surplus, blanks)


def _clean_names(row: Sequence[str]) -> tuple[str, ...]:
    return tuple(column.strip().strip(_INVISIBLE).strip() for column in row)


def _require_first(
    header: Sequence[str], rows: Sequence[list[str]], columns: Collection[str], name: str, line: int
) -> None:
    """Refuse a file with a title or comments above the line that names the columns."""
    if {*header} & {*columns}:
        return
    below = next((row for row in rows if {*_clean_names(row)} & {*columns}), None)
    if below is not None:
        raise DataError(
            f"{name} line {line}: does not name the columns, a line below does: {', '.join(below)}",
            hint="remove the lines above it: the first line must name the columns",
            file=name,
            line=line,
        )


def _pass_over(stream: io.BufferedReader, columns: Collection[str]) -> tuple[int, str | None]:
    """Skip blank lines and comments above the header; return the separator that Excel names."""
    passed = 0
    while start := stream.peek()[:LONGEST_LINE]:
        line = start.partition(b"\n")[0].strip(b"\r\n").lower()
        if line.startswith(b'"sep=') and line.endswith(b'"'):
            line = line[1:-1]
        named = line[4:].decode("utf-8", "replace") if line.startswith(b"sep=") else None
        # "#TYPE" of PowerShell, "# All Web Site Data" of Google Analytics
        comment = line.startswith(b"#") and not any(
            name.lower().encode() in line for name in columns or ("",)
        )
        if (named is None or len(named) != 1) and line.strip() and not comment:
            break
        stream.readline(LONGEST_LINE)
        passed += 1
        if named:
            return passed, named
    return passed, None


def _even_header(header: tuple[str, ...], rows: Sequence[list[str]]) -> tuple[tuple[str, ...], int]:
    """Return the header without empty fields at its end, and how many of them each row has.

    Some programs write a separator behind the last field of the header or of each row.
    """
    widths = Counter(len(row) for row in rows if not any(row[len(header) :]))
    width, count = max(widths.items(), key=itemgetter(1), default=(len(header), 0))
    if 2 * count <= len(rows) or any(header[width:]):
        return header, 0
    return header[:width], max(width - len(header), 0)


def _choose_columns(
    header: Sequence[str], columns: Collection[str] | None, name: str
) -> tuple[int, ...]:
    # a column without a name can be meant by nobody
    positions = tuple(
        i for i, column in enumerate(header) if (column if columns is None else column in columns)
    )
    names = [header[i] for i in positions]
    twice = [column for column in names if names.count(column) > 1]
    if twice:
        raise DataError(
            f"{name} line 1: two columns are called {twice[0]!r}",
            hint="give every column that is read a name of its own",
            file=name,
            line=1,
            field=twice[0],
        )
    return positions
