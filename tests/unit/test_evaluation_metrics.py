"""Metrics of lists against numbers computed by hand, intervals against what is known of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset
from seealso.datasets.intervals import estimate, sign_flip
from seealso.datasets.questions import Question
from seealso.evaluation.beyond_accuracy import beyond_accuracy, percentiles
from seealso.evaluation.metrics import pairings, per_user, ranks_in, scores
from seealso.evaluation.protocols import EvaluationProtocol
from seealso.evaluation.reliability import BINS, calibration_error, reliability
from seealso.evaluation.systems import Lists, Scoring, best

unhurried = settings(deadline=None, max_examples=60)


def question(history, target, seen=None):
    seen = history if seen is None else seen
    return Question(np.array(history, dtype=np.int64), target, np.array(seen, dtype=np.int64), "u")


def lists(*rows, probabilities=None):
    return Lists(
        np.array(rows, dtype=np.int64),
        None if probabilities is None else np.array(probabilities, dtype=np.float64),
    )


def dataset(sequences, items):
    ids = tuple(f"i{n}" for n in range(items))
    catalogue = Catalogue(ids, ids, {name: n for n, name in enumerate(ids)}, 0)
    return Dataset(catalogue, sequences, [], [], "")


def test_a_rank_is_the_place_in_the_list_and_0_where_the_target_is_not_shown():
    asked = [question([0], 5), question([0], 7), question([0], 9)]
    shown = lists([5, 7, 9], [5, 7, 9], [5, 7, -1])
    assert ranks_in(shown, asked).tolist() == [1, 2, 0]


def test_every_metric_of_a_rank_is_what_the_formula_says():
    found = per_user(np.array([0, 1, 3, 10, 11, 20]))
    assert found["hr@10"].tolist() == [0, 1, 1, 1, 0, 0]
    assert found["hr@20"].tolist() == [0, 1, 1, 1, 1, 1]
    assert found["recall@20"].tolist() == [0, 1, 1, 1, 1, 1]
    gains = [0, 1, 1 / 2, 1 / math.log2(11), 1 / math.log2(12), 1 / math.log2(21)]
    assert found["ndcg@20"] == pytest.approx(gains)
    assert found["ndcg@10"] == pytest.approx([*gains[:4], 0, 0])
    assert found["mrr@20"] == pytest.approx([0, 1, 1 / 3, 1 / 10, 1 / 11, 1 / 20])


def test_ir_measures_says_the_same_of_the_lists_themselves():
    import ir_measures

    rng = np.random.default_rng(5)
    asked = [question([], int(rng.integers(40))) for _ in range(30)]
    shown = lists(*(rng.permutation(40)[:20] for _ in asked))
    right = [ir_measures.Qrel(str(q), str(one.target), 1) for q, one in enumerate(asked)]
    run = [
        ir_measures.ScoredDoc(str(q), str(place), -float(age))
        for q, row in enumerate(shown.places)
        for age, place in enumerate(row)
    ]
    theirs = ir_measures.calc_aggregate(
        [ir_measures.nDCG @ 10, ir_measures.Success @ 20, ir_measures.RR @ 20], right, run
    )
    ours = per_user(ranks_in(shown, asked))
    assert theirs[ir_measures.nDCG @ 10] == pytest.approx(ours["ndcg@10"].mean())
    assert theirs[ir_measures.Success @ 20] == pytest.approx(ours["hr@20"].mean())
    assert theirs[ir_measures.RR @ 20] == pytest.approx(ours["mrr@20"].mean())


def test_a_part_is_scored_over_its_own_users():
    asked = [question([0], target) for target in (1, 2, 3, 4)]
    protocol = EvaluationProtocol(
        "e", asked, None, [("all", np.arange(4)), ("late", np.array([2, 3]))]
    )
    values = per_user(np.array([1, 1, 0, 1]))
    whole, late = scores("s", protocol, values, seed=1)
    assert (whole.part, whole.users, whole.metrics["hr@10"].mean) == ("all", 4, 0.75)
    assert (late.part, late.users, late.metrics["hr@10"].mean) == ("late", 2, 0.5)


def test_an_interval_covers_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(11)
    covered = 0
    for seed in range(200):
        found = estimate((rng.random(150) < 0.3).astype(float), seed)
        assert found.low <= found.mean <= found.high
        covered += found.low <= 0.3 <= found.high
    # 95 % of 200 with three standard deviations to either side
    assert 180 <= covered <= 199


def test_p_of_few_users_is_what_counting_every_sign_gives():
    # of the 32 ways to sign five equal differences two are as extreme as all of one sign
    assert sign_flip(np.ones(5), seed=1) == pytest.approx(2 / 32, abs=0.01)
    assert sign_flip(np.array([1.0, -1.0]), seed=1) == 1.0
    assert sign_flip(np.zeros(3), seed=1) == 1.0
    assert sign_flip(np.full(50, 0.5), seed=1) == pytest.approx(1 / 10_001)


def test_every_pair_of_ours_and_another_is_compared_once():
    values = {
        name: per_user(np.array(r)) for name, r in [("a", [1, 0]), ("b", [2, 0]), ("c", [0, 1])]
    }
    found = pairings(["a", "b"], values, seed=1)
    assert {(one.system, one.other) for one in found} == {("a", "b"), ("a", "c"), ("b", "c")}
    first = next(one for one in found if (one.other, one.metric) == ("b", "ndcg@10"))
    assert first.difference.mean == pytest.approx((1 - 1 / math.log2(3)) / 2)


@unhurried
@given(
    st.lists(
        st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]), min_size=7, max_size=7),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 9),
)
def test_the_best_places_are_those_of_a_stable_sort(rows, depth):
    found = best(np.array(rows, dtype=np.float32), depth)
    for row, places in zip(rows, found, strict=True):
        finite = [n for n, value in enumerate(row) if value > -np.inf]
        expected = sorted(finite, key=lambda n: (-row[n], n))[:depth]
        assert places.tolist() == expected + [-1] * (depth - len(expected))


def test_a_system_shows_nothing_seen_and_nothing_beyond_what_may_be_ranked():
    system = Scoring("s", lambda asked: np.tile(np.arange(6, dtype=np.float32), (len(asked), 1)))
    asked = [question([5], 0), question([1, 4], 0)]
    assert system.rank(asked, 3).places.tolist() == [[4, 3, 2], [5, 3, 2]]
    among = np.array([True, True, False, False, True, False])
    assert system.rank(asked, 3, among).places.tolist() == [[4, 1, 0], [0, -1, -1]]


def test_a_score_that_is_no_number_is_shown_to_nobody():
    row = np.array([[np.nan, 1.0, np.nan, 2.0]], dtype=np.float32)
    found = Scoring("s", lambda asked: row.copy()).rank([question([1], 0)], 3).places
    assert found.tolist() == [[3, -1, -1]]


def test_the_order_of_the_catalogue_breaks_no_tie():
    system = Scoring("s", lambda asked: np.zeros((len(asked), 1000), dtype=np.float32))
    asked = [question([5], 0)] * 600
    places = system.rank(asked, 20).places
    assert (places == places[0]).all()
    assert len(set(places[0].tolist())) == 20
    # twenty of the first twenty would be the catalogue's own order
    assert places[0].mean() > 250


def test_ranks_of_targets_agree_with_the_places_of_the_lists():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(700, 12)).astype(np.float32)
    asked = [question([int(rng.integers(6))], 6 + int(rng.integers(6))) for _ in table]
    # more users than are scored at once
    numbers = {id(one): n for n, one in enumerate(asked)}
    system = Scoring("s", lambda some: table[[numbers[id(one)] for one in some]])
    assert (system.target_ranks(asked) == ranks_in(system.rank(asked, 12), asked)).all()


def test_percentiles_count_ties_half():
    assert percentiles(np.array([0, 0, 3, 9])).tolist() == [0.25, 0.25, 0.625, 0.875]


def test_what_lists_tell_beyond_accuracy_by_hand():
    # item 0 was chosen by three of three users, 1 by one, 2 and 3 by nobody
    known = dataset([(0, 1), (0,), (0,)], 4)
    shown = lists([0, 2], [0, -1])
    asked = [question([1], 3), question([1], 3)]
    values = [("red",), ("red", "blue"), (), ("blue",)]
    found = beyond_accuracy("s", shown, known, asked, rankable=4, field="colour", values=values)
    assert found.coverage == 0.5
    assert found.novelty == pytest.approx((0 + 0 + 2) / 3)
    percentile = {0: 0.875, 1: 0.625, 2: 0.25}
    shown_mean = (2 * percentile[0] + percentile[2]) / 3
    assert found.popularity_bias == pytest.approx(shown_mean - percentile[1])
    # the middle one of the three events of item 0 lies in the middle third of all four
    assert found.exposure["middle"] == pytest.approx(2 / 3)
    assert found.exposure["tail"] == pytest.approx(1 / 3)
    assert found.exposure["colour: red"] == pytest.approx(2 / 3)
    assert found.exposure["colour: none"] == pytest.approx(1 / 3)


def test_probabilities_that_come_true_have_no_calibration_error():
    predicted = np.repeat([0.1, 0.9], 150)
    chosen = np.concatenate([np.arange(150) % 10 == 0, np.arange(150) % 10 != 0])
    error, bins = calibration_error(predicted, chosen)
    assert error == pytest.approx(0, abs=1e-12)
    assert len(bins) == BINS
    assert {one.count for one in bins} == {20}


def test_overconfidence_is_measured_by_how_far_it_is_off():
    error, bins = calibration_error(np.full(40, 0.8), np.arange(40) % 2 == 0)
    assert error == pytest.approx(0.3, abs=0.11)
    assert sum(one.count for one in bins) == 40
    assert all(one.predicted == pytest.approx(0.8) for one in bins)


def test_reliability_is_that_of_items_shown_that_have_a_probability():
    asked = [question([0], 1), question([0], 2)]
    shown = lists([1, 3], [3, -1], probabilities=[[0.5, np.nan], [0.5, np.nan]])
    found = reliability("s", shown, asked)
    assert found is not None
    assert sum(one.count for one in found.bins) == 2
    assert found.error == pytest.approx(0.5)
    assert reliability("s", lists([1, 3], [3, -1]), asked) is None
