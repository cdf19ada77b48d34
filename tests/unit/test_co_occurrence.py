"""Pairs of items that are chosen around each other: what they weigh, and whether they help."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.datasets.ranks import gains
from seealso.encoder.projection import unit_rows
from seealso.evaluation.choosing import count_attempts
from seealso.fitting.bench import Bench
from seealso.fitting.co_occurrence import CO_OCCURRENCE_GRID, boosts, choose_co_occurrence
from seealso.fitting.recipe import Recipe, learn_pairs
from seealso.fitting.top_scores import TopScores
from seealso.models.co_occurrence import NEAREST, CoOccurrenceConfig, fit_co_occurrence
from seealso.types import Vector

PAIRING = CoOccurrenceConfig(distance=0.5, backward=0.25, shrink=1.0, recency=0.8, share=1.0)


def known(sequences: Sequence[tuple[int, ...]], items: int) -> Dataset:
    """Return what users chose, and nobody who is asked."""
    ids = tuple(str(n) for n in range(items))
    place = {name: number for number, name in enumerate(ids)}
    return Dataset(Catalogue(ids, ids, place, 0), sequences, [], [], "")


def weights(
    sequences: list[tuple[int, ...]], items: int, config: CoOccurrenceConfig = PAIRING
) -> Vector:
    """Return the pairs as a dense matrix."""
    found = fit_co_occurrence(known(sequences, items), config)
    dense = np.zeros((items, items), dtype=np.float32)
    for row in range(items):
        own = slice(found.starts[row], found.starts[row + 1])
        dense[row, found.places[own]] = found.weights[own]
    return dense


def test_a_pair_weighs_less_the_farther_and_what_came_before_less_than_what_came_after() -> None:
    found = weights([(0, 1, 2)], 4)
    # one event each: the root of both is 1, and 1 is added
    assert found[0].tolist() == pytest.approx([0, 1 / 2, 0.5 / 2, 0])
    assert found[2].tolist() == pytest.approx([0.25 * 0.5 / 2, 0.25 / 2, 0, 0])
    assert not found[3].any()


def test_pairs_of_many_users_add_up_and_what_everybody_chooses_weighs_less() -> None:
    found = weights([(0, 1), (0, 1), (2, 1)], 3, replace(PAIRING, shrink=0.0))
    assert found[0, 1] == pytest.approx(2 / np.sqrt(2 * 3))
    assert found[2, 1] == pytest.approx(1 / np.sqrt(1 * 3))


def test_an_item_that_is_chosen_twice_is_no_pair_of_itself() -> None:
    assert not np.diag(weights([(0, 1, 0)], 2)).any()


def test_the_strongest_pairs_of_an_item_are_kept() -> None:
    others = NEAREST + 20
    # item 0 is followed by item k in k sequences
    sequences = [(0, k) for k in range(1, others + 1) for _ in range(k)]
    kept = np.flatnonzero(weights(sequences, others + 1, replace(PAIRING, shrink=30.0))[0])
    np.testing.assert_array_equal(kept, np.arange(others - NEAREST + 1, others + 1))


def test_pairs_that_do_not_help_are_none() -> None:
    recipe = Recipe(4, 40.0, 1.0, 0.8, 1.0, 1.0, 1.0, co_occurrence=None)
    assert learn_pairs(known([(0, 1)], 2), recipe) is None


N = 40
"""Items; one is always followed by the next one."""


def asked(followed: bool) -> tuple[Bench, Dataset, Vector, Vector]:
    """Ask users for what follows their newest item, or for anything."""
    rng = np.random.default_rng(3)
    texts = unit_rows(rng.normal(size=(N, 8)).astype(np.float32))
    starts = rng.integers(0, N, size=200)
    sequences = [
        tuple((start + np.arange(3)) % N if followed else rng.permutation(N)[:3])
        for start in starts.tolist()
    ]
    questions = [
        Question(np.array(one[1::-1]), int(one[2]), np.array(one[:2])) for one in sequences
    ]
    learnt = sequences if followed else [tuple(rng.permutation(N)[:3]) for _ in starts]
    dataset = known(learnt, N)
    users = unit_rows(rng.normal(size=(len(questions), 8)).astype(np.float32))
    return Bench.of(texts, questions, 50), dataset, users, texts


def test_pairs_are_chosen_where_one_item_follows_another() -> None:
    bench, dataset, users, items = asked(followed=True)
    ticks: list[int] = []
    chosen = choose_co_occurrence(bench, users, items, dataset, ticks.append)
    assert len(ticks) == count_attempts(CO_OCCURRENCE_GRID)
    assert chosen.config.share > 0
    assert chosen.ndcg > 0.9
    co_occurrence = fit_co_occurrence(dataset, chosen.config)
    ranks = bench.ranks(users, items, boosts=boosts(bench, co_occurrence))
    assert float((ranks == 1).mean()) > 0.8


def test_what_boosts_change_is_what_ranking_everything_says() -> None:
    rng = np.random.default_rng(6)
    texts = unit_rows(rng.normal(size=(700, 8)).astype(np.float32))
    questions = [
        Question(np.array([a, b]), int(c), np.array([a, b]))
        for a, b, c in (rng.permutation(700)[:3] for _ in range(120))
    ]
    bench = Bench.of(texts, questions, 50)
    users = unit_rows(texts[[one.target for one in questions]] + 0.8 * texts[:120])
    sequences = [tuple(rng.permutation(700)[:40].tolist()) for _ in range(400)]
    added = boosts(bench, fit_co_occurrence(known(sequences, 700), PAIRING))
    shares = (0.0, 0.3, 2.0, 9.0)
    found = TopScores.of(bench, users, texts).gains_by_share(added, shares)
    ranks = bench.ranks_by_share(users, texts, added, shares)
    np.testing.assert_allclose(found, [gains(one) for one in ranks], atol=1e-12)
    assert len({round(float(one.mean()), 6) for one in found}) == len(shares)


def test_pairs_without_a_weight_take_no_place() -> None:
    config = replace(PAIRING, backward=0.0)
    found = fit_co_occurrence(known([(0, 1, 2)], 3), config)
    assert found.places.tolist() == [1, 2, 2]


def test_pairs_are_left_out_where_they_foretell_nothing() -> None:
    bench, dataset, users, items = asked(followed=False)
    # those that are asked rank their targets first already
    users = items[[one.target for one in bench.questions]]
    chosen = choose_co_occurrence(bench, users, items, dataset, lambda _: None)
    assert chosen.config.share == 0
    assert chosen.ndcg == pytest.approx(1.0)
