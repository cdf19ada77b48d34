"""Households that are made of users: nothing is invented, and nobody keeps what the group chose."""

import polars as pl
import pytest

from benchmarks.quality.households import FEWEST_TOGETHER, pairs, shared_accounts

KEY = ["user_id", "item_id", "value", "time"]


def events() -> pl.DataFrame:
    """Return four users, two and two of one taste, with a dislike each; one with few choices."""
    rows = [
        (f"u{user}", f"i{100 * (user // 2) + step}", 5.0, 10 * step + user)
        for user in range(4)
        for step in range(user % 2, 30)
    ]
    rows += [(f"u{user}", "bad", 1.0, 5) for user in range(4)]
    rows += [("few", "i1", 5.0, 1)]
    return pl.DataFrame(rows, schema=KEY, orient="row")


def chosen(found: pl.DataFrame, who: str) -> set[str]:
    return set(found.filter((pl.col("user_id") == who) & (pl.col("value") >= 4))["item_id"])


def test_a_pair_chose_half_of_what_both_liked() -> None:
    before, made = events(), pairs(events(), 4.0, 3)
    assert set(made.members.values()) == {("u0", "u1"), ("u2", "u3")}
    for household, (one, other) in made.members.items():
        both = chosen(before, one) & chosen(before, other)
        own = chosen(made.events, household)
        assert own <= both
        assert len(own) == len(both) // 2 >= FEWEST_TOGETHER
        for who in (one, other):
            assert chosen(made.events, who) == chosen(before, who) - own
    # a choice has the time of the later of the two
    shared = made.events.filter(pl.col("user_id").str.starts_with("household"))
    latest = before.group_by("item_id").agg(pl.col("time").max().alias("latest"))
    joined = shared.join(latest, on="item_id")
    assert joined["time"].to_list() == joined["latest"].to_list()


def test_an_account_is_cut_in_three() -> None:
    before, made = events(), shared_accounts(events(), 4.0, 3)
    assert len(made.members) == 4
    assert made.events.height == before.height
    for household, members in made.members.items():
        owner = household.removeprefix("household-")
        parts = [chosen(made.events, who) for who in (household, *members)]
        assert set().union(*parts) == chosen(before, owner)
        assert sum(map(len, parts)) == len(chosen(before, owner))
        assert all(parts)
    assert chosen(made.events, "few") == {"i1"}


@pytest.mark.parametrize("make", [pairs, shared_accounts])
def test_the_same_seed_makes_the_same_households(make) -> None:
    assert make(events(), 4.0, 3).events.equals(make(events(), 4.0, 3).events)
