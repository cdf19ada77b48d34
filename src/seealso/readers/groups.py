"""Reads known groups: the members of each, from rows with one member or a list of them."""

from collections.abc import Mapping

import polars as pl

from seealso.config import GroupSettings
from seealso.errors import DataError
from seealso.readers.files import FileSource
from seealso.readers.problems import Problem, Problems, Reading
from seealso.readers.rows import Rows, RowSource, batches
from seealso.readers.values.cells import Cells, Fault, find_true, parse_lists
from seealso.readers.values.columns import ColumnCheck, select_column
from seealso.readers.values.ids import parse_ids
from seealso.readers.values.lists import is_written_list, split_lists
from seealso.types import GroupMembers


def read_known_groups(settings: GroupSettings, problems: Problems) -> GroupMembers:
    """Return the groups of the file of ``[groups]``; none where no file is named.

    Raises
    ------
    DataError
        As for `read_groups`.
    """
    if settings.path is None:
        return {}
    source = FileSource(
        settings.path, format=settings.format, columns=settings.columns, section="groups"
    )
    return read_groups(source, settings, problems)


def read_groups(source: RowSource, columns: GroupSettings, problems: Problems) -> GroupMembers:
    """Return the members of each group of `source`.

    Parameters
    ----------
    source
        A row for each group with a list of members, or a row for each member.
    columns
        Which columns are read.
    problems
        Takes the broken rows: no group id or no member, or an id over 512 bytes; and the broken
        values: a member that is a group itself. A member that is named twice counts once, which is
        said; and so is how many groups have one member.

    Raises
    ------
    DataError
        A column is missing, there are no groups, the file cannot be read, or a row is broken and
        `problems` stops there.
    """
    reading = problems.reading("groups", source.name)
    check = ColumnCheck(source.name, "groups", columns.columns, columns.columns)
    found: dict[str, dict[str, int]] = {}
    unit = "row"
    for rows in batches(source, columns.columns):
        check.see(rows)
        unit = rows.unit
        named, broken = _parse_rows(rows, columns)
        reading.take(rows, broken)
        repeated = 0
        for group_id, member, place in named:
            own = found.setdefault(group_id, {})
            repeated += member in own
            own.setdefault(member, place)
        reading.tally(repeated, "member is named twice", "members are named twice")
    check.finish()
    groups = _without_groups_in_groups(found, reading, unit, columns.members)
    if not groups:
        raise DataError(
            f"{source.name} has no groups",
            hint=reading.messages[0] if reading.messages else "check groups.path in seealso.toml",
            file=source.name,
        )
    alone = sum(len(own) == 1 for own in groups.values())
    reading.tally(alone, "group has one member", "groups have one member")
    return groups


def _parse_rows(
    rows: Rows, columns: GroupSettings
) -> tuple[list[tuple[str, str, int]], list[Problem]]:
    """Return group, member and place of each member of `rows`; and what is wrong with the others.

    The ids stay out of messages: they may end in a log.
    """
    nulls = columns.format.nulls
    groups = parse_ids(select_column(rows.frame, columns.id), nulls)
    cells = _split(select_column(rows.frame, columns.members), columns.separator)
    broken = [
        Problem(rows.places[row], name, fault.reason)
        for name, faults in ((columns.id, groups.faults), (columns.members, cells.faults))
        for row, fault in faults.items()
    ]
    empty = find_true(groups.values.is_null())
    broken += [Problem(rows.places[row], columns.id, "is empty") for row in empty]
    apart = pl.DataFrame({"group": groups.values, "place": rows.places, "member": cells.values})
    apart = apart.with_row_index("row").explode("member")
    members = parse_ids(apart["member"], nulls)
    lost = {row for faults in (groups.faults, cells.faults) for row in faults}
    named: list[tuple[str, str, int]] = []
    full: set[int] = set()
    for at, (row, group_id, place) in enumerate(apart.select("row", "group", "place").rows()):
        member = members.values[at]
        if at in members.faults:
            full.add(row)
            reason = members.faults[at].reason
            broken.append(Problem(place, columns.members, reason, costs="value"))
        elif member is not None and group_id is not None and row not in lost:
            full.add(row)
            named.append((group_id, member, place))
    bare = sorted(set(range(rows.frame.height)) - full - lost - set(empty))
    broken += [Problem(rows.places[row], columns.members, "names nobody") for row in bare]
    return named, broken


def _split(values: pl.Series, separator: str | None) -> Cells:
    """Return a column of lists of members."""
    if isinstance(values.dtype, pl.List | pl.Array):
        return Cells(parse_lists(values))
    if separator is not None and values.dtype == pl.String:
        return split_lists(values, separator)
    faults: dict[int, Fault] = {}
    if (written := is_written_list(values)).any():
        reason = "is a list written as text: set groups.separator"
        faults = {row: Fault(reason) for row in find_true(written)}
    return Cells(values.to_frame().select(pl.concat_list(values.name)).to_series(), faults)


def _without_groups_in_groups(
    found: Mapping[str, Mapping[str, int]], reading: Reading, unit: str, column: str
) -> GroupMembers:
    """Return the groups without members that are groups themselves: no id is of both kinds."""
    groups, broken = {}, []
    for group_id, own in found.items():
        kept = tuple(member for member in own if member not in found)
        reason = "names a group, not a user" if kept else "names no user, but groups alone"
        broken += [
            Problem(place, column, reason, costs="value")
            for member, place in own.items()
            if member in found
        ]
        if kept:
            groups[group_id] = kept
    reading.report(broken, unit)
    return groups
