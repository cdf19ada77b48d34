"""Event rows become canonical frames; times in every usual form mean the same moment."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from seealso.config import EventSettings
from seealso.errors import DataError
from seealso.readers import EVENT_SCHEMA, Problems, Rows, parse_id, read_events
from seealso.readers.values.times import parse_times


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
    row = {
        "user_id": "u",
        "item_id": "i",
        "type": "buy",
        "value": "2",
        "time": "2024-02-29",
        **changed,
    }
    return lines(**{name: [value] for name, value in row.items()})


def test_an_event():
    assert events(one()) == [("u", "i", "buy", 2.0, datetime(2024, 2, 29, tzinfo=UTC))]


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
        "2024-02-29T07:00:00.500000-0500",
        "2024-02-29 12:00:00.5 UTC",
        "2024-02-29 12:00:00.500000+00",
        "2024-02-29T13:00:00.5+01:00[Europe/Berlin]",
        "2024/02/29 12:00:00,5",
        "20240229T120000.500Z",
        "1709208000.5",
        "1709208000500",
        " 1709208000500 ",
        "1709208000500000",
        "1709208000500000000",
        1709208000.5,
        1709208000500,
        1709208000500000,
        1709208000500000000,
        1709208000500000.0,
        Decimal("1709208000.5"),
        NOON,
        NOON.replace(tzinfo=None),
    ],
)
def test_a_time_in_many_forms(value):
    assert parse_times(pl.Series([value])).values.to_list() == [NOON]


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("2024-02-29", datetime(2024, 2, 29)),
        (date(2024, 2, 29), datetime(2024, 2, 29)),
        ("20240229", datetime(2024, 2, 29)),
        (20240229, datetime(2024, 2, 29)),
        (20240229.0, datetime(2024, 2, 29)),
        ("202402291230", datetime(2024, 2, 29, 12, 30)),
        (20240229123005, datetime(2024, 2, 29, 12, 30, 5)),
        ("20240229123005", datetime(2024, 2, 29, 12, 30, 5)),
        ("2024-02-29 9:05", datetime(2024, 2, 29, 9, 5)),
        ("2024-W09-4", datetime(2024, 2, 29)),
        ("Thu, 29 Feb 2024 12:00:00 +0100", datetime(2024, 2, 29, 11)),
        (100_000_000, datetime(1973, 3, 3, 9, 46, 40)),
        ("2100-12-31T23:59:59Z", datetime(2100, 12, 31, 23, 59, 59)),
    ],
)
def test_other_times(value, time):
    assert parse_times(pl.Series([value])).values.to_list() == [time.replace(tzinfo=UTC)]


TWO = datetime(2026, 10, 2, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "02.10.2026 19:00",
        "2.10.2026 19:00:00",
        "2 Oct 2026 19:00",
        "02-Oct-2026 7:00 PM",
        "Oct 2, 2026, 7:00 pm",
        "October 2nd 2026 19:00",
        "Fri Oct 02 2026 21:00:00 GMT+0200 (CEST)",
        "2026-10-02 21:00:00 CEST",
        "2026-10-02 21:00:00 Europe/Berlin",
        "2026-10-02T21:00[Europe/Berlin]",
        "2026-10-2 07:00 PM",
    ],
)
def test_a_time_as_people_write_it(value):
    assert parse_times(pl.Series([value])).values.to_list() == [TWO]


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("2026-10-02 24:00:00", datetime(2026, 10, 3)),
        ("2026-10-02 12:30 AM", datetime(2026, 10, 2, 0, 30)),
        ("31.12.2026", datetime(2026, 12, 31)),
        ("12/31/2026", datetime(2026, 12, 31)),
        ("31/12/2026 08:15", datetime(2026, 12, 31, 8, 15)),
        ("2026-10-02 13:00 PM", None),
        ("2026-10-02 24:01", None),
        ("2026-10-02 21:00 Europe/Nowhere", None),
        ("31.02.2026", None),
        ("13/13/2026", None),
    ],
)
def test_days_and_hours_in_odd_forms(value, time):
    read = parse_times(pl.Series([value]))
    assert read.values.to_list() == [time and time.replace(tzinfo=UTC)]
    assert len(read.faults) == (time is None)


@pytest.mark.parametrize(
    ("telling", "month", "said"),
    [("31/12/2026", 10, "1 February"), ("12/31/2026", 2, "2 January")],
)
def test_another_date_tells_the_order_of_day_and_month(telling, month, said):
    source = lines(user_id=["u"] * 2, item_id=["i"] * 2, time=["02/10/2026 09:00", telling])
    problems = Problems("stop")
    first, _ = events(source, EventSettings(time="time"), problems)
    assert first[-1].month == month
    assert problems.notes == (f"events.csv: 01/02/2026 is read as {said}: another date shows it",)


def test_a_date_that_can_be_read_in_two_ways_needs_the_setting():
    source = lines(user_id=["u"], item_id=["i"], time=["02/10/2026"])
    with pytest.raises(DataError, match=r"could change places: set events.format.time"):
        events(source, EventSettings(time="time"))
    for form, month in (("%d/%m/%Y", 10), ("%m/%d/%Y", 2)):
        ((*_, time),) = events(source, EventSettings(time="time", format={"time": form}))
        assert (time.month, time.year) == (month, 2026)


def test_the_form_of_times_can_be_set():
    written = pl.Series(["02.10.26 21:00 +0200", "2026-10-02T19:00:00Z", ""])
    read = parse_times(written, form="%d.%m.%y %H:%M %z")
    assert read.values.to_list() == [TWO, None, None]
    assert read.faults[1].reason == "is not written as events.format.time says"


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_of_a_column_type(unit):
    zone = "Asia/Shanghai"
    zoned = pl.Series([NOON]).dt.convert_time_zone(zone).cast(pl.Datetime(unit, zone))
    assert parse_times(zoned).values.to_list() == [NOON]


def test_times_of_several_forms_in_one_column():
    mixed = ["1709208000500", None, "2024-02-29T12:00:00.5Z", "n/a", "-", "never", "1709208000.5"]
    read = parse_times(pl.Series(mixed))
    assert read.values.to_list() == [NOON, None, NOON, None, None, None, NOON]
    assert {row: fault.value for row, fault in read.faults.items()} == {5: "'never'"}


@pytest.mark.parametrize(
    "value",
    [
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        "0000-00-00 00:00:00",
        "1969-12-31T23:59:59Z",
        "2101-01-01T00:00:00Z",
        datetime(9999, 12, 31, tzinfo=UTC),
        date(1, 1, 1),
        -62135596801,
        "-62135596801",
        -1,
        0,
        "0",
        date(1970, 1, 1),
        "1970-01-01T00:00:00Z",
        2026,
        202610,
        13370102,
        99_999_999.5,
        2**63 - 1,
        "20241399",
        20241399,
        1e300,
        float("inf"),
    ],
)
def test_times_outside_1970_to_2100_are_broken(value):
    read = parse_times(pl.Series([value]))
    assert read.values.to_list() == [None]
    assert list(read.faults) == [0]
    assert str(value)[:10] in read.faults[0].value or isinstance(value, date | float)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("user_id", "x" * 513, "has more than 512 bytes"),
        ("item_id", None, "is empty"),
        ("item_id", " \u00a0", "is empty"),
        ("item_id", "NULL", "is empty"),
        ("item_id", "x" * 513, "has more than 512 bytes"),
        ("value", "many", "is not a number ('many')"),
        ("value", "inf", "is infinite"),
        ("value", float("inf"), "is infinite"),
        ("time", "yesterday", "is not a time between 1970 and 2100"),
        ("time", "2024-02-30", "is not a time"),
        ("time", "1e300", "is not a time"),
    ],
)
def test_a_broken_row_is_named(field, value, reason):
    with pytest.raises(DataError) as caught:
        events(one(**{field: value}))
    assert caught.value.message.startswith(f"events.csv line 2: {field} {reason}")
    problems = Problems()
    assert events(one(**{field: value}), problems=problems) == []
    assert problems.count == 1


def test_the_id_of_a_user_is_in_no_message():
    problems = Problems()
    assert events(one(user_id="ann" * 300), problems=problems) == []
    assert "ann" not in problems.summary()


@pytest.mark.parametrize("value", [float("nan"), "NaN", "n/a", "-", "", None])
def test_what_stands_for_nothing_is_empty(value):
    """An empty value is 1: pandas writes NaN where there was none."""
    assert events(one(value=value, time=value)) == [("u", "i", "buy", 1.0, None)]


def test_words_for_nothing_can_be_set():
    settings = EventSettings(value="value", format={"nulls": ["keine"]})
    assert events(one(value="keine"), settings) == [("u", "i", "view", 1.0, None)]
    with pytest.raises(DataError, match=r"value is not a number \('NULL'\)"):
        events(one(value="NULL"), settings)


def test_a_broken_row_leaves_the_others():
    source = lines(user_id=["u", "v", "w"], item_id=["a", "", "c"])
    problems = Problems()
    assert [row[:2] for row in events(source, EventSettings(), problems)] == [
        ("u", "a"),
        ("w", "c"),
    ]
    assert problems.messages == ("events.csv line 3: item_id is empty",)


def test_an_event_of_nobody_is_kept_and_counted():
    source = lines(user_id=["u", "", " ", None], item_id=["a", "b", "c", "d"])
    problems = Problems("stop")
    assert [row[:2] for row in events(source, EventSettings(), problems)] == [
        ("u", "a"), (None, "b"), (None, "c"), (None, "d"),
    ]  # fmt: skip
    assert problems.notes == ("events.csv: 3 events have no user: they count only for importance",)


def documents(*records):
    return Lines((list(records),), "orders.jsonl")


def test_one_odd_cell_changes_no_other():
    good = [
        {"user_id": 76561198000000001 + n, "item_id": f"f{n}", "type": "view", "value": 2,
         "time": f"2024-02-01T00:00:{n:02}Z"}
        for n in range(20)
    ]  # fmt: skip
    for odd, kept in (
        ({"user_id": 1.5}, 21),
        ({"user_id": [7]}, 21),
        ({"user_id": [7, 8]}, 20),
        ({"user_id": "x"}, 21),
        ({"value": [1, 2]}, 20),
        ({"value": True}, 20),
        ({"value": {"deep": 1}}, 20),
        ({"time": []}, 21),
        ({"time": 1706745600.5}, 21),
        ({"time": "9999-12-31T23:59:59-05:00"}, 20),
        ({"item_id": 2**70}, 21),
    ):
        problems = Problems("skip")
        read = events(documents(*good, {**good[0], **odd}), problems=problems)
        assert len(read) == kept, odd
        assert len({row[0] for row in read[:20]}) == 20, odd
        assert [row[3] for row in read[:20]] == [2.0] * 20
        assert problems.count == 21 - kept


def test_ids_meet_however_they_were_written():
    written = [501, 501.0, "501", " 501 ", "501.0", "501.000", "501\u00a0", Decimal("501.00")]
    for value in written:
        ((user, item, *_),) = events(lines(user_id=[value], item_id=[value]), EventSettings())
        assert (user, item) == ("501", "501")
    for value in ("007", "007.0", "1.50", "1.0.0", "v1.0", "A-b", "None", "NA"):
        ((_, item, *_),) = events(lines(user_id=["u"], item_id=[value]), EventSettings())
        assert item == value


@pytest.mark.parametrize(
    ("odd", "path"),
    [
        ({"user_id": {"id": 7}}, "user_id.id"),
        ({"item_id": {"id": 7}}, "item_id.id"),
        ({"item_id": [{"sku": 7}]}, "item_id.sku"),
        ({"time": {"$date": "2024-02-29"}}, "time.$date"),
        ({"time": {"at": {"s": 1709208000}}}, "time.at.s"),
    ],
)
def test_an_object_where_others_have_a_plain_value_is_no_empty_one(odd, path):
    plain = {"user_id": "u", "item_id": "i", "time": "2024-02-29", "other": {"deep": 1}}
    problems = Problems("skip")
    settings = EventSettings(time="time")
    assert len(events(documents(plain, {**plain, **odd}, plain), settings, problems)) == 2
    (name,) = odd
    reason = f"{name} is an object: name a path into it, such as {path}"
    assert problems.messages == (f"orders.jsonl document 2: {reason}",)


def test_a_plain_value_where_a_path_leads_into_an_object_is_no_empty_one():
    source = documents({"user": {"id": "u"}, "item_id": "i"}, {"user": "v", "item_id": "i"})
    problems = Problems("skip")
    found = events(source, EventSettings(user="user.id"), problems)
    assert [row[0] for row in found] == ["u"]
    assert problems.messages == (
        "orders.jsonl document 2: user.id is not there: user is no object",
    )


SKUS = EventSettings(item="items.sku", value="items.n")


@pytest.mark.parametrize(
    ("items", "found", "reason"),
    [
        # the lists of items and of their values stay side by side
        (["g1", {"sku": "g2", "n": 3}], [("g2", 3)], "is not there: items is no object"),
        ([{"n": 5}, {"sku": "g2", "n": 3}], [("g2", 3)], "is empty"),
        ([{"sku": [], "n": 5}, {"sku": "g2", "n": 3}], [("g2", 3)], "is empty"),
        ([{"sku": {"id": 1}, "n": 5}, {"sku": "g2", "n": 3}], [("g2", 3)], "is an object"),
        ([[{"sku": "g1", "n": 0}], [{"sku": "g2"}]], [("g1", 0), ("g2", 1)], ""),
        ({"sku": "g1"}, [("g1", 1)], ""),
        ("g1", [], "is not there: items is no object"),
        (["g1"], [], "is not there: items is no object"),
        ([], [], "is empty"),
        (None, [], "is empty"),
    ],
)
def test_items_of_several_shapes_are_read_or_told(items, found, reason):
    problems = Problems("skip")
    plain = {"user_id": "u", "items": [{"sku": "g0", "n": 1}]}
    source = documents(plain, {"user_id": "u", "items": items})
    _, *rows = events(source, SKUS, problems)
    assert [row[1:4:2] for row in rows] == found
    (message,) = problems.messages or ("",)
    assert reason in message
    assert bool(reason) == bool(message)


@pytest.mark.parametrize(
    ("items", "found"),
    [
        (["g1", {"sku": "g2"}, 3], ["g1", "3"]),
        ([["g1"], [{"sku": "g2"}]], ["g1"]),
        ([{"sku": "g2"}], []),
    ],
)
def test_objects_among_plain_items_are_told(items, found):
    problems = Problems("skip")
    plain = {"user_id": "u", "item_id": "g0"}
    source = documents(plain, {"user_id": "u", "item_id": items})
    _, *rows = events(source, EventSettings(), problems)
    assert [row[1] for row in rows] == found
    assert problems.messages == (
        "orders.jsonl document 2: item_id is an object: name a path into it, such as item_id.sku",
    )


@pytest.mark.parametrize("text", ["['g1', 'g2']", '["g1","g2"]', "['g1' 'g2']", '{"g1",g2}'])
def test_a_list_written_as_text_is_no_id_and_is_read_as_a_list_where_that_is_set(text):
    problems = Problems("skip")
    source = lines(user_id=["u", "u"], item_id=[text, "g3"])
    assert [row[1] for row in events(source, EventSettings(), problems)] == ["g3"]
    assert "item_id is a list written as text: name it in events.lists" in problems.messages[0]
    for separator in (",", "|"):
        named = EventSettings(lists={"item_id": separator})
        assert [row[1] for row in events(source, named)] == ["g1", "g2", "g3"]


def test_blanks_around_a_type_do_not_count():
    assert [row[2] for row in events(one(type="purchase    "))] == ["purchase"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("4.00638E+12", "was rounded by Excel: format the column as text and export again"),
        ("1E+05", "was rounded by Excel"),
        ("1,23457E+12", "was rounded by Excel"),
        ("1.23457e+12", "was rounded by Excel"),
        ("1e+05", "was rounded by Excel"),
        (2.0**53, "is a number too large to be exact"),
        (-9.3e18, "is a number too large to be exact"),
    ],
)
def test_an_id_that_lost_digits_is_broken(value, reason):
    plain = {"user_id": "u", "item_id": "i"}
    for source in (
        lines(user_id=["u"], item_id=[value]),
        documents({**plain, "item_id": value}),
        documents(plain, {**plain, "item_id": value}),
    ):
        problems = Problems("skip")
        assert all(row[1] == "i" for row in events(source, EventSettings(), problems))
        assert (problems.count, f"item_id {reason}" in problems.messages[0]) == (1, True)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1.2345678E7", "12345678"),
        ("1.0E10", "10000000000"),
        ("5.010000000000000000e+02", "501"),
        ("-9.99E2", "-999"),
        ('="007"', "007"),
        # a fraction, or more digits than a float holds
        ("1.25E1", "1.25E1"),
        ("1.234567890123456E15", "1.234567890123456E15"),
    ],
)
def test_an_id_is_what_was_meant_before_a_program_wrote_it(written, meant):
    source = lines(user_id=["u"], item_id=[written])
    assert [row[1] for row in events(source, EventSettings())] == [meant]
    assert parse_id(written) == meant


@pytest.mark.parametrize("value", ["1.79095E+09", "1,79095E+12", "1.8E+09"])
def test_a_time_that_excel_rounded_is_no_time(value):
    read = parse_times(pl.Series([value]))
    assert read.values.to_list() == [None]
    assert read.faults[0].reason.startswith("was rounded by Excel")


@pytest.mark.parametrize("value", ["1.7092080005E9", "1.709208000500000000e+09"])
def test_a_time_with_an_exponent_and_all_its_digits(value):
    assert parse_times(pl.Series([value])).values.to_list() == [NOON]


def test_ids_that_look_like_numbers_of_a_spreadsheet():
    ids = ["1E5", "1e5", "E+12", "12E+5X", "12.5E3"]
    assert [row[1] for row in events(lines(user_id=["u"] * 5, item_id=ids), EventSettings())] == ids
    exact = [123000.0, 2.0**53 - 1]
    read = events(lines(user_id=["u"] * 2, item_id=exact), EventSettings())
    assert [row[1] for row in read] == ["123000", "9007199254740991"]


def test_words_for_nobody_are_no_user_and_are_said():
    words = ["undefined", "None", "(not set)", "00000000-0000-0000-0000-000000000000", "null", ""]
    source = lines(user_id=[*words, "0", "-1", "guest", "None"], item_id=["i"] * 10)
    problems = Problems("stop")
    read = events(source, EventSettings(), problems)
    assert [row[0] for row in read] == [None] * 6 + ["0", "-1", "guest", None]
    assert "events.csv: 2 rows are of user 'None', which means no user" in problems.notes
    assert "events.csv: 7 events have no user: they count only for importance" in problems.notes
    named = EventSettings(format={"nulls": ["guest"]})
    assert [row[0] for row in events(source, named)][-3:] == ["-1", None, "None"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (46297.375, "is not a time but perhaps a date of Excel"),
        ("46297", "is not a time but perhaps a date of Excel"),
        (2026, "is not a time: so small a number"),
        ("202610", "is not a time: so small a number"),
        (0, "is not a time: so small a number"),
        ("1970-01-01", "is the first moment of 1970"),
        (datetime(1970, 1, 1), "is the first moment of 1970"),
    ],
)
def test_what_is_no_time_and_may_be_something_else(value, reason):
    assert parse_times(pl.Series([value])).faults[0].reason.startswith(reason)


@pytest.mark.parametrize("counts", [("0", "7", "3"), (0, 7, 3), (0, None, 70_000)])
def test_data_without_dates_keeps_the_order_that_its_counts_tell(counts):
    rows = [{"user_id": "u", "item_id": f"i{n}", "time": at} for n, at in enumerate(counts)]
    problems = Problems("stop")
    # the start is put at the first second of 1970; a batch of its own decides nothing
    source = Lines(tuple([row] for row in rows))
    seconds = [None if at is None else int(at) + 1 for at in counts]
    assert [
        time and time.timestamp()
        for *_, time in events(source, EventSettings(time="time"), problems)
    ] == seconds
    (note,) = problems.notes
    assert "time has small counts, not dates" in note


@pytest.mark.parametrize(
    "times",
    [
        [5, 1_700_000_000], [5, "2026-01-01"], [2024, 2025, 2026], [202610, 202611],
        [45_000, 46_297], [0, 0, 0], [5, 6.5], [-3, 4],
    ],
)  # fmt: skip
def test_small_numbers_beside_others_or_of_another_meaning_are_no_counts(times):
    rows = [{"user_id": "u", "item_id": f"i{n}", "time": at} for n, at in enumerate(times)]
    problems = Problems("skip")
    found = events(Lines((rows,)), EventSettings(time="time"), problems)
    plausible = [at for at in times if at in (1_700_000_000, "2026-01-01")]
    assert (len(found), problems.count) == (len(plausible), len(times) - len(plausible))


def test_a_type_that_is_a_list_and_a_value_beyond_all_measure():
    source = documents(
        {"user_id": "u", "item_id": "a", "type": ["view", "buy"], "value": 1},
        {"user_id": "u", "item_id": "b", "type": ["view"], "value": 1e16},
        {"user_id": "u", "item_id": "c", "type": ["view"], "value": 1},
        {"user_id": "u", "item_id": "d", "type": "x" * 257, "value": 1},
    )
    problems = Problems("skip")
    settings = EventSettings(type="type", value="value")
    assert [row[1:3] for row in events(source, settings, problems)] == [("c", "view")]
    assert [message.split(": ")[1][:30] for message in problems.messages] == [
        "type is a list (['view', 'buy'])"[:30],
        "value is beyond 1e+15 (1e+16)"[:30],
        "type has more than 256 bytes ('xxx"[:30],
    ]


def test_an_order_is_an_event_for_each_of_its_items():
    source = documents(
        {
            "user_id": "ann",
            "item_id": ["g1", "g5", "g1"],
            "type": "buy",
            "value": 3,
            "time": "2024-02-05",
        },
        {"user_id": "bob", "item_id": ["m1"], "type": "buy", "value": None, "time": 20240206},
        {"user_id": "cleo", "item_id": "m2", "type": "buy", "value": 2, "time": 20240207},
        {"user_id": "dan", "item_id": [], "type": "buy", "value": 2, "time": 20240208},
        {
            "user_id": "eva",
            "item_id": ["a", "", "b"],
            "type": "buy",
            "value": 2,
            "time": "2024-02-09",
        },
    )
    problems = Problems("skip")
    read = events(source, problems=problems)
    assert [(user, item, value) for user, item, _, value, _ in read] == [
        ("ann", "g1", 3), ("ann", "g5", 3), ("ann", "g1", 3), ("bob", "m1", 1), ("cleo", "m2", 2),
        ("eva", "a", 2), ("eva", "b", 2),
    ]  # fmt: skip
    assert problems.messages == (
        "orders.jsonl document 4: item_id is empty",
        "orders.jsonl document 5: item_id is empty",
    )
    assert (problems.count, problems.values) == (1, 1)


def test_a_cell_of_several_items_is_an_event_for_each():
    several, values = ["a, b,c", "d", "", "e,,f"], ["1,2,3", "4", "", "5"]
    source = lines(user_id=["u", "v", "w", "x"], item_id=several, value=values)
    settings = EventSettings(value="value", lists={"item_id": ",", "value": ","})
    problems = Problems("skip")
    read = events(source, settings, problems)
    assert [(user, item, value) for user, item, _, value, _ in read] == [
        ("u", "a", 1), ("u", "b", 2), ("u", "c", 3), ("v", "d", 4), ("x", "e", 5), ("x", "f", 5),
    ]  # fmt: skip
    assert (problems.count, problems.values) == (1, 1)
    with pytest.raises(ValueError, match="lists names 'items', which is neither item nor value"):
        EventSettings(lists={"items": ","})


ORDERS = EventSettings(user="user_id", item="products.sku", value="products.qty")


def test_an_order_has_its_items_in_objects():
    source = documents(
        {
            "user_id": "ann",
            "products": [{"sku": 501, "qty": 2}, {"sku": "b"}, {"sku": "c", "qty": "x"}],
        },
        {"user_id": "bob", "products": {"sku": "d", "qty": 4}},
        {"user_id": "bob", "products": []},
    )
    problems = Problems("skip")
    assert [(row[0], row[1], row[3]) for row in events(source, ORDERS, problems)] == [
        ("ann", "501", 2), ("ann", "b", 1), ("bob", "d", 4),
    ]  # fmt: skip
    assert problems.messages == (
        "orders.jsonl document 1: products.qty is not a number ('x')",
        "orders.jsonl document 3: products.sku is empty",
    )


def test_an_order_of_parquet_has_its_items_in_objects():
    frame = pl.DataFrame(
        {
            "user_id": ["ann", "bob"],
            "products": [
                [{"sku": 501, "qty": 2.0}, {"sku": 502, "qty": None}],
                [{"sku": 503, "qty": 3.0}],
            ],
        }
    )
    source = Lines((Rows(frame, (1, 2), unit="row"),))
    assert [(row[0], row[1], row[3]) for row in events(source, ORDERS)] == [
        ("ann", "501", 2), ("ann", "502", 1), ("bob", "503", 3),
    ]  # fmt: skip


def test_values_that_do_not_fit_the_items():
    source = documents(
        {"user_id": "u", "item_id": ["a", "b"], "value": [1, 2, 3], "type": "", "time": None}
    )
    with pytest.raises(DataError, match="document 1: value has 3 values for 2 items"):
        events(source)


def test_a_missing_column_is_named_in_its_section():
    with pytest.raises(DataError, match=r"events\.csv has no column 'time'") as caught:
        events(lines(user_id=["u"], item_id=["i"], type=["x"], value=["1"], timestamp=["0"]))
    assert "[events]" in caught.value.hint


def test_a_file_without_an_event_is_noted():
    problems = Problems("stop")
    assert events(lines(user_id=[], item_id=[]), EventSettings(), problems) == []
    assert problems.notes == ("events.csv: there are no events in it",)
    problems = Problems("stop")
    assert events(one(), ALL, problems)
    assert problems.notes == ()


def test_no_events_are_no_error():
    assert events(Lines(())) == []
    assert events(Lines(([],))) == []
