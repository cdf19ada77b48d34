"""Reads events: rows of any source become frames with one row for each event."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Literal

import polars as pl

from seealso.config import EventSettings
from seealso.readers.problems import Problem, Problems
from seealso.readers.rows import Rows, RowSource, batches
from seealso.readers.values.cells import (
    Cells,
    Fault,
    find_true,
    is_null_word,
    parse_texts,
    strip_blanks,
    take_one,
)
from seealso.readers.values.columns import ColumnCheck, find_no_objects, find_objects, select_column
from seealso.readers.values.conventions import Conventions, find_event_conventions
from seealso.readers.values.ids import parse_ids
from seealso.readers.values.lists import explode_items, is_written_list, split_lists
from seealso.readers.values.numbers import parse_numbers
from seealso.readers.values.times import TIME, parse_times

EVENT_SCHEMA: Final = pl.Schema(
    {
        "user_id": pl.String(),
        "item_id": pl.String(),
        "type": pl.String(),
        "value": pl.Float64(),
        "time": TIME,
    }
)
"""Columns of an event frame. ``time`` can be null, and ``user_id`` of an event of nobody: it
counts for importance and belongs to no history."""


LONGEST_TYPE: Final = 256
"""Most UTF-8 bytes of the type of an event: what is longer is no name."""

LARGEST_VALUE: Final = 1e15
"""Larger values are no ratings and no amounts, and their sum is not exact."""

NOBODY: Final = frozenset(
    {"undefined", "none", "(not set)", "00000000-0000-0000-0000-000000000000"}
)
"""What trackers write for a user that they do not know, in lower case."""


def read_events(
    source: RowSource, columns: EventSettings, problems: Problems
) -> Iterator[pl.DataFrame]:
    """Yield the events of `source` in batches, in its order.

    Parameters
    ----------
    source
        The events.
    columns
        Which columns are read. An empty user stays null, an empty type becomes
        ``default_type``, an empty value 1, an empty time null. A row with a list of items is
        an event for each of them.
    problems
        Takes the broken rows: no item, a value that is no finite number, a time that is none
        of the years 1970 to 2100, a value or type beyond all measure.

    Yields
    ------
    pl.DataFrame
        With the columns of `EVENT_SCHEMA`.

    Raises
    ------
    DataError
        A column is missing, the file cannot be read, or a row is broken and `problems` stops
        there.
    """
    reading = problems.reading("events", source.name)
    optional = [name for name in (columns.type, columns.value, columns.time) if name]
    names = (columns.user, columns.item, *optional)
    check = ColumnCheck(source.name, "events", names, (columns.item,))
    conventions = find_event_conventions(
        source, columns.value, columns.time, columns.format, reading.note
    )
    read = 0
    for rows in batches(source, columns.columns):
        check.see(rows)
        read += rows.frame.height
        events, broken, nobodies = parse_events(rows, columns, conventions)
        reading.take(rows, broken)
        for word, count in nobodies.items():
            nobody = f"of user {word!r}, which means no user"
            reading.tally(count, f"row is {nobody}", f"rows are {nobody}")
        reading.tally(
            events["user_id"].null_count(),
            "event has no user: it counts only for importance",
            "events have no user: they count only for importance",
        )
        if events.height:
            yield events.drop("place")
    check.finish()
    if not read:
        # an export that failed looks like a shop where nobody did anything
        reading.note("there are no events in it")


def parse_events(
    rows: Rows, columns: EventSettings, conventions: Conventions
) -> tuple[pl.DataFrame, list[Problem], Mapping[str, int]]:
    """Read the events of some rows.

    Parameters
    ----------
    rows
        Of one source.
    columns
        Which columns are read.
    conventions
        Asked where a cell can be read in two ways.

    Returns
    -------
    tuple
        The events, each with its ``place``; what is wrong with the other rows; and how many rows
        are of a user that is a word for nobody, by word: none where the settings name the words
        for an empty value (``format.nulls``).
    """
    nulls = columns.format.nulls
    bad = _Faults(rows)
    users = parse_ids(select_column(rows.frame, columns.user), nulls)
    nobodies: Counter[str] = Counter()
    if nulls is None:
        nobody = is_null_word(users.values, None, NOBODY).fill_null(False)
        nobodies = Counter(users.values.filter(nobody).to_list())
        users = Cells(users.values.set(nobody, None), users.faults)
    # the id of a user stands in no message
    bad.add(columns.user, {row: replace(one, value=None) for row, one in users.faults.items()})
    for name in columns.columns:
        if name != columns.item:
            bad.add(name, _find_shapes(rows, name, columns))
    type_cells = take_one(_select_optional(rows, columns.type))
    types = strip_blanks(parse_texts(type_cells.values, nulls))
    types = types.reject(
        types.values.str.len_bytes() > LONGEST_TYPE, f"has more than {LONGEST_TYPE} bytes"
    )
    bad.add(columns.type, {**types.faults, **type_cells.faults})
    time_cells = _select_optional(rows, columns.time)
    times = parse_times(time_cells, nulls, columns.format.time, conventions)
    bad.add(columns.time, times.faults)
    whole = pl.DataFrame(
        {
            "user_id": users.values,
            "type": types.values.fill_null(columns.default_type),
            "time": times.values,
            "place": pl.Series(rows.places, dtype=pl.Int64),
            "row": pl.int_range(rows.frame.height, eager=True),
        }
    )
    items = _split_column(select_column(rows.frame, columns.item), columns)
    values = _split_column(_select_optional(rows, columns.value), columns)
    bad.add(columns.item, items.faults)
    bad.add(columns.value, values.faults)
    if isinstance(items.values.dtype, pl.List | pl.Array):
        frame, misfits = explode_items(whole, items.values, values.values)
        bad.add(columns.value, {row: Fault(reason) for row, reason in misfits.items()})
    else:
        frame = whole.with_columns(item=items.values, value=values.values, of=pl.lit(1))
    ids = parse_ids(frame["item"], nulls)
    shapes, nothing = _find_shapes(rows, columns.item, columns), Fault("is empty")
    empty = find_true(ids.values.is_null())
    gaps = {position: shapes.get(frame["row"][position], nothing) for position in empty}
    bad.add(columns.item, {**gaps, **ids.faults}, frame)
    numbers = parse_numbers(frame["value"], conventions, nulls)
    numbers = numbers.reject(numbers.values.abs() > LARGEST_VALUE, f"is beyond {LARGEST_VALUE:g}")
    bad.add(columns.value, numbers.faults, frame)
    events = frame.select(
        "user_id", ids.values.alias("item_id"), "type",
        numbers.values.fill_null(1.0).alias("value"), "time", "place",
    )  # fmt: skip
    if bad.lost:
        events = events.filter(~bad.mask(frame))
    return events, bad.problems, nobodies


def _find_shapes(rows: Rows, name: str, columns: EventSettings) -> dict[int, Fault]:
    """Return the faults of cells with an object instead of a value, or a value instead of one."""
    values = select_column(rows.frame, name)
    faults = find_objects(rows, values, columns.columns)
    around = name.rpartition(".")[0]
    if name != columns.item and around and columns.item.startswith(f"{around}."):
        # that the object around both is none is said of the item
        return faults
    return faults | find_no_objects(rows, values)


def _split_column(values: pl.Series, columns: EventSettings) -> Cells:
    """Return a column split into lists where the settings name its separator."""
    separator = columns.lists.get(values.name)
    if separator is not None and values.dtype == pl.String:
        return split_lists(values, separator)
    written = is_written_list(values)
    if not written.any():
        return Cells(values)
    return Cells(values).reject(written, "is a list written as text: name it in events.lists")


def _select_optional(rows: Rows, name: str | None) -> pl.Series:
    return (
        select_column(rows.frame, name)
        if name
        else select_column(pl.DataFrame(height=rows.frame.height), "")
    )


class _Faults:
    """What is wrong with the rows of a batch, and with single items of a row."""

    def __init__(self, rows: Rows) -> None:
        self._places = rows.places
        self.problems: list[Problem] = []
        self._rows: set[int] = set()
        self._events: set[int] = set()

    @property
    def lost(self) -> bool:
        """Whether anything is left out."""
        return bool(self._rows or self._events)

    def add(
        self, name: str | None, faults: Mapping[int, Fault], events: pl.DataFrame | None = None
    ) -> None:
        """Take the faults of one column, by the position of the row, or that in `events`."""
        owners = None if events is None else (events["row"], events["of"])
        for position, fault in faults.items():
            row, of = (position, 1) if owners is None else (one[position] for one in owners)
            # one item of several costs itself, the others stay
            costs: Literal["row", "value"] = "value" if of > 1 else "row"
            if costs == "row":
                self._rows.add(row)
            else:
                self._events.add(position)
            self.problems.append(
                Problem(self._places[row], name or "", fault.reason, fault.value, costs)
            )

    def mask(self, events: pl.DataFrame) -> pl.Series:
        """Return which of `events` are left out."""
        positions = pl.int_range(events.height, eager=True)
        return events["row"].is_in(list(self._rows)) | positions.is_in(list(self._events))
