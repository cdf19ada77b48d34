"""Importance: bounded, monotone, independent of order, recomputable from what is recorded."""

import json
import math
import resource
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seealso.config import ImportanceSettings
from seealso.errors import ConfigError, DataError
from seealso.indexer.counts import count_events
from seealso.indexer.importance import apply_importance, fit_importance
from seealso.readers import EVENT_SCHEMA

# a busy machine is no failure: no time limit for one example
unhurried = settings(deadline=None, max_examples=60)

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
# every frame has users of its own, unless a test names them
newcomers = count()


def importance(**chosen):
    return ImportanceSettings(**chosen)


def frame(*events):
    """Events as (item, type, value, day or None), each of another user, or with the user last."""
    rows = [
        {
            "user_id": user[0] if user else f"u{next(newcomers)}",
            "item_id": item,
            "type": kind,
            "value": value,
            "time": None if day is None else START + day * DAY,
        }
        for item, kind, value, day, *user in events
    ]
    return pl.DataFrame(rows, schema=EVENT_SCHEMA)


def views(**times):
    return frame(*[(item, "view", 1.0, 0) for item, n in times.items() for _ in range(n)])


def score(counts, item):
    return counts.frame.filter(pl.col("item_id") == item)["score"].item()


event = st.tuples(
    st.sampled_from("abcdef"),
    st.sampled_from(["view", "buy"]),
    st.floats(0.5, 5.0),
    st.one_of(st.none(), st.integers(-20_000, 20_000)),
)
events = st.lists(event, max_size=60)
kinds = st.sampled_from(
    [
        importance(weights={"buy": 3.0}, half_life_days=30.0),
        importance(kind="rating", floor=0.8, ceiling=1.1),
        importance(kind="expression", expression="interactions * rating"),
    ]
)


@given(events, kinds)
@unhurried
def test_weights_stay_in_the_range(rows, chosen):
    table = fit_importance(count_events([frame(*rows)], chosen), chosen, list("abcdefgh"))
    weights = [table.weight(item) for item in "abcdefghz"]
    assert all(chosen.floor <= weight <= chosen.ceiling for weight in weights)


@given(events, st.sampled_from("abcdef"))
@unhurried
def test_one_more_event_never_lowers_an_item_that_has_any(rows, item):
    assume(item in {row[0] for row in rows})
    chosen = importance(half_life_days=30.0)
    now = START + 30_000 * DAY
    before = count_events([frame(*rows)], chosen, as_of=now)
    after = count_events([frame(*rows, (item, "view", 1.0, 0))], chosen, as_of=now)
    fitted = fit_importance(before, chosen, list("abcdef"))
    again = apply_importance(after, fitted.parameters)
    # up to rounding: hundreds of half-lives ago, sums are right to 13 digits
    assert again.weight(item) >= fitted.weight(item) * (1 - 1e-12)


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 40)))
@unhurried
def test_more_events_weigh_more(times):
    table = fit_importance(count_events([views(**times)], importance()), importance(), [*"abcdef"])
    ranked = sorted(times, key=lambda item: times[item])
    for fewer, more in pairwise(ranked):
        equal = times[fewer] == times[more]
        assert (table.weight(fewer) == table.weight(more)) is equal
        assert table.weight(fewer) <= table.weight(more)


@given(st.data(), events)
@unhurried
def test_neither_order_nor_batches_matter(data, rows):
    chosen = importance(weights={"buy": 2.5}, half_life_days=7.0)
    mixed = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    one = count_events([frame(*rows)], chosen)
    other = count_events([frame(*mixed[:cut]), frame(*mixed[cut:])], chosen)
    assert one.as_of == other.as_of
    assert one.frame["item_id"].to_list() == other.frame["item_id"].to_list()
    assert one.frame["interactions"].to_list() == other.frame["interactions"].to_list()
    assert other.frame["score"].to_list() == pytest.approx(one.frame["score"].to_list(), rel=1e-9)


