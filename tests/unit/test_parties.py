"""Groups of the quality benchmark: what may be known of whom, and what a list is worth."""

import ir_measures
import numpy as np
import polars as pl
import pytest

from benchmarks.quality.groups import ratio_with_interval
from benchmarks.quality.groups_page import PAGE, with_tables
from benchmarks.quality.parties import (
    GROUPS_EACH,
    KINDS,
    SIZES,
    Member,
    Party,
    cut,
    members,
    ndcg,
    parties,
    worth,
)


def events(users: int = 12, choices: int = 25) -> pl.DataFrame:
    rows = []
    for user in range(users):
        for step in range(choices):
            rows.append((f"u{user}", f"i{user % 2 * 40 + step + user}", 5.0, step))
        # the first choice once more
        rows.append((f"u{user}", f"i{user % 2 * 40 + user}", 5.0, choices))
        rows.append((f"u{user}", "disliked", 1.0, 3))
    rows.append(("few", "i1", 5.0, 1))
    return pl.DataFrame(rows, schema=["user_id", "item_id", "value", "time"], orient="row")


def test_nothing_of_a_question_is_known_before_it() -> None:
    told = cut(events(), positive=4.0)
    for asked in ("dev", "test"):
        people = members(told, asked)
        assert set(people) == {f"u{n}" for n in range(12)}
        for user_id, one in people.items():
            start = int(user_id[1:]) % 2 * 40 + int(user_id[1:])
            known = 15 if asked == "dev" else 20
            newest_first = [f"i{start + step}" for step in range(known - 1, -1, -1)]
            assert list(one.history) == newest_first
            assert one.wanted == {f"i{start + step}" for step in range(known, known + 5)}
            assert one.seen == {*newest_first, "disliked"}
    assert told.filter(user_id="few")["part"].to_list() == ["train"]


def test_groups_of_every_kind_and_size_are_drawn() -> None:
    people = members(cut(events(users=60), positive=4.0), "dev")
    drawn = parties(people, seed=3)
    assert len(drawn) == len(KINDS) * len(SIZES) * GROUPS_EACH
    assert drawn == parties(people, seed=3)
    alike = {kind: [] for kind in KINDS}
    for party in drawn:
        assert len({one.user_id for one in party.members}) == len(party.members)
        first, second = (set(one.history) for one in party.members[:2])
        alike[party.kind].append(len(first & second))
    assert np.mean(alike["similar"]) > np.mean(alike["random"]) > np.mean(alike["divergent"])


@pytest.mark.parametrize("wanted", [{"a"}, {"b", "d"}, {"a", "b", "c", "d", "e"}, {"x"}])
def test_ndcg_is_that_of_ir_measures(wanted: set[str]) -> None:
    shown = ["a", "b", "c", "d"]
    right = [ir_measures.Qrel("q", item, 1) for item in wanted]
    docs = [ir_measures.ScoredDoc("q", item, -float(place)) for place, item in enumerate(shown)]
    measure = ir_measures.parse_measure("nDCG@3")
    found = ndcg(shown, frozenset(wanted), depth=3)
    assert found == pytest.approx(ir_measures.calc_aggregate([measure], right, docs)[measure])


def test_what_somebody_has_seen_is_no_right_answer() -> None:
    first = Member("a", (), frozenset({"x"}), frozenset({"y", "z"}))
    second = Member("b", (), frozenset({"y"}), frozenset({"x"}))
    # of the second member's answers none is left: nothing could serve them
    assert worth(["z"], Party("random", (first, second))).tolist() == [1.0]


def test_a_ratio_of_equal_lists_is_one() -> None:
    same = [np.array([0.1, 0.3]), np.array([0.5])]
    assert ratio_with_interval(same, same, np.min, seed=1) == {
        "ratio": 1.0,
        "low": 1.0,
        "high": 1.0,
    }


def test_the_page_shows_the_kept_results() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text) == text
