"""Reads times in all usual forms: ISO 8601, other dates, numbers since 1970.

Times outside the years 1970 to 2100 are refused: systems write them for "no date" or "for ever", or
the number has another unit. So is the first moment of 1970, the zero of Unix.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import polars as pl

from seealso.readers.values.cells import (
    BLANKS,
    NULL_WORDS,
    Cells,
    Fault,
    find_true,
    is_null_word,
    quote_value,
    take_one,
)
from seealso.readers.values.conventions import COUNTS_BELOW, Conventions
from seealso.readers.values.dates import TWO_WAYS, write_as_iso
from seealso.readers.values.ids import ROUNDED, SCIENTIFIC
from seealso.types import to_micros

_NO_CONVENTIONS: Final = Conventions()

TIME: Final = pl.Datetime("us", "UTC")

NO_TIME: Final = (
    "is not a time between 1970 and 2100 (ISO 8601, a date, or a number since 1970); "
    "events.format.time names other forms"
)

_TWO_WAYS: Final = (
    "has a day and a month that could change places: "
    "set events.format.time, such as '%d/%m/%Y %H:%M'"
)
_OTHER_FORM: Final = "is not written as events.format.time says"
_EXCEL: Final = (
    "is not a time but perhaps a date of Excel: format the column as YYYY-MM-DD and export again"
)
_SMALL: Final = 'is not a time: so small a number since 1970 is a year, a month or "no date"'
_ZERO: Final = 'is the first moment of 1970, by which systems write "no date"'

_END: Final = to_micros(datetime(2101, 1, 1, tzinfo=UTC))

# seconds, in 1973: below are years, months, days of Excel and counts of other things
_LEAST: Final = 100_000_000

# a count in seconds as numpy writes it, with every digit and an exponent
_ALL_DIGITS: Final = 15

# days since 1900, of the years 1954 to 2119
_DAYS_OF_EXCEL: Final = (20_000, 80_000)

# from these on, a number cannot be seconds, milliseconds, microseconds: each unit has until 5138
_MILLISECONDS: Final = 100_000_000_000
_MICROSECONDS: Final = 100_000_000_000_000
_NANOSECONDS: Final = 100_000_000_000_000_000

# digits of a date as one number, with the first and last such number and how it is written:
# as a count since 1970, each would be a moment of the years 1970 to 1976
_DATES: Final = (
    (19700101, 21001231, "%Y%m%d"),
    (197001010000, 210012312359, "%Y%m%d%H%M"),
    (19700101000000, 21001231235959, "%Y%m%d%H%M%S"),
)

_ISO: Final = (
    r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})"
    r"(?:[Tt ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?:\s*([AaPp])\.?[Mm]\.?)?)?"
    r"\s*(?:([Zz]|UTC|GMT)|(?:UTC|GMT)?([-+])(\d{2}):?(\d{2})?(?::?00)?)?"
    r"(?:\s*\[?([A-Z]\w+/[\w/+-]+)\]?|\s*\([^)]*\))?$"
)
_PARTS: Final = ("year", "month", "day", "hour", "minute", "second", "fraction", "half",
                 "utc", "sign", "hours", "minutes", "region")  # fmt: skip


def parse_times(
    values: pl.Series,
    nulls: Sequence[str] | None = None,
    form: str | None = None,
    conventions: Conventions = _NO_CONVENTIONS,
) -> Cells:
    """Return each cell as a UTC time in microseconds; null where it is empty or no time.

    Numbers, and texts that are numbers, are ``YYYYMMDD``, ``YYYYMMDDHHMM`` or
    ``YYYYMMDDHHMMSS`` where they can be, else seconds, milliseconds, microseconds or nanoseconds
    since 1970, by their magnitude. A text without a zone is in UTC.

    Parameters
    ----------
    values
        A column of any type.
    nulls
        The words for an empty value, where the settings name them.
    form
        How texts are written, as `datetime.strptime` takes it; found out by default.
    conventions
        Asked for the order of a date with slashes, where day and month could change places, and
        whether small numbers count from a start of their own, which is put at the first second
        of 1970.
    """
    one = take_one(values)
    values = one.values
    kind = values.dtype
    empty = values.is_null()
    if isinstance(kind, pl.Datetime):
        zoned = values.dt.replace_time_zone("UTC") if kind.time_zone is None else values
        micros = zoned.dt.epoch("us")
    elif kind == pl.Date:
        micros = values.cast(pl.Datetime("us")).dt.epoch("us")
    elif kind.is_numeric():
        micros = _parse_numbers(values, conventions.counting)
        empty |= values.cast(pl.Float64).is_nan().fill_null(False)
    elif kind == pl.String:
        texts = values.str.strip_chars(BLANKS)
        empty = is_null_word(texts, nulls, NULL_WORDS).fill_null(True)
        texts = texts.set(empty, None)
        micros = _parse_form(texts, form) if form else _parse_texts(texts, conventions)
    else:
        micros = pl.Series(values.name, [None] * len(values), dtype=pl.Int64)
    micros = micros.set(~micros.is_between(1, _END, closed="left").fill_null(False), None)
    times = micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias(values.name)
    faults = {
        row: Fault(
            _OTHER_FORM if form and kind == pl.String else _explain(values[row]),
            quote_value(values[row]),
        )
        for row in find_true(times.is_null() & ~empty)
    }
    return Cells(times, {**faults, **one.faults})


def _explain(value: Any) -> str:
    """Return why a value is no time, and what it may be."""
    if re.match(SCIENTIFIC, str(value).strip(BLANKS)):
        return ROUNDED
    try:
        number = float(value)
    except (TypeError, ValueError):
        if re.match(TWO_WAYS, str(value)):
            return _TWO_WAYS
        return _ZERO if str(value).strip(BLANKS).startswith("1970-01-01") else NO_TIME
    if _DAYS_OF_EXCEL[0] <= number < _DAYS_OF_EXCEL[1]:
        return _EXCEL
    return _SMALL if 0 <= number < _LEAST else NO_TIME


def _parse_numbers(numbers: pl.Series, counting: Callable[[], bool | None]) -> pl.Series:
    """Return microseconds since 1970, null where a number is out of all bounds."""
    if numbers.dtype.is_integer():
        whole = numbers.cast(pl.Int64, strict=False)
        if whole.is_between(0, COUNTS_BELOW, closed="left").any() and counting():
            # zero itself is how systems write "no date"
            return (whole + 1) * 1_000_000
        micros = _since_1970(whole, whole)
    else:
        exact = numbers.cast(pl.Float64).fill_nan(None)
        exact = exact.set(exact.abs() > 9e18, None)
        whole = exact.set(exact != exact.round(0), None).cast(pl.Int64)
        micros = _since_1970(exact, whole)
    for first, last, form in _DATES:
        dates = whole.is_between(first, last).fill_null(False)
        if dates.any():
            texts = whole.set(~dates, None).cast(pl.String)
            # polars reads a date without an hour only as a date
            kind = pl.Date if form == "%Y%m%d" else pl.Datetime("us")
            read = texts.str.strptime(kind, form, strict=False).cast(pl.Datetime("us"))
            micros = read.dt.epoch("us").zip_with(dates, micros)
    return micros


def _since_1970(numbers: pl.Series, whole: pl.Series) -> pl.Series:
    """Return microseconds, which are exact for whole numbers and rounded for others."""
    frame = pl.DataFrame({"number": numbers, "whole": whole})
    # numbers of nanoseconds are always whole: a float has no fraction there
    reckoned = (_reckon(pl.col(name)).round(0).cast(pl.Int64) for name in ("whole", "number"))
    return frame.select(
        pl.when(pl.col("number") >= _LEAST).then(pl.coalesce(*reckoned)).alias(numbers.name)
    ).to_series()


def _reckon(number: pl.Expr) -> pl.Expr:
    """Return microseconds of seconds, milliseconds, microseconds or nanoseconds."""
    return (
        pl.when(number < _MILLISECONDS)
        .then(number * 1_000_000)
        .when(number < _MICROSECONDS)
        .then(number * 1000)
        .when(number < _NANOSECONDS)
        .then(number)
        .otherwise(number // 1000)
    )


def _parse_form(texts: pl.Series, form: str) -> pl.Series:
    """Return microseconds of texts that are all written in one form."""
    kind: pl.Datetime | pl.Date = pl.Datetime("us", "UTC" if "%z" in form else None)
    if not re.search(r"%[-_0]?[HIklMSTRXcrs+]", form):
        # polars reads a date without an hour only as a date
        kind = pl.Date()
    return texts.str.strptime(kind, form, strict=False).cast(pl.Datetime("us")).dt.epoch("us")


def _parse_texts(texts: pl.Series, conventions: Conventions) -> pl.Series:
    whole = texts.cast(pl.Int64, strict=False)
    micros = _parse_numbers(whole, conventions.counting)
    unread = texts.set(whole.is_not_null(), None)
    if unread.null_count() < len(unread):
        micros = micros.zip_with(whole.is_not_null(), _parse_iso(unread))
        unread = unread.set(micros.is_not_null(), None)
    if unread.null_count() < len(unread):
        micros = micros.fill_null(_parse_iso(write_as_iso(unread, conventions.day_first)))
        unread = unread.set(micros.is_not_null(), None)
    if unread.null_count() < len(unread):
        # what Excel rounded may be hours away
        rounded = unread.str.contains(SCIENTIFIC) & (unread.str.len_chars() < _ALL_DIGITS)
        numbers = unread.cast(pl.Float64, strict=False).set(rounded.fill_null(False), None)
        micros = micros.zip_with(numbers.is_null(), _parse_numbers(numbers, conventions.counting))
        odd = unread.set(numbers.is_not_null(), None).drop_nulls().unique()
        read = [_parse_odd(text) for text in odd]
        micros = micros.fill_null(
            unread.replace_strict(odd, read, default=None, return_dtype=pl.Int64)
        )
    return micros


def _parse_iso(texts: pl.Series) -> pl.Series:
    """Return microseconds of the common forms of ISO 8601, all cells at once."""
    groups = texts.str.extract_groups(_ISO).struct.rename_fields(list(_PARTS)).struct.unnest()

    def part(name: str) -> pl.Expr:
        return pl.col(name).cast(pl.Int64, strict=False).fill_null(0)

    hour, half = part("hour"), pl.col("half").str.to_lowercase()
    # 12 AM is midnight; 24:00 is that at the end of the day
    twelve = pl.when(hour.is_between(1, 12)).then(
        hour % 12 + pl.when(half == "p").then(12).otherwise(0)
    )
    late = (hour == 24) & (part("minute") == 0) & (part("second") == 0) & half.is_null()
    hours = pl.when(half.is_not_null()).then(twelve).when(late).then(0).otherwise(hour)
    fields = (part("month"), part("day"), hours, part("minute"), part("second"))
    written = pl.concat_str(
        "year", *(f.cast(pl.String).str.zfill(2) for f in fields), separator=" "
    )
    moment = written.str.strptime(pl.Datetime("us"), "%Y %m %d %H %M %S", strict=False)
    fraction = pl.col("fraction").str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64, strict=False)
    ahead = (part("hours") * 60 + part("minutes")) * 60_000_000
    signed = pl.when(pl.col("sign") == "-").then(-ahead).otherwise(ahead)
    next_day = pl.when(late).then(86_400_000_000).otherwise(0)
    micros = groups.select(
        (moment.dt.epoch("us") + fraction.fill_null(0) + next_day - signed).alias(texts.name)
    ).to_series()
    offset = groups.select(pl.coalesce("utc", "sign").is_not_null()).to_series()
    return _convert_regions(micros, groups["region"].set(offset, None))


def _convert_regions(micros: pl.Series, regions: pl.Series) -> pl.Series:
    """Return UTC of local times with the name of a zone; null where there is no such zone."""
    for region in regions.drop_nulls().unique():
        here = (regions == region).fill_null(False)
        local = micros.set(~here, None).cast(pl.Datetime("us"))
        try:
            zoned = local.dt.replace_time_zone(region, ambiguous="earliest", non_existent="null")
            micros = zoned.dt.epoch("us").zip_with(here, micros)
        except pl.exceptions.ComputeError:
            micros = micros.set(here, None)
    return micros


def _parse_odd(text: str) -> int | None:
    """Return microseconds of the rarer forms: weeks, ``20240229T120000Z``, those of e-mail."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            time = parse(text)
            return to_micros(time if time.tzinfo else time.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            continue
    return None
