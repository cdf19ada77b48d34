"""Attributes of users: rows of a file become values by name, for each user."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from seealso.config import UsersSettings
from seealso.errors import DataError
from seealso.interactions.columns import LONGEST_ID, ColumnCheck, as_text, column, faults
from seealso.interactions.problems import Problem, Problems
from seealso.interactions.rows import Rows, RowSource, batches

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
        Takes the broken rows: no user id, one over 512 bytes or there already, a value over
        10,000 characters.

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
        if rows.places or not rows.sparse:
            check.see(rows.columns, sparse=rows.sparse)
        reading.report(_read(rows, columns, source.name, found), rows.unit)
    check.finish()
    if not found:
        raise DataError(
            f"{source.name} has no users",
            hint=reading.messages[0] if reading.messages else "check users.path in seealso.toml",
            file=source.name,
        )
    return found


def _read(
    rows: Rows, columns: UsersSettings, source: str, found: dict[str, Attributes]
) -> list[Problem]:
    """Put the attributes of `rows` into `found`; return what is wrong with the others."""
    ids = as_text(column(rows.frame, columns.id), source)
    bad = dict.fromkeys(faults(ids.is_null()), "is empty")
    bad |= dict.fromkeys(faults(ids.str.len_bytes() > LONGEST_ID), f"has over {LONGEST_ID} bytes")
    broken = [Problem(place, "", reason) for place, reason in rows.broken]
    broken += [Problem(rows.places[row], columns.id, reason) for row, reason in bad.items()]
    named = columns.attributes or [name for name in rows.frame.columns if name != columns.id]
    kept = rows.frame.select([name for name in named if name in rows.frame.columns])
    values = kept.to_dicts() if kept.width else [{} for _ in range(rows.frame.height)]
    for row, (user_id, given) in enumerate(zip(ids.to_list(), values, strict=True)):
        if row in bad:
            continue
        present = {name: value for name, value in given.items() if _is_something(value)}
        long = next((n for n, v in present.items() if len(str(v)) > LONGEST_VALUE), None)
        if long is not None:
            reason = f"has more than {LONGEST_VALUE:,} characters"
            broken.append(Problem(rows.places[row], long, reason))
        elif user_id in found:
            # the id itself stays out of messages: they may end in a log
            broken.append(Problem(rows.places[row], columns.id, "is there already"))
        else:
            found[user_id] = present
    return broken


def _is_something(value: Any) -> bool:
    # NaN is the one value that is not equal to itself
    return value is not None and value != "" and value == value
