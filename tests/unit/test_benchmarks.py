"""The measuring itself: turns, ratios, targets, and a docs page that says what the JSON says."""

import numpy as np
import pytest

from benchmarks import synthetic
from benchmarks.measure import Figure, Report, Target, figure, machine, ratio, take_turns
from benchmarks.report import PAGE, kept, page_tables, with_tables


def test_contenders_take_turns_and_no_one_is_always_first() -> None:
    met: list[tuple[str, int]] = []

    def contender(name: str):
        return lambda turn: met.append((name, turn))

    seconds = take_turns({name: contender(name) for name in "ab"}, 2, warm_up=1)
    assert met == [("b", -1), ("a", -1), ("a", 0), ("b", 0), ("b", 1), ("a", 1)]
    assert {name: each.shape for name, each in seconds.items()} == {"a": (2,), "b": (2,)}


def test_a_ratio_is_taken_round_by_round() -> None:
    # one slow moment of the machine, in round 1, must not show
    slow, fast = np.array([10.0, 200.0, 30.0]), np.array([2.0, 40.0, 6.0])
    found = ratio("faster", slow, fast, Target("at least", 5))
    assert (found.median, found.p10, found.p90, found.met) == (5, 5, 5, True)


@pytest.mark.parametrize(
    ("bound", "value", "met"),
    [
        ("at least", 4.9, False),
        ("at least", 5, True),
        ("at most", 5, True),
        ("at most", 5.1, False),
    ],
)
def test_a_target_is_met_or_not(bound: str, value: float, met: bool) -> None:
    assert figure("f", "x", [value], Target(bound, 5)).met is met


def test_machine_facts_name_no_host_and_no_path() -> None:
    facts = machine()
    assert facts["cores"] >= 1
    assert "/" not in "".join(str(value) for value in facts.values())


def test_synthetic_vectors_carry_bounded_weights_in_their_length() -> None:
    made = synthetic.make_catalogue(2000, queries=3)
    lengths = np.linalg.norm(made.vectors, axis=1)
    np.testing.assert_allclose(lengths, made.weights, rtol=1e-5)
    assert made.weights.min() >= 0.5
    assert made.weights.max() <= 2.0
    np.testing.assert_allclose(np.linalg.norm(made.queries, axis=1), 1, rtol=1e-5)
    again = synthetic.make_catalogue(2000, queries=3)
    assert np.array_equal(made.vectors, again.vectors)


def test_tables_say_what_fell_short() -> None:
    short = Figure("exact against flat", "x", 2.71, 2.5, 3.0, 30, Target("at most", 2, "aim"))
    report = Report("ranking", "Ranking", {"items": 5}, machine(), (short,)).as_dict()
    assert (
        "| exact against flat | 2.71 x | 2.50 x – 3.00 x | at most 2 (aim) | no |"
        in page_tables([report]).splitlines()
    )


def test_the_page_shows_the_kept_results() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text, kept()) == text
