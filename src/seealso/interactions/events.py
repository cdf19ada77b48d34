"""Behaviour: rows become frames of (user_id, item_id, type, value, time), one row per event."""

from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl

from seealso.config import EventSettings
from seealso.interactions.columns import (
    LONGEST_ID,
    ColumnCheck,
    as_numbers,
    as_text,
    column,
    faults,
)
from seealso.interactions.problems import Problem, Problems
from seealso.interactions.rows import Rows, RowSource, batches

TIME = pl.Datetime("us", "UTC")

EVENT_SCHEMA = pl.Schema(
    {
        "user_id": pl.String(),
        "item_id": pl.String(),
        "type": pl.String(),
        "value": pl.Float64(),
        "time": TIME,
    }
)
"""Columns of an event frame; only ``time`` can be null."""

# numbers up to here are seconds since 1970 (until the year 5138), above milliseconds
_LARGEST_SECONDS = 1e11
# milliseconds until the year 9999: what datetime can hold
_LARGEST_MILLISECONDS = 253_402_300_799_999


def read_events(
    source: RowSource, columns: EventSettings, problems: Problems
) -> Iterator[pl.DataFrame]:
    """Yield the events of `source` in batches, in its order.

    Parameters
    ----------
    source
        The events.
    columns
        Which columns are read. An empty type becomes ``default_type``, an empty value 1, an
        empty time null.
    problems
        Takes the broken rows: no user or item, a value that is no finite number, a time that
        is none.

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
    key = (columns.user, columns.item)
    check = ColumnCheck(source.name, "events", (*key, *optional), key)
    for rows in batches(source):
        if rows.places or not rows.sparse:
            check.see(rows.columns, sparse=rows.sparse)
        events, broken = parse_events(rows, columns, source.name)
        reading.report(broken, rows.unit)
        if events.height:
            yield events.drop("place")
    check.finish()


def parse_events(
    rows: Rows, columns: EventSettings, source: str
) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the events of some rows, each with its ``place``, and what is wrong with the others.

    Parameters
    ----------
    rows
        Of one source.
    columns
        Which columns are read.
    source
        What messages call the source.
    """
    bad: dict[int, tuple[str, str]] = {}

    def note(name: str, mask: pl.Series, reason: str) -> None:
        for row in faults(mask):
            bad.setdefault(row, (name, reason))

    ids = {}
    for target, name in (("user_id", columns.user), ("item_id", columns.item)):
        ids[target] = as_text(column(rows.frame, name), source)
        note(name, ids[target].is_null(), "is empty")
        note(name, ids[target].str.len_bytes() > LONGEST_ID, f"has more than {LONGEST_ID} bytes")
    height = rows.frame.height
    types = pl.Series([columns.default_type] * height, dtype=pl.String)
    if columns.type:
        types = as_text(column(rows.frame, columns.type), source).fill_null(columns.default_type)
    values = pl.Series([1.0] * height, dtype=pl.Float64)
    if columns.value:
        given = column(rows.frame, columns.value)
        values = as_numbers(given)
        note(columns.value, values.is_null() & ~_empty(given), "is not a number")
        note(columns.value, values.is_nan() | values.is_infinite(), "is not a finite number")
        values = values.fill_null(1.0)
    times = pl.Series([None] * height, dtype=TIME)
    if columns.time:
        given = column(rows.frame, columns.time)
        times = as_times(given)
        reason = "is no time (ISO 8601, or seconds or milliseconds since 1970)"
        note(columns.time, times.is_null() & ~_empty(given), reason)
    places = pl.Series(rows.places, dtype=pl.Int64)
    frame = pl.DataFrame({**ids, "type": types, "value": values, "time": times, "place": places})
    broken = [Problem(place, "", reason) for place, reason in rows.broken]
    if bad:
        broken += [Problem(rows.places[row], *what) for row, what in bad.items()]
        frame = frame.filter(~pl.int_range(pl.len()).is_in(list(bad)))
    return frame, broken


def _empty(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        return values.is_null() | (values.str.strip_chars() == "")
    return values.is_null()


def as_times(values: pl.Series) -> pl.Series:
    """Return `values` as UTC times in microseconds, null where one is no time.

    Numbers are seconds since 1970 below 1e11, milliseconds above; text is such a number or
    ISO 8601, in UTC where it names no zone.
    """
    if isinstance(values.dtype, pl.Datetime):
        zoned = values.dt.replace_time_zone("UTC") if values.dtype.time_zone is None else values
        return zoned.cast(TIME)
    if values.dtype == pl.Date:
        return values.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if values.dtype != pl.String:
        return _since_1970(as_numbers(values))
    texts = values.str.strip_chars()
    times = _since_1970(as_numbers(texts))
    rest = texts.set(times.is_not_null(), None)
    if rest.null_count() == len(rest):
        return times
    parsed = pl.Series(values.name, [_iso(text) for text in rest], dtype=TIME)
    return times.zip_with(times.is_not_null(), parsed)


def _since_1970(numbers: pl.Series) -> pl.Series:
    numbers = numbers.fill_nan(None)
    milliseconds = numbers.zip_with(numbers.abs() > _LARGEST_SECONDS, numbers * 1000.0)
    possible = milliseconds.abs() <= _LARGEST_MILLISECONDS
    micros = (milliseconds.set(~possible, None) * 1000.0).round(0).cast(pl.Int64)
    return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _iso(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
