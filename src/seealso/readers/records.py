"""Reads items that a program hands over, row by row: what a row means, no other row changes.

A file has columns, and its rows tell together what they hold. Rows of a program have no columns in
common, so those with the same kinds of values are read together, and each as it is read alone.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import polars as pl

from seealso.config import CatalogueSettings
from seealso.decoding import NO_TEXT, holds_half, replace_halves
from seealso.readers.items import read_part
from seealso.readers.problems import Problem, Problems
from seealso.readers.rows import Record, Rows, build_frame, select_named
from seealso.readers.values.cells import Cells, quote_value
from seealso.readers.values.ids import parse_ids
from seealso.types import Item

Records: TypeAlias = Mapping[int, Record]
"""Rows by their places."""

SOURCE: Final = "items"
"""What messages call the rows."""


@dataclass(frozen=True)
class _Group:
    """Rows of one form, as a source that is read once.

    Looked through again, for how numbers are written, it has nothing: a number is read as it
    would be without the other rows.
    """

    read: Iterator[Rows]
    name: str = SOURCE

    def rows(self) -> Iterator[Rows]:
        return self.read


def read_records(
    rows: Records, columns: CatalogueSettings, problems: Problems
) -> tuple[list[Item], tuple[str, ...]]:
    """Return the items of rows, in their order, and the columns that the settings do not name.

    Parameters
    ----------
    rows
        By their places.
    columns
        Which columns are read, and as what. A row may lack any of them but the id, and all text
        columns but one: a text that is empty on purpose is sent as an empty one.
    problems
        Takes the broken rows and values, by the columns that the rows have.

    Raises
    ------
    ConfigError
        As `read_items` raises it.
    """
    selected, unread = select_named(list(rows.values()), columns.columns)
    old = {new: name for name, new in columns.rename.items()}
    key = old.get(columns.id, columns.id)
    written, halves = _refuse_halves(dict(zip(rows, selected, strict=True)))
    named, nameless = _refuse_ids(written, key)
    finite, infinite = _leave_out_infinite(named)
    unique, broken = _parse_own_ids(finite, columns, key)
    texts = [old.get(name, name) for name in columns.text]
    whole, textless = _check_texts(unique, texts)
    items: dict[int, Item] = {}
    found: list[Problem] = []
    # of the same name as the reading below, which says each note once
    inner = Problems("skip", each=found.append)
    reading = problems.reading("catalogue", SOURCE)
    for group in _group_by_form(whole):
        # each of these rows has an id of its own, so it becomes an item
        items |= zip(group, _read_group(group, columns, inner), strict=True)
        for note in inner.notes:
            reading.note(note.removeprefix(f"{SOURCE}: "))
    read = [_name_as_sent(one, old) for one in found]
    lost = [one for one in infinite if one.place in items]
    reading.report([*halves, *nameless, *broken, *textless, *lost, *read], "item")
    return [items[place] for place in sorted(items)], tuple(replace_halves(unread))


def _refuse_halves(rows: Records) -> tuple[dict[int, Record], list[Problem]]:
    """Return the rows that UTF-8 can write, and what is wrong with the others.

    Mended, the ids of two items could become one.
    """
    problems = [
        Problem(place, next(name for name in row if holds_half(_as_text(row[name]))), NO_TEXT)
        for place, row in rows.items()
        if holds_half(_as_text(row))
    ]
    broken = {one.place for one in problems}
    return {place: row for place, row in rows.items() if place not in broken}, problems


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _refuse_ids(rows: Records, key: str) -> tuple[dict[int, Record], list[Problem]]:
    """Return the rows that may have an id, and what is wrong with the others."""
    kept: dict[int, Record] = {}
    problems: list[Problem] = []
    for place, row in rows.items():
        if key not in row:
            problems.append(Problem(place, key, "is missing: the row has no such column"))
        elif not _may_be_id(row[key]):
            met = quote_value(row[key])
            problems.append(Problem(place, key, "is neither a text nor a whole number", met))
        else:
            kept[place] = row
    return kept, problems


def _may_be_id(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return value is None or (isinstance(value, str | int) and not isinstance(value, bool))


def _leave_out_infinite(rows: Records) -> tuple[dict[int, Record], list[Problem]]:
    """Return rows without values that are no finite number, or hold one.

    JSON has no such numbers, but parsers read 1e400 as one.
    """
    kept: dict[int, Record] = {}
    problems: list[Problem] = []
    for place, row in rows.items():
        finite = {name: value for name, value in row.items() if _is_finite(value)}
        problems += [
            Problem(place, name, "is not a finite number", quote_value(value), "value")
            for name, value in row.items()
            if name not in finite
        ]
        # a column that was sent is there, though it is empty
        kept[place] = {**dict.fromkeys(row), **finite}
    return kept, problems


def _is_finite(value: Any) -> bool:
    if isinstance(value, str | int):
        return True
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _parse_own_ids(
    rows: Records, columns: CatalogueSettings, key: str
) -> tuple[dict[int, Record], list[Problem]]:
    """Return the rows that have an id of their own, and what is wrong with the others."""
    written = pl.Series(key, [_write_id(row[key]) for row in rows.values()], dtype=pl.String)
    # the id of a document is what it is
    ids = Cells(written) if columns.id == "_id" else parse_ids(written, columns.format.nulls)
    first: dict[str, int] = {}
    unique: dict[int, Record] = {}
    problems: list[Problem] = []
    values = zip(rows.items(), written.to_list(), ids.values.to_list(), strict=True)
    for position, ((place, row), text, item_id) in enumerate(values):
        if position in ids.faults:
            fault = ids.faults[position]
            problems.append(Problem(place, key, fault.reason, fault.value))
        elif not item_id:
            problems.append(Problem(place, key, "is empty"))
        elif item_id in first:
            reason = f"{item_id!r} already exists, on item {first[item_id]}"
            problems.append(Problem(place, key, reason, repeats=True))
        else:
            first[item_id] = place
            unique[place] = {**row, key: text}
    return unique, problems


def _write_id(value: str | int | float | None) -> str | None:
    if isinstance(value, float):
        # a number that lost digits is refused by its form
        return str(int(value)) if abs(value) < 2**53 else f"{value:.16e}"
    return value if value is None or isinstance(value, str) else str(value)


def _check_texts(rows: Records, texts: Sequence[str]) -> tuple[dict[int, Record], list[Problem]]:
    """Return the rows with a text column, and what is wrong with those that have none.

    A misspelt name would take its text from an item.
    """
    names = {*texts, *(name[:i] for name in texts for i, mark in enumerate(name) if mark == ".")}
    whole = {place: row for place, row in rows.items() if not texts or not names.isdisjoint(row)}
    field = texts[0] if texts else ""
    others = f" (nor {', '.join(texts[1:])})" if texts[1:] else ""
    reason = f"is not there{others}, and the text is made of it: send it empty if there is none"
    return whole, [Problem(place, field, reason) for place in rows if place not in whole]


def _group_by_form(rows: Records) -> list[dict[int, Record]]:
    """Return rows whose columns have values of the same types, or none, in groups."""
    groups: list[tuple[dict[str, type], dict[int, Record]]] = []
    for place, row in rows.items():
        form = {name: type(value) for name, value in row.items() if value is not None}
        for known, group in groups:
            if all(known.get(name, kind) is kind for name, kind in form.items()):
                known.update(form)
                group[place] = row
                break
        else:
            groups.append((form, {place: row}))
    return [group for _, group in groups]


def _read_group(group: Records, columns: CatalogueSettings, problems: Problems) -> list[Item]:
    # of few rows, none may have a column that others have
    empty = dict.fromkeys(columns.columns)
    frame = build_frame([empty, *group.values()]).slice(1)
    source = _Group(iter([Rows(frame, list(group), unit="item", sparse=True)]))
    return [item for batch in read_part(source, columns, problems) for item in batch]


def _name_as_sent(one: Problem, old: Mapping[str, str]) -> Problem:
    field = old.get(one.field, one.field)
    return Problem(one.place, field, one.reason, one.value, one.costs, one.repeats)
