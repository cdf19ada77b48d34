"""Groups whose right answer is known: the fit finds strategy, weight and rule that made it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from seealso.choices import SeenRule, StrategyName
from seealso.config import load_settings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.group_questions import GroupQuestion, read_group_questions
from seealso.datasets.questions import Question
from seealso.fitting.group_bench import GroupBench, GroupChoice, Scored, score_groups
from seealso.fitting.groups import choose_groups, count_choices
from seealso.log import no_progress
from seealso.types import Calibration, Vector

ITEMS = 120
NOTHING = np.empty(0, dtype=np.int64)
CALIBRATION = Calibration(0.0, 1.0)


def group(
    name: str, people: tuple[Question, ...], own: Question | None, target: int = 5
) -> GroupQuestion:
    history, seen = (NOTHING, NOTHING) if own is None else (own.history, own.seen)
    return GroupQuestion(history, target, seen, name, name, people, own)


def drawn(
    groups: int,
    weight: float,
    *,
    noise: float = 0.2,
    chosen_of: StrategyName = "average",
    familiar: bool = False,
) -> list[Scored]:
    """Return groups that choose by their members and their own history, `weight` of it.

    Where they are `familiar`, they choose what a member has seen.
    """
    rng = np.random.default_rng(11)
    found = []
    for number in range(groups):
        x = rng.normal(size=(3, ITEMS)).astype(np.float32)
        members, own = CALIBRATION.probability(x[:2]), CALIBRATION.probability(x[2])
        joined = members.max(axis=0) if chosen_of == "most-pleasure" else members.mean(axis=0)
        value = (1 - weight) * joined + weight * own + rng.normal(scale=noise * 0.1, size=ITEMS)
        target = int(value.argmax())
        seen = np.array([target]) if familiar else NOTHING
        people = tuple(Question(np.array([n]), target, seen, f"u{number}-{n}") for n in range(2))
        question = group(f"g{number}", people, Question(np.array([2]), target, NOTHING), target)
        found.append(Scored(question, x[:2], x[2]))
    return found


def bench(scored: list[Scored]) -> GroupBench:
    return GroupBench(scored, CALIBRATION, 0.5)


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.6, 1.0])
def test_a_known_weight_is_found(weight: float) -> None:
    chosen = choose_groups(bench(drawn(300, weight)), no_progress).settings
    assert chosen["own_weight"] == pytest.approx(weight, abs=0.11)
    assert chosen["seen"] == "any"


def test_a_known_strategy_is_found() -> None:
    scored = drawn(300, 0.3, chosen_of="most-pleasure", noise=0.0)
    chosen = choose_groups(bench(scored), no_progress).settings
    assert chosen["strategy"] == "most-pleasure"
    assert chosen["own_weight"] == pytest.approx(0.3, abs=0.11)


def test_groups_that_choose_what_a_member_knows_are_offered_it() -> None:
    chosen = choose_groups(bench(drawn(100, 0.3, familiar=True)), no_progress)
    assert chosen.settings["seen"] == "group"
    assert chosen.dev["average"] == 0.0
    assert chosen.dev["as chosen"] > 0.5


def test_what_may_be_chance_leaves_the_simple_choice() -> None:
    rng = np.random.default_rng(5)
    scored = [
        Scored(
            one.question,
            rng.normal(size=(2, ITEMS)).astype(np.float32),
            rng.normal(size=ITEMS).astype(np.float32),
        )
        for one in drawn(25, 0.5)
    ]
    simple = GroupChoice().settings
    assert choose_groups(bench(scored), no_progress).settings == simple


def test_of_few_groups_nothing_is_chosen() -> None:
    assert choose_groups(bench(drawn(19, 0.5)), no_progress).settings == {}


def test_no_more_is_tried_than_is_said() -> None:
    ticks: list[int] = []
    choose_groups(bench(drawn(40, 0.5)), ticks.append)
    assert sum(ticks) <= count_choices()


def test_groups_are_scored_by_their_own_histories() -> None:
    def score(asked: list[Question]) -> Vector:
        return np.array([[one.history[0]] * ITEMS for one in asked], dtype=np.float32)

    questions = [one.question for one in drawn(70, 0.5)]
    alone = group("new", questions[0].members[:1], None)
    found = score_groups([*questions, alone], score)  # type: ignore[arg-type]
    assert all(one.members[:, 0].tolist() == [0, 1] for one in found[:-1])
    assert all(one.own is not None and one.own[0] == 2 for one in found[:-1])
    assert found[-1].own is None
    assert found[-1].members[:, 0].tolist() == [0]


@pytest.mark.parametrize(
    ("rule", "left_out"), [("any", [1, 2, 3, 9]), ("everyone", [2, 9]), ("group", [9])]
)
def test_what_is_left_out(rule: SeenRule, left_out: list[int]) -> None:
    people = tuple(Question(np.array([1]), 5, np.array(seen), "") for seen in ([1, 2], [2, 3]))
    question = group("g", people, Question(np.array([2]), 5, np.array([9])))
    x = np.zeros((2, ITEMS), dtype=np.float32)
    assert Scored(question, x, None).seen(rule).tolist() == left_out


START = datetime(2024, 1, 1, tzinfo=UTC)
CATALOGUE = Catalogue(
    tuple(f"i{n}" for n in range(20)), ("",) * 20, {f"i{n}": n for n in range(20)}, 0
)


def events(*rows: tuple[str, int, int]) -> pl.DataFrame:
    """Return events of user, item and day."""
    return pl.DataFrame(
        {
            "user_id": [who for who, _, _ in rows],
            "item_id": [f"i{item}" for _, item, _ in rows],
            "value": [1.0] * len(rows),
            "time": [START + timedelta(days=day) for _, _, day in rows],
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )


TIMED = events(
    ("ann", 0, 1), ("ann", 1, 2), ("ann", 2, 12), ("ann", 3, 30), ("ann", 4, 40),
    ("bob", 5, 3), ("bob", 6, 4), ("bob", 7, 50),
    ("smiths", 10, 5), ("smiths", 11, 10), ("smiths", 12, 20), ("smiths", 13, 21),
)  # fmt: skip
GROUPS = {"smiths": ("ann", "bob", "nobody"), "others": ("nobody",)}


def test_a_question_knows_nothing_that_is_later() -> None:
    found = read_group_questions(load_settings(), CATALOGUE, lambda: [TIMED], GROUPS, "dev")
    (asked,) = found.own
    assert (asked.user_id, asked.target, found.unasked) == ("smiths", 12, 1)
    assert asked.history.tolist() == [11, 10]
    # on day 20: what ann did on days 30 and 40 is to come
    assert [(one.user_id, one.history.tolist()) for one in asked.members] == [
        ("ann", [2, 1, 0]),
        ("bob", [6, 5]),
    ]
    (test,) = read_group_questions(load_settings(), CATALOGUE, lambda: [TIMED], GROUPS, "test").own
    assert (test.target, test.history.tolist()) == (13, [12, 11, 10])


def test_without_times_nobody_knows_what_they_are_asked_about() -> None:
    untimed = TIMED.with_columns(pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("time"))
    (asked,) = read_group_questions(
        load_settings(), CATALOGUE, lambda: [untimed], GROUPS, "dev"
    ).own
    assert [one.history.tolist() for one in asked.members] == [[2, 1, 0], [5]]


def test_what_members_choose_later_is_asked_of_the_group() -> None:
    found = read_group_questions(load_settings(), CATALOGUE, lambda: [TIMED], GROUPS, "dev")
    assert [(one.user_id, one.target) for one in found.of_members] == [("ann", 3), ("bob", 6)]
    for one in found.of_members:
        assert one.group_id == "smiths"
        assert one.own is not None
        assert one.own.history.tolist() == [11, 10]
        assert [o.history.tolist() for o in one.members] == [[2, 1, 0], [5]]
    assert found.of_members[0].history.tolist() == [2, 1, 0]