@given(events, st.floats(0.5, 400.0))
@unhurried
def test_a_half_life_later_everything_counts_half(rows, half_life):
    chosen = importance(half_life_days=half_life)
    timed = frame(*[row for row in rows if row[3] is not None])
    now = START + 30_000 * DAY
    early = count_events([timed], chosen, as_of=now)
    late = count_events([timed], chosen, as_of=now + timedelta(days=half_life))
    halves = (early.frame["score"] / 2).to_list()
    assert late.frame["score"].to_list() == pytest.approx(halves, rel=1e-6, abs=1e-300)


@given(events, kinds)
@unhurried
def test_the_recorded_parameters_give_the_same_weights_again(rows, chosen):
    counts = count_events([frame(*rows)], chosen)
    fitted = fit_importance(counts, chosen, counts.frame["item_id"].to_list())
    recorded = json.loads(json.dumps(fitted.parameters))
    again = apply_importance(counts, recorded)
    assert [again.weight(i) for i in "abcdefz"] == [fitted.weight(i) for i in "abcdefz"]
    assert [again.is_tail(i) for i in "abcdefz"] == [fitted.is_tail(i) for i in "abcdefz"]
    assert again.parameters == recorded


def test_weights_by_hand():
    counts = count_events([views(a=7, b=1)], importance())
    table = fit_importance(counts, importance(), ["a", "b", "c"])
    assert table.weight("a") == 2.0
    assert table.weight("b") == pytest.approx(0.5 + 1.5 * math.log(2) / math.log(8))
    # what nobody chose is unknown: a weight of 1 changes nothing
    assert table.weight("c") == 1.0
    assert (table.interactions("a"), table.interactions("c")) == (7, 0)
    assert table.parameters["reference"] == 7.0
    assert table.parameters["as_of"] == "2024-01-01T00:00:00+00:00"


def test_decay_and_weights_by_hand():
    chosen = importance(weights={"buy": 4.0}, half_life_days=10.0)
    rows = frame(("a", "view", 1.0, 0), ("a", "buy", 1.0, 10), ("b", "view", 1.0, 20))
    counts = count_events([rows], chosen)
    assert counts.as_of == START + 20 * DAY
    assert score(counts, "a") == pytest.approx(0.25 + 4.0 * 0.5)
    assert score(counts, "b") == pytest.approx(1.0)


def test_an_event_without_time_counts_in_full_and_a_later_one_not_at_all():
    chosen = importance(half_life_days=1.0)
    rows = frame(("a", "view", 1.0, None), ("b", "view", 1.0, 100), ("b", "view", 1.0, 500),
                 ("c", "view", 1.0, 99))  # fmt: skip
    counts = count_events([rows], chosen, as_of=START + 100 * DAY)
    assert [score(counts, item) for item in "abc"] == pytest.approx([1.0, 1.0, 0.5])
    assert (counts.summary.later, counts.summary.events, counts.named["b"]) == (1, 4, 2)
    assert "1 of 4 events came after" in "".join(counts.summary.notes())


def test_decades_of_short_half_lives_do_not_overflow():
    chosen = importance(half_life_days=0.01)
    rows = frame(("a", "view", 1.0, 0), ("a", "view", 1.0, 20_000), ("b", "view", 1.0, 0))
    counts = count_events([rows], chosen)
    assert score(counts, "a") == pytest.approx(1.0)
    assert score(counts, "b") == 0.0


def test_many_batches_are_added_up():
    counts = count_events((views(a=1, b=2) for _ in range(200)), importance())
    assert counts.frame["interactions"].to_list() == [200, 400]
    assert counts.frame["score"].to_list() == [200.0, 400.0]
    assert counts.frame.schema["interactions"] == pl.UInt32


def test_a_type_of_weight_zero_is_left_out():
    chosen = importance(weights={"impression": 0.0})
    counts = count_events([frame(("a", "impression", 1.0, 0), ("b", "view", 1.0, 0))], chosen)
    assert counts.frame["item_id"].to_list() == ["b"]


