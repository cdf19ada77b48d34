"""Behaviour: rows become frames of (user_id, item_id, type, value, time), one row per event."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, Literal

import polars as pl

from seealso.config import EventSettings
from seealso.readers.baskets import one_item_each
from seealso.readers.cells import (
    BLANKS,
    Cells,
    Fault,
    as_ids,
    as_text,
    broken,
    found,
    is_null_word,
    single,
)
from seealso.readers.columns import ColumnCheck, column, objects
from seealso.readers.counts import Counting, never
from seealso.readers.dates import DayOrder, unknown
from seealso.readers.numbers import DecimalMark, Mark, as_numbers
from seealso.readers.problems import Problem, Problems
from seealso.readers.rows import Rows, RowSource, batches
from seealso.readers.times import TIME, as_times

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
"""Values beyond are no ratings and no amounts, and their sum is not exact."""

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
    wanted = (columns.user, columns.item, *optional)
    check = ColumnCheck(source.name, "events", wanted, (columns.item,))
    named = (columns.value,) if columns.value else ()
    decimal = DecimalMark(source, named, columns.format.decimal, reading.note)
    day_first = DayOrder(source, columns.time, reading.note)
    counting = Counting(source, columns.time, columns.format.nulls, reading.note)
    for rows in batches(source, columns.columns):
        if rows.places or not rows.sparse:
            check.see(rows.columns, sparse=rows.sparse, part=rows.part)
        events, broken = parse_events(rows, columns, decimal, day_first, counting)
        reading.report(broken, rows.unit)
        for word, count in nobodies(rows, columns).items():
            reading.tally(count, *(f"{said} of user {word!r}, which is nobody" for said in _ROWS))
        reading.tally(
            events["user_id"].null_count(),
            "event has no user: it counts for importance alone",
            "events have no user: they count for importance alone",
        )
        if events.height:
            yield events.drop("place")
    check.finish()


def parse_events(
    rows: Rows,
    columns: EventSettings,
    decimal: Callable[[], Mark] | None = None,
    day_first: Callable[[], bool | None] = unknown,
    counting: Callable[[], bool] = never,
) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the events of some rows, each with its ``place``, and what is wrong with the others.

    Parameters
    ----------
    rows
        Of one source.
    columns
        Which columns are read.
    decimal
        Asked for the decimal mark of values where a cell can be read in two ways; that of the
        settings by default, or else the point.
    day_first
        Asked for the order of a date with slashes, where day and month could change places.
    counting
        Asked where a time is a small number: whether all of them are counts, no dates.
    """
    nulls = columns.format.nulls
    mark = decimal or (lambda: columns.format.decimal or ".")
    bad = _Bad(rows)
    users = as_ids(column(rows.frame, columns.user), nulls)
    if nulls is None:
        users = Cells(users.values.set(_is_nobody(users.values), None), users.faults)
    # the id of a user stands in no message
    bad.add(columns.user, {row: replace(one, value=None) for row, one in users.faults.items()})
    for name in columns.columns:
        bad.add(name, objects(rows, column(rows.frame, name), columns.columns))
    given = single(_optional(rows, columns.type))
    types = as_text(given.values, nulls)
    long = (types.values.str.len_bytes() > LONGEST_TYPE).fill_null(False)
    too_long = broken(types.values, long, f"has more than {LONGEST_TYPE} bytes")
    bad.add(columns.type, {**too_long, **types.faults, **given.faults})
    given_times = _optional(rows, columns.time)
    times = as_times(given_times, nulls, columns.format.time, day_first, counting)
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
    items = _parted(column(rows.frame, columns.item), columns)
    values = _parted(_optional(rows, columns.value), columns)
    if isinstance(items.dtype, pl.List | pl.Array):
        frame, misfits = one_item_each(whole, items, values)
        bad.add(columns.value, {row: Fault(reason) for row, reason in misfits.items()})
    else:
        frame = whole.with_columns(item=items, value=values, of=pl.lit(1))
    ids = as_ids(frame["item"], nulls)
    empty = dict.fromkeys(found(ids.values.is_null()), Fault("is empty"))
    bad.add(columns.item, {**empty, **ids.faults}, frame)
    numbers = as_numbers(frame["value"], mark, nulls)
    beyond = (numbers.values.abs() > LARGEST_VALUE).fill_null(False)
    too_large = broken(numbers.values, beyond, f"is beyond {LARGEST_VALUE:g}")
    bad.add(columns.value, {**numbers.faults, **too_large}, frame)
    events = frame.select(
        "user_id", ids.values.alias("item_id"), "type",
        numbers.values.fill_null(1.0).alias("value"), "time", "place",
    )  # fmt: skip
    if bad.lost:
        events = events.filter(~bad.mask(frame))
    return events, bad.problems


def _parted(values: pl.Series, columns: EventSettings) -> pl.Series:
    """Return texts of several values as lists, where the settings name what parts them."""
    separator = columns.lists.get(values.name)
    if separator is None or values.dtype != pl.String:
        return values
    whole = values.str.strip_chars(BLANKS)
    return whole.set(whole == "", None).str.split(separator)


_ROWS: Final = ("row is", "rows are")


def nobodies(rows: Rows, columns: EventSettings) -> dict[str, int]:
    """Return how many of `rows` name a user by each word for nobody.

    Where the settings name the words for an empty value (``format.nulls``), no others count.
    """
    if columns.format.nulls is not None:
        return {}
    users = as_ids(column(rows.frame, columns.user)).values
    words = users.filter(_is_nobody(users))
    return dict(Counter(words.to_list()))


def _is_nobody(users: pl.Series) -> pl.Series:
    return is_null_word(users, None, NOBODY).fill_null(False)


def _optional(rows: Rows, name: str | None) -> pl.Series:
    return column(rows.frame, name) if name else column(pl.DataFrame(height=rows.frame.height), "")


class _Bad:
    """What is wrong with the rows of a batch, and with single items of a row."""

    def __init__(self, rows: Rows) -> None:
        self._places = rows.places
        self.problems = [Problem(place, "", reason) for place, reason in rows.broken]
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
