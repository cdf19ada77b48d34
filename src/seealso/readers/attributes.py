"""Reads the attributes of users: values by name, from a row for each user."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import polars as pl

from seealso.config import UsersSettings
from seealso.errors import DataError
from seealso.readers.problems import Problem, Problems
from seealso.readers.rows import Rows, RowSource, batches
from seealso.readers.values.cells import Cells, Fault, parse_lists, parse_texts
from seealso.readers.values.columns import ColumnCheck, select_column
from seealso.readers.values.ids import parse_ids

Attributes: TypeAlias = Mapping[str, Any]
"""Values by name: text, a number, true or false, or several texts."""

LONGEST_VALUE = 10_000
"""Most characters of one attribute: a longer one is no attribute."""


def read_attributes(
    source: RowSource, columns: UsersSettings, problems: Problems
) -> dict[str, Attributes]:
    """Return the attributes of each user of `source`.

    Parameters
    ----------
    source
        A row for each user.
    columns
        Which columns are read. Empty values are left out.
    problems
        Takes the broken rows: no user id, one over 512 bytes or there already; and the broken
        values: over 10,000 characters.

    Raises
    ------
    DataError
        A column is missing, there are no users, the file cannot be read, or a row is broken
        and `problems` stops there.
    """
    reading = problems.reading("users", source.name)
    check = ColumnCheck(source.name, "users", (columns.id, *columns.attributes), (columns.id,))
    found: dict[str, Attributes] = {}
    for rows in batches(source):
        check.see(rows)
        reading.take(rows, _parse_rows(rows, columns, found))
    check.finish()
    if not found:
        raise DataError(
            f"{source.name} has no users",
            hint=reading.messages[0] if reading.messages else "check users.path in seealso.toml",
            file=source.name,
        )
    return found


def _parse_rows(rows: Rows, columns: UsersSettings, found: dict[str, Attributes]) -> list[Problem]:
    """Put the attributes of `rows` into `found`; return what is wrong with the others."""
    ids = parse_ids(select_column(rows.frame, columns.id))
    broken: list[Problem] = []
    present = rows.columns
    named = columns.attributes or [name for name in present if name != columns.id]
    cells = [_parse_values(select_column(rows.frame, name)) for name in named if name in present]
    lists = [(each.name, each.faults, each.values.to_list()) for each in cells]
    for row, (user_id, place) in enumerate(zip(ids.values.to_list(), rows.places, strict=True)):
        # the id itself stays out of messages: they may end in a log
        if row in ids.faults:
            broken.append(Problem(place, columns.id, ids.faults[row].reason))
        elif user_id is None:
            broken.append(Problem(place, columns.id, "is empty"))
        elif user_id in found:
            broken.append(Problem(place, columns.id, "already exists"))
        else:
            own: dict[str, Any] = {}
            for name, faults, values in lists:
                if row in faults:
                    broken.append(Problem(place, name, faults[row].reason, costs="value"))
                elif values[row] is not None:
                    own[name] = values[row]
            found[user_id] = own
    return broken


def _parse_values(values: pl.Series) -> Cells:
    """Return values that JSON knows: numbers and booleans as they are, the rest as text."""
    kind = values.dtype
    if isinstance(kind, pl.List | pl.Array):
        parts = parse_lists(values).list.drop_nulls()
        lists = [None if not one else one if len(one) > 1 else one[0] for one in parts.to_list()]
        return _drop_long(Cells(pl.Series(values.name, lists, dtype=pl.Object)))
    if kind == pl.Boolean or kind.is_integer():
        return Cells(values)
    if kind.is_numeric():
        return Cells(values.cast(pl.Float64).fill_nan(None))
    return _drop_long(parse_texts(values))


def _drop_long(cells: Cells) -> Cells:
    long = {
        row: Fault(f"has more than {LONGEST_VALUE:,} characters")
        for row, value in enumerate(cells.values.to_list())
        if value is not None and len(str(value)) > LONGEST_VALUE
    }
    return Cells(cells.values, {**cells.faults, **long})
