"""Event rows become canonical frames; times in every usual form mean the same moment."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from seealso.config import EventSettings
from seealso.errors import DataError
from seealso.interactions import EVENT_SCHEMA, Problems, Rows, read_events
from seealso.interactions.events import as_times


@dataclass(frozen=True)
class Lines:
    """A source in memory."""

    batches: tuple[Any, ...]
    name: str = "events.csv"

    def rows(self):
        return iter(self.batches)


def lines(**columns):
    frame = pl.DataFrame(columns)
    return Lines((Rows(frame, range(2, 2 + frame.height)),))


ALL = EventSettings(type="type", value="value", time="time")


def events(source, settings=ALL, problems=None):
    frames = list(read_events(source, settings, problems or Problems("stop")))
    assert all(frame.schema == EVENT_SCHEMA for frame in frames)
    return [row for frame in frames for row in frame.rows()]


def one(**changed):
    row = {"user_id": "u", "item_id": "i", "type": "buy", "value": "2", "time": "0", **changed}
    return lines(**{name: [value] for name, value in row.items()})


def test_an_event():
    assert events(one()) == [("u", "i", "buy", 2.0, datetime(1970, 1, 1, tzinfo=UTC))]


def test_what_is_empty_gets_its_default():
    settings = EventSettings(type="type", value="value", time="time", default_type="play")
    assert events(one(type="", value=" ", time=None), settings) == [("u", "i", "play", 1.0, None)]


def test_columns_that_are_not_named_are_not_read():
    source = lines(user_id=[1], item_id=[2.0], time=["never"])
    assert events(source, EventSettings()) == [("1", "2", "view", 1.0, None)]


NOON = datetime(2024, 2, 29, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2024-02-29T12:00:00.5Z",
        "2024-02-29T12:00:00.500+00:00",
        "2024-02-29 12:00:00.5",
        "2024-02-29T14:00:00.5+02:00",
        "20240229T120000.500Z",
        "1709208000.5",
        "1709208000500",
        " 1709208000500 ",
        1709208000.5,
        1709208000500,
        NOON,
        NOON.replace(tzinfo=None),
    ],
)
def test_a_time_in_many_forms(value):
    assert as_times(pl.Series([value])).to_list() == [NOON]


def test_other_times():
    assert as_times(pl.Series([date(2024, 2, 29)])).to_list() == [datetime(2024, 2, 29, tzinfo=UTC)]
    assert as_times(pl.Series(["2024-02-29"])).to_list() == [datetime(2024, 2, 29, tzinfo=UTC)]
    assert as_times(pl.Series([-86_400])).to_list() == [datetime(1969, 12, 31, tzinfo=UTC)]
    zoned = (
        pl.Series([NOON])
        .dt.convert_time_zone("Asia/Shanghai")
        .cast(pl.Datetime("ms", "Asia/Shanghai"))
    )
    assert as_times(zoned).to_list() == [NOON]
    mixed = pl.Series(["1709208000500", None, "2024-02-29T12:00:00.5Z"])
    assert as_times(mixed).to_list() == [NOON, None, NOON]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("user_id", "", "is empty"),
        ("item_id", None, "is empty"),
        ("item_id", "x" * 513, "has more than 512 bytes"),
        ("value", "many", "is not a number"),
        ("value", "NaN", "is not a finite number"),
        ("value", float("nan"), "is not a finite number"),
        ("value", float("inf"), "is not a finite number"),
        ("time", "yesterday", "is no time"),
        ("time", "2024-02-30", "is no time"),
        ("time", "1e300", "is no time"),
        ("time", float("nan"), "is no time"),
    ],
)
def test_a_broken_row_is_named(field, value, reason):
    with pytest.raises(DataError) as caught:
        events(one(**{field: value}))
    assert caught.value.message.startswith(f"events.csv line 2: {field} {reason}")
    problems = Problems()
    assert events(one(**{field: value}), problems=problems) == []
    assert problems.count == 1


def test_a_broken_row_leaves_the_others():
    source = lines(user_id=["u", "", "w"], item_id=["a", "b", "c"])
    problems = Problems()
    assert [row[:2] for row in events(source, EventSettings(), problems)] == [
        ("u", "a"),
        ("w", "c"),
    ]
    assert problems.messages == ("events.csv line 3: user_id is empty",)


def test_a_missing_column_is_named_in_its_section():
    with pytest.raises(DataError, match=r"events\.csv has no column 'time'") as caught:
        events(lines(user_id=["u"], item_id=["i"], type=["x"], value=["1"], timestamp=["0"]))
    assert "[events]" in caught.value.hint


def test_no_events_are_no_error():
    assert events(Lines(())) == []
    assert events(Lines(([],))) == []
