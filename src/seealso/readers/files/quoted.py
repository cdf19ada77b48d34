"""Reads delimited rows with quotes, which may span lines, and finds those that are broken.

A quote that is never closed would pull the following rows into its field. So only the first line is
given up of a row that does not end well, or whose lines each look like a row.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from seealso.readers.files.dialects import Dialect
from seealso.readers.files.sniffing import allow_long_fields, open_csv
from seealso.readers.rows import Rows

LONGEST_ROW: Final = 1_000
"""Most lines of one row: more are no description, but the rows behind a quote left open."""

_NEVER_CLOSED: Final = "a quoted field is never closed"
_SWALLOWS: Final = "a quoted field is not closed, or contains whole rows"
_ESCAPED: Final = r" (where \" stands for a quote, set format.escape)"
_CARRIAGE_RETURN: Final = "a carriage return is within the line, outside of quotes"
_CONTINUES: Final = "continues after a broken row"


def parse_quoted(
    content: bytes, dialect: Dialect, first: int, *, whole: bool
) -> tuple[Rows, bytes]:
    """Return the rows of some lines, and the lines of a last row that does not end there.

    Parameters
    ----------
    content
        Whole lines of UTF-8.
    dialect
        How they are written.
    first
        The number of the first line.
    whole
        Whether no lines follow that could end the last row.
    """
    # what is not UTF-8 comes through as lone surrogates
    *ended, last = content.decode("utf-8", "surrogateescape").split("\n")
    lines = [f"{line}\n" for line in ended] + ([last] if last else [])
    parser = _Parser([dialect.unescape(line) for line in lines], dialect, whole=whole)
    good: list[list[str]] = []
    places: list[int] = []
    broken: list[tuple[int, str]] = []
    with allow_long_fields():
        for start, row in parser:
            if isinstance(row, str):
                broken.append((first + start, row))
            elif any(row):
                good.append(row)
                places.append(first + start)
    frame = pl.DataFrame(
        [_column(dialect.header[i], [row[i] or None for row in good]) for i in dialect.columns]
    )
    unread = "".join(lines[parser.at :]).encode("utf-8", "surrogateescape")
    return Rows(frame, places, broken), unread


class _Parser:
    """Reads lines row by row with the csv module, and starts again after each broken row.

    Attributes
    ----------
    at
        Position of the line that the next row starts at.
    """

    def __init__(self, lines: Sequence[str], dialect: Dialect, *, whole: bool) -> None:
        self.at = 0
        self._lines = lines
        self._dialect = dialect
        self._whole = whole
        self._read = 0
        self._limit = 0
        self._reader: Iterator[list[str]] | None = None
        self._after_fault = False
        # a blank stands behind the commas of a text, and hardly behind those between fields
        self._between = re.compile(re.escape(dialect.separator) + "(?! )")

    def __iter__(self) -> Iterator[tuple[int, list[str] | str]]:
        """Yield where each row starts, and its fields, or what is wrong with it."""
        while self.at < len(self._lines):
            start = self.at
            fields = self._next()
            if fields is None:
                return
            if self._plain(fields):
                self.at = self._read
                yield start, fields
                continue
            fault = fields if isinstance(fields, str) else self._fault(fields)
            if fault and (plain := self._without_quotes()):
                self._reader, self._after_fault, self.at = None, False, start + 1
                yield start, plain
                continue
            if fault and not self._dialect.escape and '\\"' in self._lines[start]:
                fault += _ESCAPED
            self._after_fault = bool(fault) and (self._after_fault or self._reader is None)
            self.at = start + 1 if fault else self._read
            yield start, fault or fields

    def _next(self) -> list[str] | str | None:
        """Return the next row, or what is wrong with it; None if it needs lines to come."""
        if self._reader is None:
            self._read = self.at
            dialect = self._dialect
            self._reader = open_csv(
                self._feed(), dialect.separator, dialect.quote, blanks=dialect.blanks
            )
        self._limit = self.at + LONGEST_ROW
        try:
            return next(self._reader)
        except csv.Error as exc:
            self._reader = None
            if "unexpected end" not in str(exc):
                reason = _CARRIAGE_RETURN if "new-line" in str(exc) else str(exc)
                return reason if self._read == self.at + 1 else _NEVER_CLOSED
            ends = self._whole or self._limit < len(self._lines)
            return _NEVER_CLOSED if ends else None

    def _plain(self, fields: list[str] | str) -> bool:
        """Whether this is a whole row on one line, as most are."""
        return (
            len(fields) == self._dialect.width
            and not any(fields[len(self._dialect.header) :])
            and self._read == self.at + 1
            and not self._after_fault
            and not isinstance(fields, str)
        )

    def _without_quotes(self) -> list[str] | None:
        """Return the fields of a line with tabs, where quotes are only part of the text (27" wide).

        Texts contain no tabs, so a line with as many fields as the header is a row.
        """
        fields = self._lines[self.at].rstrip("\r\n").split("\t")
        tabs = self._dialect.separator == "\t"
        return fields if tabs and len(fields) == self._dialect.width else None

    def _feed(self) -> Iterator[str]:
        while self._read < self._limit and self._read < len(self._lines):
            self._read += 1
            yield self._lines[self._read - 1]

    def _fault(self, fields: list[str]) -> str:
        lines = self._lines[self.at : self._read]
        named, expected = len(self._dialect.header), self._dialect.width
        fault = ""
        if fields and (len(fields) != expected or any(fields[named:])):
            count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
            fault = f"{count} where the header has {named}"
        elif self._after_fault and "".join(lines).count(self._dialect.quote or "\0") % 2:
            fault = _CONTINUES
        elif len(lines) > 1 < expected and all(
            len(self._between.findall(line)) == expected - 1 for line in lines
        ):
            fault = _SWALLOWS
        if fault and len(lines) > 1:
            # its first line alone is lost
            self._reader = None
        return fault


def _column(name: str, fields: Sequence[str | None]) -> pl.Series:
    """Return a column of text, or one of bytes if some field is not UTF-8."""
    try:
        return pl.Series(name, fields, dtype=pl.String)
    except UnicodeEncodeError:
        read = [field and field.encode("utf-8", "surrogateescape") for field in fields]
        return pl.Series(name, read, dtype=pl.Binary)
