"""Splits: what is asked, and that nothing later than a question is known when it is asked."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seealso.datasets.splits import Case, learn_everything, leave_one_out, temporal
from seealso.errors import DataError
from seealso.readers import EVENT_SCHEMA

# a busy machine is no failure: no time limit for one example
unhurried = settings(deadline=None, max_examples=60)

START = datetime(2024, 1, 1, tzinfo=UTC)
POSITIVE = 4.0


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


def by_time(events):
    """Return the events of each user as (item, value, day), oldest first."""
    own = {}
    for place, (user, item, value, day) in enumerate(events):
        own.setdefault(user, []).append((-1 if day is None else day, place, item, value))
    return {user: [(item, v, day) for day, _, item, v in sorted(e)] for user, e in own.items()}


def test_the_last_two_choices_are_asked_and_the_others_learnt():
    events = frame(*(("u", item, 5.0, day) for day, item in enumerate("abcd")))
    split = leave_one_out([events], positive=None)
    assert split.train == {"u": ("a", "b")}
    assert split.dev == (Case("u", ("b", "a"), "c", frozenset("ab")),)
    assert split.test == (Case("u", ("c", "b", "a"), "d", frozenset("abc")),)


def test_users_with_few_events_train_only():
    asked = [("u", item, 5.0, day) for day, item in enumerate("abc")]
    events = frame(*asked, ("v", "a", 5.0, 1), ("v", "b", 5.0, 2), ("w", "c", 1.0, 1))
    split = leave_one_out([events], positive=POSITIVE)
    assert split.train == {"u": ("a",), "v": ("a", "b")}
    assert [case.user_id for case in (*split.dev, *split.test)] == ["u", "u"]


def test_events_of_nobody_are_known_and_ask_nothing():
    mine = [("u", item, 5.0, day) for day, item in enumerate("abcd")]
    others = [(None, "e", 5.0, 0), (None, "d", 5.0, 9)]
    alone, split = (leave_one_out([frame(*each)], positive=None) for each in (mine, mine + others))
    assert (split.train, split.dev, split.test) == (alone.train, alone.dev, alone.test)
    assert split.known.tolist() == [*alone.known.tolist(), 4, 5]
    cut = [temporal([frame(*each)], positive=None, dev_share=0.25, test_share=0.25)
           for each in (mine, mine + others)]  # fmt: skip
    assert cut[0].train == cut[1].train
    assert cut[1].known.tolist() == [*cut[0].known.tolist(), 4]


def test_what_was_disliked_is_seen_but_neither_learnt_nor_asked():
    events = frame(
        ("u", "a", 5.0, 1), ("u", "x", 1.0, 2), ("u", "b", 5.0, 3), ("u", "c", 5.0, 4),
        ("u", "y", 1.0, 5),
    )  # fmt: skip
    split = leave_one_out([events], positive=POSITIVE)
    assert split.train == {"u": ("a",)}
    assert split.dev == (Case("u", ("a",), "b", frozenset("ax")),)
    assert split.test == (Case("u", ("b", "a"), "c", frozenset("abx")),)
    # it is not new, either; y was met only after the questions
    assert split.unchosen == {"x"}


def test_what_serves_may_learn_everything():
    events = frame(
        ("u", "a", 5.0, 1), ("u", "x", 1.0, 2), ("u", "b", 5.0, 3), ("v", "c", 5.0, 4),
        ("v", "b", 1.0, 5), (None, "y", 5.0, 1),
    )  # fmt: skip
    split = learn_everything([events], positive=POSITIVE)
    assert split.train == {"u": ("a", "b"), "v": ("c",)}
    assert (split.dev, split.test, split.known.tolist()) == ((), (), list(range(6)))
    # of an item that no user met, behaviour knows nothing
    assert split.unchosen == {"x"}


def test_leave_one_out_knows_every_row_before_the_first_question_and_none_after():
    events = frame(
        ("u", "a", 5.0, 1), ("v", "a", 1.0, 1), ("u", "c", 5.0, 5), ("u", "x", 1.0, 2),
        ("u", "a", 5.0, 3), ("u", "b", 5.0, 4), ("u", "y", 1.0, 6),
    )  # fmt: skip
    split = leave_one_out([events[:2], events[2:]], positive=POSITIVE)
    assert split.dev[0].target == "b"
    # user v is not asked about, so all that v did is known; of u what is older than b
    assert split.known.tolist() == [0, 1, 3, 4]


def test_temporal_knows_every_row_before_the_first_moment():
    events = frame(*(("u", f"i{day}", 5.0 if day % 2 else 1.0, day) for day in range(20)))
    split = temporal([events], positive=POSITIVE, dev_share=0.1, test_share=0.1)
    assert split.dev[0].target == "i17"
    assert split.known.tolist() == list(range(17))


def test_what_becomes_of_an_item_later_changes_no_question_before():
    events = [("u", "a", 5.0, 1), ("u", "b", 5.0, 2), ("u", "c", 5.0, 3), ("u", "d", 5.0, 4)]
    plain = leave_one_out([frame(*events)], positive=POSITIVE)
    # the target of dev is disliked in the end, and the oldest item chosen once more
    later = [*events, ("u", "c", 1.0, 8), ("u", "a", 5.0, 9)]
    assert leave_one_out([frame(*later)], positive=POSITIVE) == plain


def test_an_item_chosen_again_stands_at_its_newest_place_before_the_question():
    events = frame(
        ("u", "a", 5.0, 1), ("u", "b", 5.0, 2), ("u", "a", 5.0, 3), ("u", "c", 5.0, 4),
        ("u", "d", 5.0, 5),
    )  # fmt: skip
    split = leave_one_out([events], positive=None)
    assert split.train == {"u": ("a", "b")}
    assert split.dev[0].history == ("a", "b")


def test_a_target_met_before_is_not_left_out_of_the_ranking():
    events = frame(("u", "a", 5.0, 1), ("u", "c", 1.0, 2), ("u", "b", 5.0, 3), ("u", "c", 5.0, 4))
    (test,) = leave_one_out([events], positive=POSITIVE).test
    assert (test.target, test.seen) == ("c", frozenset("ab"))


def test_the_later_row_is_newer_where_times_are_equal_or_missing():
    early = frame(("u", "b", 5.0, 1), ("u", "c", 5.0, 1), ("u", "x", 5.0, None))
    late = frame(("u", "d", 5.0, 1), ("u", "y", 5.0, None))
    (test,) = leave_one_out([early, late], positive=None).test
    assert (*reversed(test.history), test.target) == ("x", "y", "b", "c", "d")


def test_two_moments_cut_all_users():
    events = [(user, f"{user}{day}", 5.0, day) for day in range(10) for user in "uv"]
    split = temporal([frame(*events)], positive=None, dev_share=0.2, test_share=0.2)
    assert split.train["u"] == tuple(f"u{day}" for day in range(6))
    assert [(case.user_id, case.target) for case in split.dev] == [("u", "u6"), ("v", "v6")]
    assert [(case.user_id, case.target) for case in split.test] == [("u", "u8"), ("v", "v8")]
    assert split.test[0].history == tuple(f"u{day}" for day in range(7, -1, -1))


def test_a_moment_needs_times():
    for events in ([("u", "a", 5.0, None)], [("u", "a", 5.0, 3), ("v", "b", 5.0, 3)]):
        with pytest.raises(DataError, match="needs events with different times") as caught:
            temporal([frame(*events)], positive=None, dev_share=0.1, test_share=0.1)
        assert "leave-one-out" in str(caught.value.hint)


def test_nobody_to_ask_is_said():
    events = frame(("u", "a", 5.0, 1), ("u", "b", 5.0, 2))
    with pytest.raises(DataError, match="of 1 user none can be asked about in dev") as caught:
        leave_one_out([events], positive=None)
    assert "at least 3 events" in str(caught.value.hint)
    with pytest.raises(DataError, match="no events to learn from"):
        leave_one_out([], positive=None)


behaviour = st.lists(
    st.tuples(
        st.sampled_from("uvw"),
        st.sampled_from("abcdefgh"),
        st.sampled_from([1.0, 5.0]),
        st.one_of(st.none(), st.integers(0, 12)),
    ),
    min_size=12,
    max_size=40,
)


def known(events, case):
    """Return what a user knew before first liking the target: liked items, items met."""
    own = by_time(events)[case.user_id]
    first = next(n for n, (item, v, _) in enumerate(own) if item == case.target and v >= POSITIVE)
    liked = {item for item, value, _ in own[:first] if value >= POSITIVE}
    return liked, {item for item, _, _ in own[:first]} - {case.target}


@unhurried
@given(behaviour)
def test_leaving_one_out_no_later_event_of_the_user_is_known(events):
    try:
        split = leave_one_out([frame(*events)], positive=POSITIVE)
    except DataError:
        assume(False)
    for case in (*split.dev, *split.test):
        liked, met = known(events, case)
        assert (set(case.history), case.seen) == (liked, met)
    for case in split.dev:
        # training knows what dev knows, and not the answers
        assert set(split.train[case.user_id]) == known(events, case)[0]
    assert {case.user_id for case in split.dev} == {case.user_id for case in split.test}


@unhurried
@given(behaviour)
def test_cut_at_a_moment_no_event_after_it_is_learnt(events):
    try:
        split = temporal([frame(*events)], positive=POSITIVE, dev_share=0.3, test_share=0.3)
    except DataError:
        assume(False)
    liked = {}
    for user, own in by_time(events).items():
        for item, value, day in own:
            if value >= POSITIVE:
                liked.setdefault((user, item), day)
    times = sorted(day for day in liked.values() if day >= 0)
    first, second = (times[-max(1, round(len(times) * share))] for share in (0.6, 0.3))
    assert {(user, item) for user, items in split.train.items() for item in items} == {
        choice for choice, day in liked.items() if day < first
    }
    for cases, begin, end in ((split.dev, first, second), (split.test, second, 99)):
        for case in cases:
            assert begin <= liked[case.user_id, case.target] < end
            known_liked, met = known(events, case)
            assert (set(case.history), case.seen) == (known_liked, met)


@unhurried
@given(behaviour, st.sampled_from("abcdefgh"))
def test_an_event_added_at_the_end_changes_nothing_that_temporal_asked_before(events, item):
    cut = {"positive": POSITIVE, "dev_share": 0.3, "test_share": 0.3}
    try:
        before = temporal([frame(*events)], **cut)
    except DataError:
        assume(False)
    # a dislike is no choice, so that the moments stay where they are
    after = temporal([frame(*events, ("u", item, 1.0, 99))], **cut)
    assert after == before