def test_a_negative_weight_cannot_push_below_the_floor():
    chosen = importance(weights={"return": -5.0})
    rows = frame(("a", "view", 1.0, 0), ("a", "return", 1.0, 0), ("b", "view", 1.0, 0))
    table = fit_importance(count_events([rows], chosen), chosen, ["a", "b"])
    assert table.weight("a") == 0.5


def test_a_rating_is_shrunk_to_the_mean_of_all():
    chosen = importance(kind="rating", prior=2.0)
    rows = frame(
        ("one", "rating", 5.0, 0),
        *[("many", "rating", 5.0, 0)] * 20,
        *[("bad", "rating", 1.0, 0)] * 9,
    )
    table = fit_importance(count_events([rows], chosen), chosen, ["one", "many", "bad", "new"])
    mean = (5.0 * 21 + 9.0) / 30
    low, high = (2 * mean + 9) / 11, (2 * mean + 100) / 22
    assert table.weight("many") == 2.0
    assert table.weight("bad") == 0.5
    assert table.weight("one") == pytest.approx(
        0.5 + 1.5 * ((2 * mean + 5) / 3 - low) / (high - low)
    )
    assert table.weight("new") == pytest.approx(0.5 + 1.5 * (mean - low) / (high - low))
    assert table.weight("unknown") == pytest.approx(table.weight("new"))


def test_equal_ratings_weigh_one():
    chosen = importance(kind="rating")
    table = fit_importance(count_events([views(a=3, b=1)], chosen), chosen, ["a", "b"])
    assert (table.weight("a"), table.weight("b")) == (1.0, 1.0)


def numbers(**prices):
    return pl.DataFrame({"item_id": list(prices), "price": list(prices.values())})


def test_an_expression_over_numbers_and_events():
    chosen = importance(kind="expression", expression="interactions + coalesce(price, 0) / 10")
    table = fit_importance(
        count_events([views(a=4)], chosen), chosen, ["a", "b", "c"], numbers(b=20.0, c=math.nan)
    )
    assert [table.weight(i) for i in "abc"] == pytest.approx([2.0, 1.25, 0.5])
    assert (table.parameters["low"], table.parameters["high"]) == (0.0, 4.0)


@pytest.mark.parametrize(
    ("expression", "price"), [("price", math.nan), ("1 / price", 0.0), ("ln(price)", -1.0)]
)
def test_an_expression_without_a_finite_number_names_the_item(expression, price):
    chosen = importance(kind="expression", expression=expression)
    with pytest.raises(DataError, match="no finite number for item 'b'"):
        fit_importance(count_events([], chosen), chosen, ["a", "b"], numbers(a=2.0, b=price))


@pytest.mark.parametrize("expression", ["pricee * 2", "price *", "price || 'x'", "no_such(price)"])
def test_a_bad_expression_is_a_setting_to_correct(expression):
    chosen = importance(kind="expression", expression=expression)
    with pytest.raises(
        ConfigError, match=r"importance\.expression .* cannot be computed"
    ) as caught:
        fit_importance(count_events([], chosen), chosen, ["a"], numbers(a=2.0))
    assert "interactions, rating, price" in caught.value.hint


def test_the_tail_counts_items_without_events():
    chosen = importance(tail_quantile=0.5)
    counts = count_events([views(a=9, b=5, c=1, stranger=99)], chosen)
    table = fit_importance(counts, chosen, ["a", "b", "c", "d", "e"])
    # sorted events of the catalogue: 0 0 1 5 9
    assert table.parameters["tail_threshold"] == 1
    assert [table.is_tail(i) for i in "abcde"] == [False, False, True, True, True]
    assert table.parameters["reference"] == 9.0


