"""Rows as every reader hands them over: a frame, the place of each row, and what was unreadable.

A source that has documents instead of columns may hand over plain lists of mappings.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import orjson
import polars as pl

Record: TypeAlias = Mapping[str, Any]
"""One row by column name, as JSON knows it: text, numbers, booleans, lists, objects, None."""


@dataclass(frozen=True)
class Rows:
    """Some rows of a source, in its order.

    Attributes
    ----------
    frame
        The rows as columns of any type; an empty value is null.
    places
        Where each row of `frame` stands in the source, counted from 1.
    broken
        ``(place, reason)`` of what could not be read as a row.
    unit
        What `places` counts: ``line``, ``row`` or ``document``.
    sparse
        Whether a row may lack a column that others have, so that a column that is missing here
        can still come.
    others
        The columns of the source that are not read.
    """

    frame: pl.DataFrame
    places: Sequence[int]
    broken: Sequence[tuple[int, str]] = ()
    unit: str = "line"
    sparse: bool = False
    others: Sequence[str] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns of the source, as far as these rows tell."""
        return (*self.frame.columns, *self.others)


class RowSource(Protocol):
    """Anything that rows can be read from, as often as one likes."""

    @property
    def name(self) -> str:
        """What messages call the source: a file name, an index."""

    def rows(self) -> Iterator[Rows] | Iterator[list[dict[str, Any]]]:
        """Yield all rows in batches, from the first; documents may come as plain mappings."""


def batches(source: RowSource) -> Iterator[Rows]:
    """Yield the rows of `source`; lists of documents are numbered and made into frames."""
    done = 0
    for batch in source.rows():
        if isinstance(batch, Rows):
            yield batch
        else:
            places = range(done + 1, done + len(batch) + 1)
            done += len(batch)
            yield Rows(frame_of(batch), places, unit="document", sparse=True)


def frame_of(records: Sequence[Record]) -> pl.DataFrame:
    """Return `records` as columns; the fields of an object become ``object.field``.

    A column with values of several kinds becomes text, so that ``12`` and ``"12"`` are one id;
    where one value is a list, all are.
    """
    flat = [dict(_flat(record)) for record in records]
    names = dict.fromkeys(name for record in flat for name in record)
    columns = [_column(name, [record.get(name) for record in flat]) for name in names]
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(flat))


def _flat(record: Record, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if list in kinds:
        lists = [None if value is None else list(map(_text, _listed(value))) for value in values]
        return pl.Series(name, lists, dtype=pl.List(pl.String))
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds in ({float}, {int, float}):
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    texts = [None if value is None else _text(value) for value in values]
    return pl.Series(name, texts, dtype=pl.String)


def _listed(value: Any) -> Iterable[Any]:
    return (v for v in value if v is not None) if isinstance(value, list) else (value,)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | dict | bool):
        return orjson.dumps(value).decode()
    return str(value)
