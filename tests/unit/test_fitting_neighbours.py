"""The crowd that is fitted votes as the one that is asked, and goes where it does not help."""

from random import Random

import numpy as np
import pytest

from seealso.datasets.questions import Question
from seealso.encoder.projection import unit_rows
from seealso.evaluation.choosing import count_attempts
from seealso.fitting.bench import Bench
from seealso.fitting.co_occurrence import boosts
from seealso.fitting.neighbours import (
    MOST_POOLED,
    NEIGHBOUR_GRID,
    ChosenNeighbours,
    Pool,
    as_questions,
    choose_neighbours,
    collect_votes,
    draw_pool,
    find_nearest,
)
from seealso.models.user_knn import vote
from seealso.plugin.neighbours import Neighbour
from seealso.types import Vector

ITEMS, CLUBS, MEMBERS = 40, 4, 30


def fans(seed: int = 1) -> list[tuple[int, ...]]:
    """Return what users chose: most of it from a club of their own, in any order."""
    rng = Random(seed)
    found = []
    for user in range(CLUBS * MEMBERS):
        own = [item for item in range(ITEMS) if item % CLUBS == user % CLUBS]
        found.append(tuple(rng.sample(own, 6)))
    return found


def asked(sequences: list[tuple[int, ...]]) -> list[Question]:
    """Return who is asked for the last item that they chose."""
    return [Question(np.array(one[-2::-1]), one[-1], np.array(one[:-1])) for one in sequences]


def texts(seed: int = 2) -> Vector:
    return unit_rows(np.random.default_rng(seed).normal(size=(ITEMS, 16)).astype(np.float32))


def by_history(vectors: Vector, questions: list[Question]) -> Vector:
    return unit_rows(np.array([vectors[one.history].sum(axis=0) for one in questions]))


def chosen(sequences: list[tuple[int, ...]]) -> ChosenNeighbours:
    vectors, questions = texts(), asked(sequences)
    bench = Bench.of(vectors, questions, 50)
    known = [one[:-1] for one in sequences]
    pool = Pool(known, by_history(vectors, as_questions(known)))
    steps: list[int] = []
    nothing = boosts(bench, None)
    found = choose_neighbours(
        bench, by_history(vectors, questions), vectors, pool, nothing, steps.append
    )
    assert sum(steps) == count_attempts(NEIGHBOUR_GRID)
    return found


def test_the_vote_is_found_where_people_choose_alike() -> None:
    found = chosen(fans())
    assert found.settings["share"] > 0
    assert found.reached > found.without + 0.1
    assert found.boosts is not None
    assert found.notes == ()


def test_a_crowd_that_does_not_help_is_left_out() -> None:
    rng = Random(5)
    found = chosen([tuple(rng.sample(range(ITEMS), 6)) for _ in range(CLUBS * MEMBERS)])
    assert found.settings == {"share": 0.0}
    assert found.reached == found.without
    assert found.boosts is None
    assert "may be chance" in found.notes[0]


@pytest.mark.parametrize(("k", "latest"), [(5, 3), (20, 1), (200, 50)])
def test_votes_are_those_of_the_plugin(k: int, latest: int) -> None:
    sequences = fans()
    vectors, questions = texts(), asked(sequences)[:7]
    bench = Bench.of(vectors, questions, 50)
    pool = Pool(sequences, by_history(vectors, as_questions(sequences)))
    near = find_nearest(bench.questions, by_history(vectors, questions), pool, 200)
    found = collect_votes(bench, near, pool, k=k, latest=latest).toarray()
    for row, question in enumerate(questions):
        cosines = by_history(vectors, [question]) @ pool.vectors.T
        order = np.argsort(-cosines[0], kind="stable")[:k]
        around = [
            Neighbour("n", float(cosines[0, place]), tuple(map(str, sequences[place][::-1])))
            for place in order
        ]
        expected = vote(around, set(map(str, question.seen)), latest)
        text_profiles = {str(item): found[row, item] for item in np.flatnonzero(found[row])}
        assert text_profiles == pytest.approx(expected, abs=1e-5)


def test_nobody_is_a_neighbour_of_themselves() -> None:
    sequences = fans()
    known = [one[:-1] for one in sequences]
    vectors, questions = texts(), asked(sequences)
    pool = Pool(known, by_history(vectors, as_questions(known)))
    near = find_nearest(questions, by_history(vectors, questions), pool, 3)
    assert not any(row in places for row, places in enumerate(near.places[:, :3]))


def test_a_pool_is_bounded_and_the_same_again() -> None:
    many = [(n, n + 1) for n in range(MOST_POOLED + 10)]
    assert len(draw_pool([*many, ()], 3)) == MOST_POOLED
    assert draw_pool(many, 3) == draw_pool(many, 3) != draw_pool(many, 4)
    assert draw_pool([(1,), (), (2,)], 3) == [(1,), (2,)]
