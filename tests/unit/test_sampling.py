"""The sample that is learnt from: whole users, the same ones tomorrow, and no more than wanted."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.config import load_settings
from seealso.datasets.sampling import SampledEvents, sample_events, sample_users
from seealso.readers import EVENT_SCHEMA

USERS = 400
PINNED = ["u18", "u3", "u47", "u49", "u98"]
"""Of a hundred users, the five with the smallest hashes."""

LONELY = {f"u{n}" for n in range(200, USERS)}
"""Users who are in no group."""


def events(users: int = USERS, *, of_nobody: int = 0, seed: int = 3) -> pl.DataFrame:
    """Return events of users with one to twenty each, in no order, some of them of nobody."""
    draw = np.random.default_rng(seed)
    owners = np.repeat(np.arange(users), draw.integers(1, 21, users))
    names = [f"u{one}" for one in owners] + [None] * of_nobody
    rows = pl.DataFrame(
        {
            "user_id": names,
            "item_id": [f"i{one}" for one in draw.integers(0, 50, len(names))],
            "type": "view",
            "value": 1.0,
            "time": None,
        },
        schema=EVENT_SCHEMA,
    )
    return rows.sample(fraction=1.0, shuffle=True, seed=seed)


def cut(rows: pl.DataFrame, size: int) -> list[pl.DataFrame]:
    return [*rows.iter_slices(size)]


def kept(sample: SampledEvents) -> pl.DataFrame:
    return pl.concat(sample.frames)


def users_of(sample: SampledEvents) -> set[str]:
    return set(kept(sample)["user_id"].drop_nulls())


def test_no_more_than_wanted_stays_as_it_is() -> None:
    frames = cut(events(), 100)
    sample = sample_users(frames, sum(frame.height for frame in frames))
    assert sample.draw is None
    assert [*sample] == frames


def test_all_events_of_a_user_stay_or_none_and_in_their_order() -> None:
    rows = events()
    sample = sample_users(cut(rows, 100), 1000)
    chosen = users_of(sample)
    assert 0 < len(chosen) < USERS
    assert kept(sample).equals(rows.filter(pl.col("user_id").is_in(sorted(chosen))))


def test_as_many_stay_as_are_wanted_and_the_draw_says_so() -> None:
    rows = events()
    sample = sample_users(cut(rows, 100), 1000)
    draw = sample.draw
    assert draw is not None
    # one user more, of twenty events at most, would be too many
    assert 980 <= draw.events <= 1000
    assert draw.events == kept(sample).height
    assert (draw.of_events, draw.users) == (rows.height, len(users_of(sample)))
    assert str(draw).startswith(f"{draw.events:,} of {rows.height:,} events: those of ")
    assert str(draw).endswith(" users (training.most_events)")


def test_the_draw_tells_events_of_nobody_from_those_of_users() -> None:
    rows = events(of_nobody=2000)
    draw = sample_users(cut(rows, 100), 1000).draw
    assert draw is not None
    assert 0 < draw.of_nobody < draw.events
    of_users = draw.events - draw.of_nobody
    told = f": {of_users:,} of {draw.users} users, {draw.of_nobody:,} of nobody (training."
    assert told in str(draw)


@given(st.integers(1, 5000), st.integers(100, 3000), st.integers(0, 300))
@settings(deadline=None, max_examples=40)
def test_how_the_events_are_cut_into_frames_changes_nothing(
    size: int, most: int, of_nobody: int
) -> None:
    rows = events(of_nobody=of_nobody)
    whole, parts = sample_users([rows], most), sample_users(cut(rows, size), most)
    assert kept(parts).equals(kept(whole))
    assert (parts.draw, parts.signature) == (whole.draw, whole.signature)
    assert kept(parts).height <= most or parts.draw is None


def test_with_more_events_nobody_comes_into_the_sample() -> None:
    before = events()
    new = events(100, seed=4).with_columns(pl.col("user_id").str.replace("u", "new"))
    today = sample_users([before], 1000)
    tomorrow = sample_users([before, new], 1000)
    old = {one for one in users_of(tomorrow) if not one.startswith("new")}
    assert old < users_of(today)
    assert len(old) > len(users_of(today)) / 2


def test_who_is_drawn_is_the_same_in_every_version() -> None:
    # a user who comes and goes with a library's version would make figures incomparable
    one_each = [f"u{n}" for n in range(100)]
    rows = pl.DataFrame({"user_id": one_each, "item_id": "i"})
    assert sorted(users_of(sample_users([rows], 5))) == PINNED


def test_events_of_nobody_are_thinned_to_the_same_share() -> None:
    rows = events(of_nobody=2000)
    sample = sample_users(cut(rows, 100), rows.height // 4)
    nobody = kept(sample)["user_id"].null_count()
    assert nobody / 2000 == pytest.approx(0.25, abs=0.05)


def test_members_stay_with_their_group() -> None:
    groups = {f"g{n}": tuple(f"u{m}" for m in range(4 * n, 4 * n + 4)) for n in range(50)}
    sample = sample_users(cut(events(), 100), 1000, lambda: groups)
    chosen = users_of(sample)
    counts = {len(chosen.intersection(members)) for members in groups.values()}
    assert counts == {0, 4}
    drawn = sample.select_groups(groups)
    assert 0 < len(drawn) < len(groups)
    assert {one for members in drawn.values() for one in members} == chosen - LONELY


def of_one(user: str, number: int) -> pl.DataFrame:
    rows = {"user_id": [user] * number, "item_id": "i1", "type": "view", "value": 1.0, "time": None}
    return pl.DataFrame(rows, schema=EVENT_SCHEMA)


@pytest.mark.parametrize("size", [100, 100_000])
@pytest.mark.parametrize("user", ["guest", "u18"])
def test_a_guest_with_more_events_than_all_others_is_left_out(size: int, user: str) -> None:
    rows = events().filter(pl.col("user_id") != "u18")
    everything = pl.concat([rows, of_one(user, 6000)]).sample(fraction=1.0, shuffle=True, seed=5)
    sample = sample_users(cut(everything, size), 1000)
    assert user not in users_of(sample)
    assert 700 < kept(sample).height <= 1000
    assert "; 1 with more than 25% of that each are left out" in str(sample.draw)


def test_a_group_of_everybody_is_not_drawn_as_one() -> None:
    rows = events()
    names = [f"u{n}" for n in range(USERS)]
    groups = {"everybody": names, "pair": names[:2]}
    sample = sample_users(cut(rows, 100), 1000, lambda: groups)
    alone = sample_users(cut(rows, 100), 1000, lambda: {"pair": names[:2]})
    assert users_of(sample) == users_of(alone)
    assert sample.select_groups(groups) == alone.select_groups({"pair": names[:2]})
    assert sample.draw is not None
    assert sample.draw.heavy == 0


def test_the_signature_tells_samples_and_events_apart() -> None:
    rows = events()
    one = sample_users([rows], 1000).signature
    assert one == sample_users(cut(rows, 70), 1000).signature
    assert one != sample_users([rows], 900).signature
    # those of a user who is none of the sample count as well
    assert one != sample_users([rows.head(-1)], 1000).signature
    # what leaves nobody out is one and the same
    enough = [sample_users([rows], most).signature for most in (rows.height, rows.height + 1000)]
    assert enough[0] == enough[1] != one


def test_a_sample_is_not_sampled_again(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = load_settings(overrides={"training": {"most_events": 1000}})
    sample = sample_events(chosen, lambda: cut(events(), 100))
    assert f"note: what is learnt and asked comes from {sample.draw}" in capsys.readouterr().err
    assert sample_events(chosen, lambda: sample) is sample
    assert capsys.readouterr().err == ""
