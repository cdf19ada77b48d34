"""Strategies of groups over drawn probabilities: what each of them promises, whoever is asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seealso.models.group_strategies import (
    PATIENCE,
    Matrix,
    average,
    borda,
    fair,
    fair_worth,
    least_misery,
    most_pleasure,
    strategies,
)

NAMES = ("fair", "average", "multiplicative", "least-misery", "most-pleasure", "borda")
TASTES = np.array(
    [
        [0.9, 0.8, 0.1, 0.2, 0.5],
        [0.1, 0.2, 0.9, 0.8, 0.5],
    ]
)


@st.composite
def wishes(draw: st.DrawFn) -> Matrix:
    """Probabilities, ties among them."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 12)))
    tenths = draw(hnp.arrays(np.int64, shape, elements=st.integers(0, 10)))
    exact = draw(hnp.arrays(np.float64, shape, elements=st.floats(0.0, 1.0)))
    return np.where(draw(st.booleans()), tenths / 10, exact)


def own_order(row: Matrix) -> list[int]:
    return np.argsort(-row, kind="stable").tolist()


@pytest.mark.parametrize("name", NAMES)
@given(wishes(), st.integers(1, 15))
def test_every_strategy_ranks_each_candidate_once(name: str, given: Matrix, size: int) -> None:
    found = strategies(1.0)[name](given, size).tolist()
    assert len(found) == len(set(found)) == min(size, given.shape[1])
    assert set(found) <= set(range(given.shape[1]))


@pytest.mark.parametrize("name", NAMES)
@given(wishes(), st.integers(2, 5))
def test_a_group_of_identical_members_gets_that_members_list(
    name: str, given: Matrix, members: int
) -> None:
    same = np.repeat(given[:1], members, axis=0)
    assert strategies(1.0)[name](same, 12).tolist() == own_order(given[0])


@pytest.mark.parametrize("name", NAMES)
@given(wishes(), st.randoms(use_true_random=False))
def test_the_order_of_the_members_changes_nothing(name: str, given: Matrix, random: object) -> None:
    rows = list(range(len(given)))
    random.shuffle(rows)  # type: ignore[attr-defined]
    strategy = strategies(1.0)[name]
    np.testing.assert_array_equal(strategy(given, 12), strategy(given[rows], 12))


@pytest.mark.parametrize("name", NAMES)
@given(wishes(), st.integers(1, 12))
def test_a_shorter_list_is_the_beginning_of_a_longer_one(
    name: str, given: Matrix, size: int
) -> None:
    strategy = strategies(1.0)[name]
    assert strategy(given, size).tolist() == strategy(given, 12).tolist()[:size]


@given(wishes(), st.integers(1, 12))
def test_each_simple_strategy_shows_the_best_by_its_own_measure(given: Matrix, size: int) -> None:
    for strategy, measure in (
        (average, given.mean(axis=0)),
        (least_misery, given.min(axis=0)),
        (most_pleasure, given.max(axis=0)),
    ):
        shown = strategy(given, size)
        left = np.setdiff1d(np.arange(given.shape[1]), shown)
        if len(left):
            # sums in another order differ in their last digit
            assert measure[shown].min() >= measure[left].max() - 1e-12


@given(wishes())
def test_borda_counts_who_beats_whom(given: Matrix) -> None:
    better = (given[:, :, None] > given[:, None, :]).sum(axis=2)
    equal = (given[:, :, None] == given[:, None, :]).sum(axis=2) - 1
    points = (better + equal / 2).sum(axis=0)
    shown = borda(given, 12)
    assert (np.diff(points[shown]) <= 0).all()


@given(wishes(), st.sampled_from([0.0, 0.5, 1.0, 4.0]))
def test_fair_takes_at_each_place_what_is_worth_most_to_those_served_least(
    given: Matrix, fairness: float
) -> None:
    worth = fair_worth(given)
    shown = fair(fairness)(given, 12).tolist()
    for place, item in enumerate(shown):
        got = worth[:, shown[:place]].sum(axis=1)
        gain = ((PATIENCE + got)[:, None] ** -fairness * worth).sum(axis=0)
        left = [one for one in range(given.shape[1]) if one not in shown[:place]]
        assert gain[item] >= gain[left].max() * (1 - 1e-9)


@given(st.integers(2, 6), st.integers(1, 8))
def test_members_who_share_nothing_take_turns(members: int, each: int) -> None:
    own = np.linspace(0.9, 0.5, each)
    given = np.full((members, members * each), 0.01)
    for member in range(members):
        given[member, member * each : (member + 1) * each] = own
    shown = fair(1.0)(given, members * each)
    for length in range(1, len(shown) + 1):
        served = np.bincount(shown[:length] // each, minlength=members)
        assert served.max() - served.min() <= 1


def test_what_the_strategies_are_about() -> None:
    found = {name: rank(TASTES, 2).tolist() for name, rank in strategies(1.0).items()}
    assert found["least-misery"][0] == 4
    assert found["most-pleasure"] == [0, 2]
    assert found["fair"] == [0, 2]


def test_someone_whose_probabilities_are_low_counts_like_any_other() -> None:
    low = TASTES * np.array([[1.0], [0.01]])
    assert average(low, 2).tolist() == [0, 1]
    assert fair(1.0)(low, 2).tolist() == [0, 2]
