"""The catalogue: rows become items, and what is wrong with a row is said of its line and field."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from seealso.config import CatalogueSettings
from seealso.errors import ConfigError, DataError
from seealso.interactions.columns import (
    LONGEST_ID,
    LONGEST_TEXT,
    ColumnCheck,
    as_numbers,
    as_text,
    column,
    faults,
    renamed,
)
from seealso.interactions.problems import Problem, Problems
from seealso.interactions.rows import Rows, RowSource, batches
from seealso.types import Item

RESERVED = frozenset(
    {
        "item_id", "text", "vector", "importance", "interactions", "counted", "tail", "digest",
        "updated_at",
    }
)  # fmt: skip
"""Field names that the index uses itself."""


def read_items(
    source: RowSource, columns: CatalogueSettings, problems: Problems
) -> Iterator[list[Item]]:
    """Return an iterator over the items of `source` in batches, in its order.

    Parameters
    ----------
    source
        The catalogue.
    columns
        Which columns are read, and as what. Text columns become str; keyword columns str, or
        list[str] where the source has a list or `lists` names a separator; number columns float.
        Empty values are left out, NaN among them.
    problems
        Takes the broken rows: no id, an id over 512 bytes or there already, a text over
        1,000,000 characters, a number that is none.

    Raises
    ------
    ConfigError
        A column is named twice, or as a field that the index uses itself.
    DataError
        While reading: a column is missing, the catalogue is empty, the file cannot be read, or
        a row is broken and `problems` stops there.
    """
    _check_names(columns)
    return _items(source, columns, problems)


def _check_names(columns: CatalogueSettings) -> None:
    keywords = dict.fromkeys((*columns.keywords, *columns.lists))
    names = [*dict.fromkeys(columns.text), *keywords, *dict.fromkeys(columns.numbers)]
    for name, times in Counter(names).items():
        if name in RESERVED:
            raise ConfigError(
                f"catalogue: a column cannot be called {name!r}, the index uses that name itself",
                hint=f"rename it: [catalogue] rename = {{ {name} = 'my_{name}' }}",
                field=name,
            )
        if times > 1:
            raise ConfigError(
                f"catalogue: {name!r} is named as two of text, keywords (or lists) and numbers",
                hint="name it once; the text template can use every field",
                field=name,
            )


def _items(
    source: RowSource, columns: CatalogueSettings, problems: Problems
) -> Iterator[list[Item]]:
    reading = problems.reading("catalogue", source.name)
    old = {new: old for old, new in columns.rename.items()}
    wanted = (columns.id, *columns.text, *columns.keywords, *columns.lists, *columns.numbers)
    required = dict.fromkeys((*(old.get(name, name) for name in wanted), *columns.rename))
    key = old.get(columns.id, columns.id)
    check = ColumnCheck(source.name, "catalogue", tuple(required), (key,))
    first_places: dict[str, int] = {}
    for rows in batches(source):
        if rows.places or not rows.sparse:
            check.see(rows.columns, sparse=rows.sparse)
        batch, broken = _read(rows, columns, source.name, first_places)
        reading.report(broken, rows.unit)
        if batch:
            yield batch
    check.finish()
    if not first_places:
        raise DataError(
            f"{source.name} has no items"
            + (f": all {reading.count} rows are broken" if reading.count else ""),
            hint=reading.messages[0] if reading.messages else "check [catalogue] in seealso.toml",
            file=source.name,
        )


@dataclass(frozen=True)
class _Cells:
    """The values of one column, and what is wrong with some of them by position."""

    name: str
    values: list[Any]
    faults: dict[int, str] = field(default_factory=dict)


def _read(
    rows: Rows, columns: CatalogueSettings, source: str, first_places: dict[str, int]
) -> tuple[list[Item], list[Problem]]:
    frame = renamed(rows.frame, columns.rename, source)
    ids = _ids(column(frame, columns.id), source)
    keywords = dict.fromkeys((*columns.keywords, *columns.lists))
    cells = [
        *(_texts(column(frame, name), source) for name in dict.fromkeys(columns.text)),
        *(_keywords(column(frame, name), columns.lists.get(name), source) for name in keywords),
        *(_numbers(column(frame, name)) for name in dict.fromkeys(columns.numbers)),
    ]
    broken = [Problem(place, "", reason) for place, reason in rows.broken]
    names = [c.name for c in cells]
    bad: dict[int, tuple[str, str]] = {}
    for each in (ids, *cells):
        for row, reason in each.faults.items():
            bad.setdefault(row, (each.name, reason))
    items: list[Item] = []
    values = zip(*(c.values for c in cells), strict=True) if cells else ((),) * len(ids.values)
    for row, (item_id, place, fields) in enumerate(
        zip(ids.values, rows.places, values, strict=True)
    ):
        if row in bad:
            broken.append(Problem(place, *bad[row]))
        elif item_id in first_places:
            reason = f"{item_id!r} is there already, on {rows.unit} {first_places[item_id]}"
            broken.append(Problem(place, ids.name, reason))
        else:
            first_places[item_id] = place
            present = {n: v for n, v in zip(names, fields, strict=True) if v is not None}
            items.append(Item(item_id, present))
    return items, broken


def _ids(values: pl.Series, source: str) -> _Cells:
    texts = as_text(values, source)
    bad = dict.fromkeys(faults(texts.is_null()), "is empty")
    for row in faults(texts.str.len_bytes() > LONGEST_ID):
        bad[row] = f"has more than {LONGEST_ID} bytes ({texts[row][:24]!r}...)"
    return _Cells(values.name, texts.to_list(), bad)


def _texts(values: pl.Series, source: str) -> _Cells:
    texts = as_text(values, source)
    return _Cells(values.name, texts.to_list(), _too_long(texts))


def _keywords(values: pl.Series, separator: str | None, source: str) -> _Cells:
    if isinstance(values.dtype, pl.List | pl.Array):
        lists = values.cast(pl.List(pl.String))
        bad = _too_long(lists.list.join(" ", ignore_nulls=True))
    else:
        texts = as_text(values, source)
        bad = _too_long(texts)
        if separator is None:
            return _Cells(values.name, texts.to_list(), bad)
        lists = texts.str.split(separator)
    cleaned = [
        [part.strip() for part in parts or () if part and part.strip()] for parts in lists.to_list()
    ]
    return _Cells(values.name, [parts or None for parts in cleaned], bad)


def _too_long(texts: pl.Series) -> dict[int, str]:
    lengths = texts.str.len_chars()
    return {
        row: f"has {lengths[row]:,} characters, more than {LONGEST_TEXT:,}"
        for row in faults(lengths > LONGEST_TEXT)
    }


def _numbers(values: pl.Series) -> _Cells:
    numbers = as_numbers(values)
    empty = values.is_null()
    if values.dtype == pl.String:
        empty |= values.str.strip_chars() == ""
    bad = {
        row: f"is not a number ({values[row]!r})"[:80] for row in faults(numbers.is_null() & ~empty)
    }
    bad |= dict.fromkeys(faults(numbers.is_infinite()), "is infinite")
    return _Cells(values.name, numbers.fill_nan(None).to_list(), bad)
