"""Selects the columns that the settings name, by paths into objects as well."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import polars as pl

from seealso.errors import DataError
from seealso.readers.rows import Rows
from seealso.readers.values.cells import Fault, find_true


@dataclass
class ColumnCheck:
    """Watches whether a source has the columns that the settings name.

    Parameters
    ----------
    source
        What messages call the source.
    section
        The settings section that names the columns.
    names
        The columns that must be there, under their names in the source.
    key
        Columns without which no row is of use.
    """

    source: str
    section: str
    names: Sequence[str]
    key: Sequence[str]
    seen: dict[str, None] = field(default_factory=dict)

    def see(self, rows: Rows) -> None:
        """Take note of the columns of some rows.

        Raises
        ------
        DataError
            A wanted column is missing; in a sparse source only the key columns must be in
            the first batch, the others in any (see `finish`). Every part of any other source
            has all.
        """
        if rows.sparse and not rows.places:
            return
        there = dict.fromkeys(rows.columns)
        first = not self.seen
        self.seen.update(there)
        if not rows.sparse:
            self._require(self.names, there, rows.part)
        elif first:
            self._require(self.key, there, rows.part)

    def finish(self) -> None:
        """Require every wanted column, now that all have been seen."""
        if self.seen:
            self._require(self.names, self.seen)

    def _require(self, names: Iterable[str], there: Collection[str], part: str = "") -> None:
        for name in names:
            if name not in there:
                source = f"{self.source} {part}".rstrip()
                raise describe_missing(source, self.section, name, tuple(there))


def describe_missing(source: str, section: str, name: str, columns: Sequence[str]) -> DataError:
    """Return the error that says which columns `source` has instead of `name`."""
    close = get_close_matches(name, columns, n=1)
    folded = [column for column in columns if column.casefold() == name.casefold()]
    guess = next(iter(folded or close), None)
    advice = f"is it {guess!r}? " if guess else ""
    return DataError(
        f"{source} has no column {name!r}; it has {', '.join(columns) or 'none'}",
        hint=f"{advice}name the column in [{section}] of seealso.toml",
        file=source,
        field=name,
    )


def rename_columns(frame: pl.DataFrame, names: Mapping[str, str], source: str) -> pl.DataFrame:
    """Return `frame` under the new `names`.

    Raises
    ------
    DataError
        A new name is taken by another column.
    """
    inner = (_find_column(frame, old) for old in names if old not in frame.columns)
    frame = frame.with_columns(found for found in inner if found is not None)
    new = {old: name for old, name in names.items() if old in frame.columns}
    after = [new.get(column, column) for column in frame.columns]
    for name in new.values():
        if after.count(name) > 1:
            raise DataError(
                f"{source}: rename makes two columns {name!r}",
                hint="rename or drop the one that has the name already",
                file=source,
                field=name,
            )
    return frame.rename(new)


def select_column(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return the column `name`, all null where a sparse batch lacks it.

    A path (``products.sku``) leads into the objects of a column, and into those of its lists.
    """
    found = _find_column(frame, name)
    return pl.Series(name, [None] * frame.height, dtype=pl.String) if found is None else found


def find_objects(rows: Rows, values: pl.Series, named: Iterable[str]) -> dict[int, Fault]:
    """Return what is wrong where a row has an object in the place of a value.

    Parameters
    ----------
    rows
        As they were read; only those of sparse sources have objects among other values.
    values
        One column of them, under its name in the source.
    named
        The columns that are read: where one leads into the object, nothing is lost.

    Returns
    -------
    dict[int, Fault]
        By the position of the row: its cell is empty for that reason, or its list has gaps.
    """
    start = f"{values.name}."
    if any(name.startswith(start) for name in named):
        return {}
    inner = [name for name in rows.frame.columns if name.startswith(start)]
    return _find_instead(
        rows, values, {name: f"is an object: name a path into it, such as {name}" for name in inner}
    )


def find_no_objects(rows: Rows, values: pl.Series) -> dict[int, Fault]:
    """Return what is wrong where a row has a value in the place of an object on a path.

    Parameters and return value are those of `find_objects`.
    """
    name = values.name
    outer = [name[:end] for end, mark in enumerate(name) if mark == "."]
    return _find_instead(rows, values, {one: f"is not there: {one} is no object" for one in outer})


def _find_instead(rows: Rows, values: pl.Series, reasons: Mapping[str, str]) -> dict[int, Fault]:
    """Return the reason of each row that lacks `values` and has another column instead."""
    faults: dict[int, Fault] = {}
    for name, reason in reasons.items():
        if rows.sparse and name in rows.frame.columns:
            for row in find_true(_has_value(rows.frame[name]) & _has_gap(values)):
                faults.setdefault(row, Fault(reason))
    return faults


def _has_value(values: pl.Series) -> pl.Series:
    """Return which cells hold something: of lists, those with a value in it."""
    if not isinstance(values.dtype, pl.List):
        return values.is_not_null()
    return (values.list.drop_nulls().list.len() > 0).fill_null(False)


def _has_gap(values: pl.Series) -> pl.Series:
    """Return which cells are empty: of lists, those that lack a value as well."""
    if not isinstance(values.dtype, pl.List):
        return values.is_null()
    present = values.list.drop_nulls().list.len()
    return ((present < values.list.len()) | (present == 0)).fill_null(True)


def _find_column(frame: pl.DataFrame, name: str) -> pl.Series | None:
    if name in frame.columns:
        return frame[name]
    for end in (place for place, character in enumerate(name) if character == "."):
        if name[:end] in frame.columns:
            inner = _open_path(frame[name[:end]], name[end + 1 :])
            if inner is not None:
                return inner.alias(name)
    return None


def _open_path(values: pl.Series, path: str) -> pl.Series | None:
    """Return the value at `path` in each object of a column, or None without such a field."""
    kind = values.dtype
    objects = kind.inner if isinstance(kind, pl.List) else kind
    if not isinstance(objects, pl.Struct):
        return None
    for field_ in objects.fields:
        if path != field_.name and not path.startswith(f"{field_.name}."):
            continue
        if isinstance(kind, pl.List):
            found = values.list.eval(pl.element().struct.field(field_.name))
            if isinstance(field_.dtype, pl.List):
                found = found.list.eval(pl.element().explode())
        else:
            found = values.struct.field(field_.name)
        below = path[len(field_.name) + 1 :]
        return _open_path(found, below) if below else found
    return None
