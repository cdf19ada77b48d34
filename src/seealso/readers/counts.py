"""Counts in the place of times: data that was published without its dates has their order alone.

A small whole number is no moment since 1970. Where a source has no others, they are seconds from a
start of their own; among real times they are faults.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from seealso.readers.cells import BLANKS, NULL_WORDS, is_null_word, single
from seealso.readers.columns import column
from seealso.readers.rows import RowSource, batches

BELOW: Final = 19_000_000
"""Counts are smaller than any date as one number, such as 19700101."""

_OTHERS: Final[Mapping[str, Callable[[pl.Series], pl.Series]]] = {
    "no date": lambda numbers: numbers == 0,
    "years": lambda numbers: numbers.is_between(1970, 2100),
    "months": lambda numbers: (
        numbers.is_between(190_001, 210_012) & (numbers % 100).is_between(1, 12)
    ),
    "days of Excel": lambda numbers: numbers.is_between(20_000, 80_000),
}
"""What small numbers are if each of them is one."""


@dataclass
class Counting:
    """Whether the times of a source are counts, found when a cell asks for it.

    Parameters
    ----------
    source
        Read from its start, up to the first time that is no count.
    name
        Its column of times.
    nulls
        The words for an empty value, where the settings name them.
    note
        Takes what was found.
    """

    source: RowSource
    name: str | None
    nulls: tuple[str, ...] | None
    note: Callable[[str], None]
    _found: list[bool] = field(default_factory=list, init=False)

    def __call__(self) -> bool:
        """Return whether they are; the same at every call."""
        if not self._found:
            self._found.append(self._search())
        return self._found[0]

    def _search(self) -> bool:
        if self.name is None:
            return False
        others = set(_OTHERS)
        for rows in batches(self.source, (self.name,)):
            numbers = _whole(single(column(rows.frame, self.name)).values, self.nulls)
            if numbers is None or not numbers.is_between(0, BELOW, closed="left").all():
                return False
            others = {name for name in others if _OTHERS[name](numbers).all()}
        if others:
            return False
        self.note(f"{self.name} holds small counts, no dates: they tell the order of events alone")
        return True


def never() -> bool:
    """Say that no number is a count: of rows that come one by one, nothing tells."""
    return False


def _whole(values: pl.Series, nulls: tuple[str, ...] | None) -> pl.Series | None:
    """Return the whole numbers of a column; None where a cell is something else."""
    if values.dtype.is_integer():
        return values.drop_nulls()
    if values.dtype != pl.String:
        return None
    texts = values.str.strip_chars(BLANKS)
    texts = texts.filter(~is_null_word(texts, nulls, NULL_WORDS).fill_null(True))
    numbers = texts.cast(pl.Int64, strict=False)
    return None if numbers.null_count() else numbers
