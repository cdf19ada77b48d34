"""Guesses how delimited lines are written: separator, and backslashes in front of quotes."""

import csv
import re
from _csv import Reader
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from seealso.readers.files.lines import LONGEST_LINE

SEPARATORS: Final = (",", ";", "\t", "|")

_BACKSLASH: Final = "\\"


def find_separator(
    lines: Sequence[str], columns: Collection[str], default: str, quote: str | None = '"'
) -> str:
    """Return the character that separates the fields of `lines`.

    Parameters
    ----------
    lines
        The header and some rows, each with its end.
    columns
        Columns that the settings name: the separator that shows most of them in the header is
        the right one.
    default
        What is taken where nothing speaks for another.
    quote
        The character around fields, if there is one.
    """

    def rank(separator: str) -> tuple[int, bool, float, bool, int]:
        header, *rows = parse_sample(lines, separator, quote) or [[""]]
        named = sum(column.strip() in columns for column in header)
        whole = sum(len(row) == len(header) for row in rows) / max(len(rows), 1)
        return named, len(header) > 1, round(whole, 1), separator == default, len(header)

    return max((default, *SEPARATORS), key=rank)


def find_escape(lines: Sequence[str], separator: str, quote: str | None) -> str | None:
    """Return a backslash if more lines can be read when it escapes quotes, else None."""
    escaping = [line for line in lines if f"{_BACKSLASH}{quote}" in line]
    plain = sum(_is_row(line, separator, quote) for line in escaping)
    unescaped = (unescape(line, quote, _BACKSLASH) for line in escaping)
    escaped = sum(_is_row(line, separator, quote) for line in unescaped)
    return _BACKSLASH if escaped > plain else None


def _is_row(line: str, separator: str, quote: str | None) -> bool:
    try:
        for _ in open_csv([line], separator, quote):
            pass
    except csv.Error:
        return False
    return True


def unescape(line: str, quote: str | None, escape: str | None) -> str:
    """Return `line` with escaped quotes doubled instead, as the csv module reads them."""
    # the csv module would take every other backslash away, too, such as that of \\N
    if not quote or not escape or escape == quote or escape not in line:
        return line
    pair = re.compile(f"{re.escape(escape)}([{re.escape(escape)}{re.escape(quote)}])")
    return pair.sub(lambda found: quote * 2 if found[1] == quote else escape, line)


def has_blanks(lines: Sequence[str], separator: str, quote: str | None) -> bool:
    """Return whether there are blanks between separators and quotes: ``1, "a, b"``."""
    if quote is None or not any(f"{separator} {quote}" in line for line in lines):
        return False
    whole = {}
    for blanks in (True, False):
        rows = parse_sample(lines, separator, quote, blanks=blanks)
        whole[blanks] = sum(len(row) == len(rows[0]) for row in rows)
    return whole[True] > whole[False]


def parse_sample(
    lines: Sequence[str], separator: str, quote: str | None, *, blanks: bool = False
) -> list[list[str]]:
    """Return the fields of the rows of a sample, without the last one, which may be incomplete."""
    # not strict: what is broken does not matter here
    reader = open_csv(lines, separator, quote, strict=False, blanks=blanks)
    rows = [row for row in _skip_unreadable(reader) if row]
    # the last row may be cut
    return rows[:-1] if len(rows) > 2 else rows


def _skip_unreadable(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error:
        return


def open_csv(
    lines: Iterable[str],
    separator: str,
    quote: str | None,
    *,
    strict: bool = True,
    blanks: bool = False,
) -> Reader:
    """Return a reader of `lines`; with `blanks`, those before a quote are passed over."""
    quoting: dict[str, Any] = {"quotechar": quote}
    if quote is None:
        quoting = {"quoting": csv.QUOTE_NONE}
    return csv.reader(lines, delimiter=separator, strict=strict, skipinitialspace=blanks, **quoting)


@contextmanager
def allow_long_fields() -> Iterator[None]:
    """Let the csv module read fields as long as a line: columns have limits of their own."""
    # the csv module has one limit for the whole process; others get theirs back
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        yield
    finally:
        csv.field_size_limit(before)