@pytest.mark.parametrize("chosen", [importance(), importance(kind="rating")])
def test_a_catalogue_without_events(chosen):
    table = fit_importance(count_events([], chosen), chosen, ["a", "b"])
    assert table.is_tail("a")
    assert table.weight("a") == 1.0
    assert table.parameters["as_of"] is None


def test_between_two_items_the_tail_takes_the_lower():
    chosen = importance(tail_quantile=0.5)
    counts = count_events([views(a=9, b=5, c=1)], chosen)
    table = fit_importance(counts, chosen, ["a", "b", "c", "d"])
    # sorted events of the catalogue: 0 1 5 9
    assert table.parameters["tail_threshold"] == 1
    assert [table.is_tail(i) for i in "abcd"] == [False, False, True, True]


user_event = st.tuples(
    st.sampled_from("abc"),
    st.sampled_from(["view", "buy"]),
    st.floats(0.5, 5.0),
    st.one_of(st.none(), st.integers(0, 300)),
    st.sampled_from(["ann", "bob", None]),
)
user_events = st.lists(user_event, max_size=60)


def newest(rows, most):
    """The events that count, by hand."""
    kinds = {}
    for row in rows:
        kinds.setdefault((row[4], row[0], row[1]), []).append(row)
    for (user, *_), of_kind in kinds.items():
        of_kind.sort(key=lambda row: (math.inf if row[3] is None else row[3], row[2]), reverse=True)
        yield from of_kind if user is None else of_kind[:most]


@pytest.fixture(params=["in memory", "in files"])
def room(request, monkeypatch, tmp_path):
    """Room for the newest events: enough, or for very few, so that the others go to files."""
    if request.param == "in files":
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        for name, value in (("_FIRST_CLEARED", 4), ("_MOST_HELD", 8), ("_PORTIONS", 3)):
            monkeypatch.setattr(f"seealso.indexer.newest.{name}", value)
    yield
    assert [*tmp_path.iterdir()] == []


@given(st.data(), user_events, st.integers(1, 4))
@unhurried
@pytest.mark.usefixtures("room")
def test_of_one_user_and_item_the_newest_events_of_each_type_count(data, rows, most):
    chosen = importance(weights={"buy": 2.5}, half_life_days=30.0, per_user=most)
    mixed = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    found = count_events(
        [frame(*mixed[a:b]) for a, b in pairwise([0, *cuts, len(rows)])],
        chosen,
        as_of=START + 300 * DAY,
    )
    counting = list(newest(rows, most))
    unlimited = chosen.model_copy(update={"per_user": 0})
    wanted = count_events([frame(*counting)], unlimited, as_of=START + 300 * DAY)
    assert found.frame["item_id"].to_list() == wanted.frame["item_id"].to_list()
    for name in ("interactions", "score", "rating_sum", "rating_n"):
        expected = wanted.frame[name].to_list()
        assert found.frame[name].to_list() == pytest.approx(expected, rel=1e-9)
    assert found.summary.uncounted == len(rows) - len(counting)
    assert found.summary.events == len(rows)
    assert found.summary.users == len({row[4] for row in rows} - {None})
    assert found.summary.anonymous == sum(row[4] is None for row in rows)


@given(user_events, user_event)
@unhurried
def test_no_event_of_a_user_lowers_an_item(rows, one_more):
    chosen = importance(half_life_days=30.0, per_user=2)
    now = START + 300 * DAY
    before = count_events([frame(*rows)], chosen, as_of=now)
    after = count_events([frame(*rows, one_more)], chosen, as_of=now)
    earlier = dict(before.frame.select("item_id", "score").iter_rows())
    for item, value in after.frame.select("item_id", "score").iter_rows():
        assert value >= earlier.get(item, 0.0) * (1 - 1e-12)


