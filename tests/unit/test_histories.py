"""Histories: newest first, each item once, and the same as counting by hand."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.readers import EVENT_SCHEMA, Histories
from seealso.types import HistoryEntry

# a busy machine is no failure: no time limit for one example
unhurried = settings(deadline=None, max_examples=60)

START = datetime(2024, 1, 1, tzinfo=UTC)


def frame(*events):
    """Events as (user, item, value, day or None)."""
    rows = [
        {
            "user_id": user,
            "item_id": item,
            "type": "view",
            "value": value,
            "time": None if day is None else START + timedelta(days=day),
        }
        for user, item, value, day in events
    ]
    return pl.DataFrame(rows, schema=EVENT_SCHEMA)


def ids(user):
    return [entry.item_id for entry in user.history]


def test_newest_first_and_each_item_once_with_its_newest_event():
    events = frame(("u", "a", 3.0, 1), ("u", "b", 4.0, 2), ("u", "a", 5.0, 3))
    user = Histories.from_events([events], positive=None).user("u")
    assert user.user_id == "u"
    assert user.history == (
        HistoryEntry("a", START + timedelta(days=3), 5.0, "view"),
        HistoryEntry("b", START + timedelta(days=2), 4.0, "view"),
    )
    assert user.history[0].time.tzinfo is UTC


def test_events_of_nobody_are_in_no_history():
    events = frame(("u", "a", 3.0, 1), (None, "b", 4.0, 2), (None, "a", 4.0, 3))
    histories = Histories.from_events([events], positive=None)
    assert histories.users() == ["u"]
    assert ids(histories.user("u")) == ["a"]
    assert len(Histories.from_events([events], positive=None, users=["v"])) == 0


def test_what_was_not_liked_is_seen_but_no_taste():
    events = frame(("u", "a", 2.0, 1), ("u", "b", 4.0, 2), ("u", "c", 4.0, 1), ("u", "c", 1.0, 5))
    user = Histories.from_events([events], positive=4.0).user("u")
    assert ids(user) == ["b", "c"]
    assert user.seen == {"a", "b", "c"}


def test_the_later_row_is_newer_where_times_are_equal_or_missing():
    early = frame(("u", "a", 1.0, 1), ("u", "b", 1.0, 1), ("u", "x", 1.0, None))
    late = frame(("u", "c", 1.0, 1), ("u", "y", 1.0, None))
    user = Histories.from_events([early, late], positive=None).user("u")
    assert ids(user) == ["c", "b", "a", "y", "x"]
    assert user.history[-1].time is None


def test_users_are_sorted_and_unknown_ones_none():
    events = frame(("b", "x", 1.0, 1), ("a", "x", 1.0, 1), ("c", "y", 1.0, 1))
    histories = Histories.from_events([events], positive=None)
    assert histories.users() == ["a", "b", "c"]
    assert len(histories) == 3
    assert histories.user("nobody") is None


def test_only_the_users_asked_for():
    events = frame(("b", "x", 1.0, 1), ("a", "x", 1.0, 1), ("c", "y", 1.0, 1))
    histories = Histories.from_events([events], positive=None, users={"a", "nobody"})
    assert histories.users() == ["a"]
    assert histories.user("b") is None


def test_without_events():
    histories = Histories.from_events([], positive=1.0)
    assert (len(histories), histories.users(), histories.user("u")) == (0, [], None)
    assert len(Histories.from_events([frame(("u", "a", 1.0, 1))], positive=1.0, users=[])) == 0


rows = st.lists(
    st.tuples(
        st.sampled_from("uvw"),
        st.sampled_from("abcd"),
        st.sampled_from([1.0, 3.0, 5.0]),
        st.one_of(st.none(), st.integers(0, 5)),
    ),
    max_size=40,
)


@given(rows, st.sampled_from([None, 3.0]), st.integers(0, 40))
@unhurried
def test_the_same_as_by_hand(events, positive, cut):
    frames = [frame(*events[:cut]), frame(*events[cut:])]
    histories = Histories.from_events(frames, positive=positive)
    assert histories.users() == sorted({event[0] for event in events})
    for name in histories.users():
        own = [(n, event) for n, event in enumerate(events) if event[0] == name]
        own.sort(key=lambda e: (e[1][3] is not None, e[1][3] or 0, e[0]), reverse=True)
        liked = [event[1] for _, event in own if positive is None or event[2] >= positive]
        user = histories.user(name)
        assert ids(user) == list(dict.fromkeys(liked))
        assert user.seen == {event[1] for _, event in own}
