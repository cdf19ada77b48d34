"""What is pure of live events: reading, merging into a history, importance on top of a build."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.config import EventSettings, ImportanceSettings, LiveSettings
from seealso.config.inputs import EventFormatSettings
from seealso.encoder import BundleStore
from seealso.errors import DataError
from seealso.indexer.counts import count_events
from seealso.indexer.events.histories import merge_events
from seealso.indexer.events.importance import NOTHING, Gain, derive_change, raise_weight
from seealso.indexer.importance import apply_importance, fit_importance
from seealso.indexer.live import LiveIndex
from seealso.readers import LiveEvent, LiveReader, Problems
from seealso.readers.files.documents import parse_lines
from seealso.types import HistoryEntry, User

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
COLUMNS = EventSettings(user="u", item="i", type="t", value="v", time="at")


def read(
    *lines: bytes,
    problems: Problems | None = None,
    columns: EventSettings = COLUMNS,
    **live: Any,
) -> list[LiveEvent]:
    reader = LiveReader(
        "log.jsonl", columns, LiveSettings(**live), lambda name: f"~{name}",
        problems or Problems("stop"),
    )  # fmt: skip
    return reader.read(parse_lines(enumerate(lines, 1)), NOW)


def test_an_event_is_told_from_others_by_all_it_is() -> None:
    line = b'{"u": "a", "i": "x", "t": "buy", "v": 2, "at": "2024-05-01"}'
    one, same, other = read(line, line, line.replace(b"buy", b"see"))
    assert one == same
    assert one.event_id != other.event_id
    assert (one.user, one.item_id, one.type, one.value) == ("~a", "x", "buy", 2.0)
    assert one.time == datetime(2024, 5, 1, tzinfo=UTC)
    assert LiveEvent.of(one.event_id, one.body()) == one


def test_an_id_of_its_own_needs_no_time() -> None:
    (one,) = read(b'{"u": "a", "i": "x", "key": "e1"}', id="key")
    assert (one.event_id, one.time) == ("e1", NOW)
    with pytest.raises(DataError, match="line 1: at is empty, and there is no id"):
        read(b'{"u": "a", "i": "x"}')


def test_the_list_that_it_happened_in_is_kept_and_tells_nothing_apart() -> None:
    line = b'{"u": "a", "i": "x", "at": "2024-05-01", "list": "q1"}'
    one, other = read(line, line.replace(b"q1", b"q2"), query_id="list")
    assert (one.query_id, other.query_id, one.event_id) == ("q1", "q2", other.event_id)
    assert LiveEvent.of(one.event_id, one.body()) == one
    problems = Problems("skip")
    assert read(line.replace(b"q1", b"q" * 513), query_id="list", problems=problems) == []
    assert problems.messages == ("log.jsonl line 1: list has more than 512 bytes",)


@pytest.mark.parametrize("value", ["1.129", "1,129", "1.129 EUR"])
def test_a_value_that_can_be_read_in_two_ways_is_refused_whatever_other_rows_tell(
    value: str,
) -> None:
    lines = [
        orjson.dumps({"u": "a", "i": "x", "v": one, "at": "2024-05-01"})
        for one in ("24,90", value, 1.129)
    ]
    problems = Problems("skip")
    assert [one.value for one in read(*lines, problems=problems)] == [24.9, 1.129]
    assert "line 2: v can be read in two ways" in problems.messages[0]
    assert "set format.decimal" in problems.messages[0]
    chosen = COLUMNS.model_copy(update={"format": EventFormatSettings(decimal=",")})
    for_it = read(*lines, columns=chosen)
    assert [one.value for one in for_it] == [24.9, 1129.0 if "." in value else 1.129, 1.129]


def test_a_clock_may_be_ahead_a_little() -> None:
    soon = b'{"u": "a", "i": "x", "at": "2024-05-01T12:04:00Z"}'
    later = b'{"u": "a", "i": "y", "at": "2024-05-01T12:06:00Z"}'
    problems = Problems("skip")
    assert [one.item_id for one in read(soon, later, problems=problems)] == ["x"]
    assert problems.messages == (
        "log.jsonl line 2: at is in the future: 2024-05-01T12:06:00Z, more than "
        "live.future_seconds = 300",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"u": "a", "at": "2024-05-01"}', "i is empty"),
        (b'{"heartbeat": 1}', "i is empty"),
        (b'{"u": "a", "i": "x", "at": "2024-05-01", "t": "' + b"x" * 40_000 + b'"}',
         "t has more than 256 bytes"),
        (b'{"u": "a", "i": "x", "at": "2024-05-01", "v": 1e308}', "v is beyond 1e+15 (1e+308)"),
        (b'{"u": "a", "i": "x", "at": "9999-12-31T23:59:59-05:00"}', "at "),
        (b'{"u": "a", "i": "x", "at": "0001-01-01T00:00:00+05:00"}', "at "),
        (b'{"u": "a", "i": "x", "at": -62135596801}', "at "),
        (b'{"u": "a", "i": "x", "key": "seealso:turns"}',
         "key begins with seealso:, which no id of an event may"),
        (b'{"u": "a", "i": "x", "key": "' + b"k" * 513 + b'"}', "key has more than 512 bytes"),
        (b'{"u": ' + b"[" * 2000 + b"]" * 2000 + b"}", ""),
        (b"[]", "not a JSON object"),
        (b"nonsense", "not JSON"),
    ],
)  # fmt: skip
def test_no_row_ends_the_reading_and_the_others_are_taken_in(line: bytes, said: str) -> None:
    problems = Problems("skip")
    reader = LiveReader(
        "log.jsonl", COLUMNS, LiveSettings(id="key"), lambda name: f"~{name}", problems
    )
    good = [b'{"u": "a", "i": "i%d", "t": "see", "v": 1, "at": "2024-05-01"}' % n for n in range(9)]
    # first of all, in the middle, and alone
    for lines in ([line, *good], [*good[:4], line, *good[4:]], [line]):
        found = reader.read(parse_lines(enumerate(lines, 1)), NOW)
        assert [one.item_id for one in found] == [f"i{n}" for n in range(len(lines) - 1)]
    assert problems.count == 3
    assert said in problems.messages[0]


def test_an_event_without_a_user_is_of_nobody() -> None:
    problems = Problems("skip")
    first, second = read(
        b'{"i": "x", "at": "2024-05-01"}', b'{"u": " ", "i": "x", "at": "2024-04-30"}',
        problems=problems,
    )  # fmt: skip
    assert (first.user, second.user, problems.count) == (None, None, 0)
    assert "user" not in first.body()
    assert LiveEvent.of(first.event_id, first.body()) == first
    assert any("2 events have no user" in note for note in problems.notes)


def happened(item: int, minute: int, value: float = 1.0) -> LiveEvent:
    time = NOW + timedelta(minutes=minute)
    return LiveEvent(f"{item}-{minute}", "~a", f"i{item}", "see", value, time)


def newest(events: list[LiveEvent]) -> list[LiveEvent]:
    return sorted(events, key=lambda one: (one.time, one.event_id), reverse=True)


BOUNDS: dict[str, Any] = {"positive": 1.0, "history_items": 5, "seen_items": 1000}
EVENTS = st.lists(
    st.builds(happened, st.integers(0, 9), st.integers(-9, 9), st.sampled_from([0.0, 1.0])),
    unique_by=lambda one: one.event_id,
    max_size=20,
)
BASE = User(
    "~a",
    (
        *(HistoryEntry(f"i{n}", NOW - timedelta(minutes=3 * n)) for n in range(4)),
        HistoryEntry("i8"),
    ),
    frozenset({f"i{n}" for n in range(4)} | {"i8", "i20"}),
)


@settings(deadline=None)
@given(EVENTS, st.data())
def test_order_and_repetition_change_nothing(events: list[LiveEvent], data: st.DataObject) -> None:
    wanted = merge_events(BASE, newest(events), **BOUNDS)
    user, known = BASE, list[LiveEvent]()
    for one in data.draw(st.permutations(events + events)):
        known = [*known, one] if one not in known else known
        user = merge_events(user, newest(known), **BOUNDS)
    assert user == wanted
    assert len(user.history) <= 5
    times = [one.time for one in user.history if one.time]
    assert times == sorted(times, reverse=True)
    assert {one.item_id for one in events} <= user.seen


def test_an_event_below_positive_is_seen_only() -> None:
    user = merge_events(User("~a"), [happened(1, 0, value=0.5)], **BOUNDS)
    assert (user.history, user.seen) == ((), {"i1"})


def frame(counts: dict[str, int], value: float = 1.0) -> pl.DataFrame:
    rows = [(item, value) for item, n in counts.items() for _ in range(n)]
    return pl.DataFrame(
        {
            "user_id": [f"u{n}" for n in range(len(rows))],
            "item_id": [item for item, _ in rows],
            "type": ["see"] * len(rows),
            "value": [v for _, v in rows],
            "time": [NOW] * len(rows),
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )


@pytest.mark.parametrize("kind", ["events", "rating"])
def test_live_events_weigh_what_a_count_of_all_would(kind: Any) -> None:
    """On the scale of the build, as `index update` weighs new counts."""
    chosen = ImportanceSettings(kind=kind)
    first = [frame({"a": 3}, 4.0), frame({"b": 8}, 2.0), frame({"c": 20}, 3.0)]
    more = frame({"a": 4}, 3.0)
    built = fit_importance(count_events(first, chosen), chosen, ["a", "b", "c"])
    wanted = apply_importance(count_events([*first, more], chosen), built.parameters)
    gain = Gain(interactions=4, score=4.0, values=12.0)
    found = raise_weight(built.weight("a"), 3, gain, built.parameters)
    assert found == pytest.approx(wanted.weight("a"), abs=1e-9)
    assert raise_weight(built.weight("b"), 8, NOTHING, built.parameters) == built.weight("b")


def test_what_was_counted_stays_what_is_added_to() -> None:
    chosen = ImportanceSettings()
    table = fit_importance(count_events([frame({"a": 3, "c": 20})], chosen), chosen, ["a", "c"])
    document = {"importance": table.weight("a"), "interactions": 3, "tail": False}
    meta = {"importance": table.parameters, "space": "cosine"}
    live = LiveIndex("films-1", meta, BundleStore(Path("bundles")))
    once = derive_change(document, Gain(1, 1.0, 1.0), live)
    assert once is not None
    params = once.body["script"]["params"]
    assert params["counted"] == {"importance": table.weight("a"), "interactions": 3}
    after = {**params, "counted": params["counted"]}
    assert derive_change(after, Gain(1, 1.0, 1.0), live) is None
    twice = derive_change(after, Gain(2, 2.0, 2.0), live)
    both = derive_change(document, Gain(2, 2.0, 2.0), live)
    assert twice == both
    # and without events it is as it was
    back = derive_change(after, NOTHING, live)
    assert back is not None
    assert back.body["script"]["params"]["importance"] == pytest.approx(table.weight("a"))
    assert "counted" not in back.body["script"]["params"]


@pytest.mark.parametrize("gain", [Gain(1000, 1e30, 1e9), Gain(1, -50.0, -9.0)])
def test_importance_stays_within_its_bounds(gain: Gain) -> None:
    chosen = ImportanceSettings()
    table = fit_importance(count_events([frame({"a": 3, "c": 20})], chosen), chosen, ["a", "c"])
    assert 0.5 <= raise_weight(table.weight("a"), 3, gain, table.parameters) <= 2.0
    assert np.isfinite(raise_weight(0.5, 0, gain, table.parameters))