def test_a_robot_flattens_nobody():
    people = frame(
        ("a", "buy", 1.0, 0), ("b", "buy", 1.0, 1), ("c", "view", 1.0, 2), ("d", "view", 1.0, 3)
    )
    robot = frame(*[("r", "view", 1.0, 3, "bot")] * 5000)
    chosen = importance(weights={"buy": 5.0}, half_life_days=90.0)
    alone = fit_importance(count_events([people], chosen), chosen, [*"abcdr"])
    beside = fit_importance(count_events([people, robot], chosen), chosen, [*"abcdr"])
    for item in "abcd":
        assert beside.weight(item) == pytest.approx(alone.weight(item), abs=1e-9)
    assert beside.interactions("r") == 3
    # a purchase outweighs it
    assert beside.weight("r") < beside.weight("a")


def test_files_of_events_are_deleted_whatever_happens(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("seealso.indexer.newest._FIRST_CLEARED", 4)
    monkeypatch.setattr("seealso.indexer.newest._MOST_HELD", 8)
    found = []

    def frames():
        for n in range(3):
            yield frame(*[(f"i{n}", "view", 1.0, n, f"u{user}") for user in range(20)])
        found.extend(tmp_path.rglob("*.parquet"))
        raise DataError("a file ends in the middle", hint="")

    with pytest.raises(DataError, match="in the middle"):
        count_events(frames(), importance())
    assert found
    assert [*tmp_path.iterdir()] == []


def test_millions_of_events_are_cleared_as_they_come(monkeypatch):
    monkeypatch.setattr("seealso.indexer.newest._FIRST_CLEARED", 100)
    monkeypatch.setattr("seealso.indexer.newest._BATCH", 7)
    batches = [
        frame(*[(f"i{n % 5}", "view", 1.0, day, f"u{n % 4}") for n in range(20)])
        for day in range(50)
    ]
    counts = count_events(batches, importance(per_user=2))
    # 20 pairs of the 4 users and 5 items
    assert counts.frame["interactions"].to_list() == [8] * 5
    assert counts.summary.uncounted == 50 * 20 - 40


def test_an_event_from_after_now_counts_and_sets_no_clock():
    chosen = importance(half_life_days=30.0)
    rows = [("a", "view", 1.0, 0), ("b", "view", 1.0, 10)]
    right = count_events([frame(*rows)], chosen)
    ahead = frame(*rows, ("c", "view", 1.0, 5000))
    found = count_events([ahead], chosen, latest=START + 20 * DAY)
    assert found.as_of == right.as_of == START + 10 * DAY
    assert [score(found, item) for item in "ab"] == [score(right, item) for item in "ab"]
    assert score(found, "c") == 1.0
    assert (found.summary.ahead, found.summary.last) == (1, START + 10 * DAY)
    assert list(found.summary.notes()) == [
        "1 of 3 events are in the future: they count as events without a time, and decay is not "
        "counted from them"
    ]


def test_what_the_events_are_is_said():
    rows = frame(
        ("a", "view", 1.0, 0, None), ("a", "like", 1.0, 9, "ann"), ("b", "view", 1.0, None, "ann")
    )
    found = count_events([rows], importance(weights={"like": 0.0}))
    assert str(found.summary) == (
        "3 of 1 user, 1 of them without a user, from 2024-01-01 00:00 to 2024-01-10 00:00 UTC"
    )
    assert found.named == {"a": 2, "b": 1}
    assert list(found.summary.notes()) == []
    nothing = count_events([], importance())
    assert (str(nothing.summary), nothing.named) == ("0 of 0 users, without times", {})


def test_a_full_disk_is_said_and_nothing_stays_on_it(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("seealso.indexer.newest._FIRST_CLEARED", 4)
    monkeypatch.setattr("seealso.indexer.newest._MOST_HELD", 8)
    many = frame(*[(f"i{n}", "view", 1.0, n, f"u{n}") for n in range(200)])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # files of more than some bytes fail as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(DataError, match=r"cannot be put there: .*File too large") as failed:
            count_events([many], importance())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "TMPDIR" in failed.value.hint
    assert str(tmp_path) in failed.value.message
    assert [*tmp_path.iterdir()] == []
