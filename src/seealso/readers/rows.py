"""Rows in the form that all sources provide: a frame, places in the source, unreadable rows.

Sources of documents may provide plain lists of mappings instead.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isnan
from typing import Any, Final, Protocol, TypeAlias

import polars as pl
from polars.datatypes import DataType, DataTypeClass

Record: TypeAlias = Mapping[str, Any]
"""One row by column name, as JSON knows it: text, numbers, booleans, lists, objects, None."""

DEEPEST: Final = 50
"""Levels of objects that are looked into: no setting names a deeper path."""

_THREE_DECIMALS: Final = re.compile(r"-?\d{1,3}\.\d{3}")

# an error about a column that is missing names those that are there
_OTHERS_TOLD: Final = 100


@dataclass(frozen=True)
class Rows:
    """Some rows of a source, in its order.

    Attributes
    ----------
    frame
        The rows as columns of any type; an empty value is null.
    places
        The position of each row of `frame` in the source, counted from 1.
    broken
        ``(place, reason)`` of what could not be read as a row.
    unit
        What `places` counts: ``line``, ``row`` or ``document``.
    sparse
        Whether a row may lack a column that others have, so that a column that is missing here
        can still come.
    others
        The columns of the source that are not read.
    separator
        The character between the fields of a line, where there is one.
    part
        What the part of the source is called that these rows are in; empty where it is one.
    notes
        What was guessed of how the source is written; said with the first rows that it holds for.
    """

    frame: pl.DataFrame
    places: Sequence[int]
    broken: Sequence[tuple[int, str]] = ()
    unit: str = "line"
    sparse: bool = False
    others: Sequence[str] = ()
    separator: str | None = None
    part: str = ""
    notes: Sequence[str] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns of the source, as far as these rows tell.

        Of a column that holds objects these are the paths to their fields.
        """
        own = (path for name, kind in self.frame.schema.items() for path in _list_paths(name, kind))
        return (*own, *self.others)


class RowSource(Protocol):
    """A source of rows that can be read any number of times."""

    @property
    def name(self) -> str:
        """What messages call the source: a file name, an index."""

    def rows(self) -> Iterator[Rows] | Iterator[list[dict[str, Any]]]:
        """Yield all rows in batches, from the first; documents may come as plain mappings."""


def batches(source: RowSource, columns: Collection[str] | None = None) -> Iterator[Rows]:
    """Yield the rows of `source`; lists of documents are numbered and made into frames.

    Of documents only `columns` are read; None for all. A file knows its columns itself.
    """
    done = 0
    for batch in source.rows():
        if isinstance(batch, Rows):
            yield batch
        else:
            places = range(done + 1, done + len(batch) + 1)
            done += len(batch)
            selected, others = select_named(batch, columns)
            yield Rows(build_frame(selected), places, unit="document", sparse=True, others=others)


def select_named(
    records: Sequence[Record], columns: Collection[str] | None
) -> tuple[Sequence[Record], tuple[str, ...]]:
    """Return what `columns` name of records, or of objects within them, and the other names.

    Rows that each have keys of their own would else make a column of every key. Of the other
    names some are enough: an error about a missing column tells them.
    """
    if columns is None:
        return records, ()
    others = dict[str, None]()
    within = {name[:i] for name in columns for i, mark in enumerate(name) if mark == "."}
    for record in records:
        unread = (name for name in record if name not in columns and name not in within)
        others.update(dict.fromkeys(islice(unread, _OTHERS_TOLD)))
    selected = [_select_named(record, columns, within) for record in records]
    return selected, tuple(islice(others, _OTHERS_TOLD))


def _select_named(record: Record, columns: Collection[str], within: Collection[str]) -> Record:
    selected: dict[str, Any] = {}
    for name, value in record.items():
        if name in within and isinstance(value, Mapping):
            inner = {f"{name}.{key}": each for key, each in value.items()}
            selected.update(_select_named(inner, columns, within))
        elif name in columns or name in within:
            selected[name] = value
    return selected


def build_frame(records: Sequence[Record]) -> pl.DataFrame:
    """Return `records` as columns; the fields of an object become ``object.field``.

    So do the fields of objects in a list, each with a list of values: where an object lacks a
    field that another one of the list has, or is no object, the list has a null, so that lists
    stay side by side. Lists within lists are opened.

    A column of one kind keeps its type. In a column with values of several kinds every cell is
    text, written exactly: ``12``, ``12.0`` and ``"12"`` are one id, and one odd cell changes no
    other. Where one cell holds a list, each other value is a list of one.
    """
    flat = [_flatten(record) for record in records]
    names = dict.fromkeys(name for record in flat for name in record)
    columns = [_build_column(name, [record.get(name) for record in flat]) for name in names]
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(flat))


def _list_paths(name: str, kind: DataType | DataTypeClass) -> list[str]:
    objects = kind.inner if isinstance(kind, pl.List) else kind
    if not isinstance(objects, pl.Struct):
        return [name]
    return [path for one in objects.fields for path in _list_paths(f"{name}.{one.name}", one.dtype)]


def _flatten(record: Record, depth: int = 0) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if depth < DEEPEST and isinstance(value, Mapping):
            inner = _flatten(value, depth + 1)
        elif depth < DEEPEST and isinstance(value, list) and _holds_objects(value):
            each = [one if _is_object(one) else None for one in _open_lists(value)]
            inner = _align([{} if one is None else _flatten(one, depth + 1) for one in each])
            if None in each:
                flat[name] = [None if _is_object(one) else one for one in _open_lists(value)]
        else:
            flat[name] = value
            continue
        flat.update((f"{name}.{below}", cell) for below, cell in inner.items())
    return flat


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _holds_objects(values: Sequence[Any]) -> bool:
    return any(_holds_objects(v) if isinstance(v, list) else _is_object(v) for v in values)


def _open_lists(value: Any) -> list[Any]:
    """Return the values of a list, and of the lists within it."""
    if not isinstance(value, list):
        return [value]
    return [inner for one in value for inner in _open_lists(one)]


def _align(objects: Sequence[Record]) -> dict[str, list[Any]]:
    lists: dict[str, list[Any]] = {name: [] for one in objects for name in one}
    for one in objects:
        for name, values in lists.items():
            value = one.get(name)
            # an empty list has a place, too
            values.extend((value or [None]) if isinstance(value, list) else [value])
    return lists


def _build_column(name: str, values: Sequence[Any]) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if list in kinds:
        lists = [None if value is None else _write_texts(value) for value in values]
        return pl.Series(name, lists, dtype=pl.List(pl.String))
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int} and _fit(values, 63):
        return pl.Series(name, values, dtype=pl.Int64)
    # a float holds whole numbers up to here: neighbours above would become one
    if float in kinds and kinds <= {int, float} and _fit(values, 53):
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    texts = values if kinds == {str} else [_write_text(value) for value in values]
    return pl.Series(name, texts, dtype=pl.String)


def _fit(values: Sequence[Any], bits: int) -> bool:
    """Say whether every whole number fits into so many bits, beside its sign."""
    return all(type(value) is not int or abs(value) < 2**bits for value in values)


def _write_texts(value: Any) -> list[str | None]:
    return [_write_text(one) for one in _open_lists(value)]


def _write_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        if isnan(value):
            return None
        if abs(value) >= 2**53:
            # all its digits, which are not those that were meant, in a form that tells so
            return f"{value:.16e}"
        text = str(int(value)) if value.is_integer() else str(value)
        # 1.129 is a number here; as text it may be a thousand and more
        return f"{text}0" if _THREE_DECIMALS.fullmatch(text) else text
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
