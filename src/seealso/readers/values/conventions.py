"""Finds out how ambiguous cells are meant, from other cells of the same source.

``1.129`` may be more than a thousand or little more than one; ``01/02/2026`` is in January or in
February; ``17`` is no time, but may count events in their order. A source is searched up to the
first batch with a cell that can be read in one way only; its convention then holds for all cells.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, Literal, TypeAlias

import polars as pl

from seealso.config import FormatSettings
from seealso.readers.rows import RowSource, batches
from seealso.readers.values.cells import BLANKS, GAPS, NULL_WORDS, is_null_word, take_one
from seealso.readers.values.columns import select_column

Mark: TypeAlias = Literal[".", ","]

COUNTS_BELOW: Final = 19_000_000
"""Counts are smaller than any date as one number, such as 19700101."""

DAY_FIRST: Final = r"^\s*(?:1[3-9]|2\d|3[01])[/-](?:0?[1-9]|1[0-2])[/-]\d{4}\b"
MONTH_FIRST: Final = r"^\s*(?:0?[1-9]|1[0-2])[/-](?:1[3-9]|2\d|3[01])[/-]\d{4}\b"

_SMALL_NUMBERS: Final[Mapping[str, Callable[[pl.Series], pl.Series]]] = {
    "no date": lambda numbers: numbers == 0,
    "years": lambda numbers: numbers.is_between(1970, 2100),
    "months": lambda numbers: (
        numbers.is_between(190_001, 210_012) & (numbers % 100).is_between(1, 12)
    ),
    "days of Excel": lambda numbers: numbers.is_between(20_000, 80_000),
}
"""What small numbers are if each of them is one."""


def _build_pattern(decimal: str, group: str) -> str:
    """Return the pattern of cells that cannot be read with another decimal mark."""
    forms = (
        rf"0\d*{decimal}\d+",
        rf"\d+{decimal}(?:\d{{1,2}}|\d{{4,}})",
        rf"\d{{4,}}{decimal}\d+",
        rf"\d[\d{group}{GAPS}]*[{group}{GAPS}]\d{{3}}{decimal}\d+",
        rf"\d{{1,3}}(?:{group}\d{{3}}){{2,}}",
    )
    return rf"^[^0-9.,]*(?:{'|'.join(forms)})[^0-9.,]*$"


_TELLS: Final[dict[Mark, str]] = {".": _build_pattern(r"\.", ","), ",": _build_pattern(",", r"\.")}


def _unknown() -> None:
    """Say that nothing tells."""


@dataclass(frozen=True)
class Conventions:
    """How ambiguous cells are read; each function is called only if such a cell occurs.

    Attributes
    ----------
    decimal
        Gives the decimal mark of numbers such as ``1.129``, None if it is unknown.
    day_first
        Returns whether the day comes first in dates such as ``01/02/2026``, None if unknown.
    counting
        Tells whether small numbers in the place of times count events from a start of their own.
    """

    decimal: Callable[[], Mark | None] = _unknown
    day_first: Callable[[], bool | None] = _unknown
    counting: Callable[[], bool | None] = _unknown


def find_number_conventions(
    source: RowSource, columns: Sequence[str], chosen: Mark | None, note: Callable[[str], None]
) -> Conventions:
    """Return the conventions of a source with number columns.

    Parameters
    ----------
    source
        Read from its start, once, if a cell needs it.
    columns
        Its number columns.
    chosen
        The decimal mark that the settings name.
    note
        Takes what was guessed.
    """
    if chosen is not None:
        return Conventions(lambda: chosen)
    return Conventions(cache(partial(_find_decimal_mark, source, columns, note)))


def find_event_conventions(
    source: RowSource,
    value: str | None,
    time: str | None,
    chosen: FormatSettings,
    note: Callable[[str], None],
) -> Conventions:
    """Return the conventions of a source of events, with these columns of values and times."""
    numbers = find_number_conventions(source, [value] if value else [], chosen.decimal, note)
    if time is None:
        return numbers
    return Conventions(
        numbers.decimal,
        cache(partial(_find_day_first, source, time, note)),
        cache(partial(_find_counting, source, time, chosen.nulls, note)),
    )


def _find_decimal_mark(
    source: RowSource, columns: Sequence[str], note: Callable[[str], None]
) -> Mark:
    """Return the mark that the cells show, or the likely one."""
    separator = None
    votes: dict[Mark, int] = {".": 0, ",": 0}
    for rows in batches(source, columns):
        separator = rows.separator
        for name in columns:
            values = take_one(select_column(rows.frame, name)).values
            if values.dtype == pl.String:
                for mark, pattern in _TELLS.items():
                    votes[mark] += int(values.str.contains(pattern).sum())
        if any(votes.values()):
            break
    comma = votes[","] > votes["."] or (not any(votes.values()) and separator == ";")
    example = "1.129 is read as 1129" if comma else "1.129 is read as a little over 1"
    if all(votes.values()):
        note(f"{example}, but numbers are written in both ways: set format.decimal")
    elif not any(votes.values()):
        note(f"{example}, no other number shows it: set format.decimal if that is wrong")
    elif comma:
        note(f"{example}: other numbers have a decimal comma")
    return "," if comma else "."


def _find_day_first(source: RowSource, name: str, note: Callable[[str], None]) -> bool | None:
    """Return whether the day comes first; None if no date shows it, or dates disagree."""
    for rows in batches(source, (name,)):
        values = take_one(select_column(rows.frame, name)).values
        if values.dtype != pl.String:
            continue
        day, month = (values.str.contains(one).any() for one in (DAY_FIRST, MONTH_FIRST))
        if day and month:
            return None
        if day or month:
            read = "1 February" if day else "2 January"
            note(f"01/02/2026 is read as {read}: another date shows it")
            return day
    return None


def _find_counting(
    source: RowSource, name: str, nulls: Sequence[str] | None, note: Callable[[str], None]
) -> bool:
    """Return whether all times are small numbers, and not all of one other kind."""
    others = set(_SMALL_NUMBERS)
    for rows in batches(source, (name,)):
        numbers = _whole_numbers(take_one(select_column(rows.frame, name)).values, nulls)
        if numbers is None or not numbers.is_between(0, COUNTS_BELOW, closed="left").all():
            return False
        others = {one for one in others if _SMALL_NUMBERS[one](numbers).all()}
    if others:
        return False
    note(f"{name} has small counts, not dates: they give only the order of events")
    return True


def _whole_numbers(values: pl.Series, nulls: Sequence[str] | None) -> pl.Series | None:
    """Return the whole numbers of a column; None where a cell is something else."""
    if values.dtype.is_integer():
        return values.drop_nulls()
    if values.dtype != pl.String:
        return None
    texts = values.str.strip_chars(BLANKS)
    texts = texts.filter(~is_null_word(texts, nulls, NULL_WORDS).fill_null(True))
    numbers = texts.cast(pl.Int64, strict=False)
    return None if numbers.null_count() else numbers
