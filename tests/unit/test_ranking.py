"""Ranking: ranks against a loop, ties and NaN to the target's disadvantage, metrics by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.datasets.catalogue import Catalogue
from seealso.datasets.questions import Question, questions, sample
from seealso.datasets.ranks import metrics, profile_vectors, target_ranks
from seealso.datasets.splits import Case
from seealso.training.learning.ranking import Ranked, rank

unhurried = settings(deadline=None, max_examples=60)


def question(history, target, seen=None):
    return Question(
        np.array(history, dtype=np.int64),
        target,
        np.array(history if seen is None else seen, dtype=np.int64),
    )


def naive_rank(user, vectors, asked):
    """Sort the items not seen; those that tie with the target go before it."""
    scores = {
        item: sum(float(a) * float(b) for a, b in zip(user, row, strict=True))
        for item, row in enumerate(vectors)
        if item not in asked.seen.tolist()
    }
    order = sorted(scores, key=lambda item: (-scores[item], item == asked.target))
    return order.index(asked.target) + 1


@st.composite
def rankings(draw):
    """Whole numbers, so that sums are exact and ties frequent."""
    n = draw(st.integers(4, 12))
    row = st.lists(st.integers(-2, 2), min_size=3, max_size=3)
    vectors = np.array(draw(st.lists(row, min_size=n, max_size=n)), dtype=np.float32)
    users, asked = [], []
    for _ in range(draw(st.integers(1, 4))):
        order = draw(st.permutations(range(n)))
        cut = draw(st.integers(0, n - 1))
        users.append(draw(row))
        asked.append(question(order[:cut], order[-1]))
    return np.array(users, dtype=np.float32), vectors, asked


@unhurried
@given(rankings())
def test_ranks_are_those_of_a_loop(drawn):
    users, vectors, asked = drawn
    expected = [naive_rank(user, vectors, one) for user, one in zip(users, asked, strict=True)]
    assert target_ranks(users, vectors, asked).tolist() == expected


def test_more_users_than_are_ranked_at_once():
    rng = np.random.default_rng(1)
    vectors = rng.integers(-3, 4, (20, 4)).astype(np.float32)
    users = rng.integers(-3, 4, (1100, 4)).astype(np.float32)
    asked = [question([n % 7, 7 + n % 5], 12 + n % 8) for n in range(1100)]
    expected = [naive_rank(user, vectors, one) for user, one in zip(users, asked, strict=True)]
    assert target_ranks(users, vectors, asked).tolist() == expected


def test_a_model_that_says_the_same_of_all_items_ranks_last():
    vectors = np.ones((5, 2), dtype=np.float32)
    asked = [question([0], 3), question([0, 1], 4)]
    assert target_ranks(np.ones((2, 2), dtype=np.float32), vectors, asked).tolist() == [4, 3]


def test_a_model_of_nan_ranks_last():
    vectors = np.full((5, 2), np.nan, dtype=np.float32)
    asked = [question([0], 3)]
    assert target_ranks(np.ones((1, 2), dtype=np.float32), vectors, asked).tolist() == [4]


def test_metrics_by_hand():
    found = metrics(np.array([1, 2, 10, 11, 20, 21]))
    assert found["hr@1"] == pytest.approx(1 / 6)
    assert found["hr@10"] == pytest.approx(3 / 6)
    assert found["hr@20"] == pytest.approx(5 / 6)
    # the ideal gain is 1: one relevant item, at rank 1
    assert found["ndcg@10"] == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(11)) / 6)


def test_profiles_weigh_newer_items_more_and_stop_at_the_oldest_allowed():
    vectors = np.eye(4, dtype=np.float32)
    (profile,) = profile_vectors(vectors, [question([2, 0, 1], 3)], recency=0.5, most=2)
    assert profile.tolist() == [0.5, 0.0, 1.0, 0.0]


def test_questions_need_a_history_and_a_target_with_texts():
    catalogue = Catalogue(("a", "b", "c"), ("A", "B", "C"), {"a": 0, "b": 1, "c": 2}, 0)
    cases = [
        Case("u", ("b", "mute", "a"), "c", frozenset({"a", "b", "mute"})),
        Case("v", ("mute",), "c", frozenset({"mute"})),
        Case("w", ("a",), "mute", frozenset({"a"})),
    ]
    (asked,) = questions(cases, catalogue)
    assert (asked.history.tolist(), asked.target, asked.seen.tolist()) == ([1, 0], 2, [0, 1])


def test_whitening_is_kept_only_where_it_ranks_better():
    plain, white = np.array([9, 9, 9, 99]), np.array([1, 99, 99, 99])
    assert Ranked(plain, white).whiten
    assert Ranked(plain, white).best == metrics(white)
    assert not Ranked(white, plain).whiten
    assert metrics(Ranked(white, plain).ranks(True)) == metrics(plain)
    assert Ranked(white, plain).ranks(True) is plain


def test_whitening_undoes_a_common_direction():
    """All items share a long direction that says nothing; what tells them apart is short."""
    rng = np.random.default_rng(2)
    told = rng.normal(size=(60, 6))
    raw = np.concatenate([np.full((60, 1), 30.0) + 5 * rng.normal(size=(60, 1)), told], axis=1)
    raw = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
    similar = told / np.linalg.norm(told, axis=1, keepdims=True)
    scores = similar @ similar.T - 2 * np.eye(60)
    asked = [question([item], int(scores[item].argmax())) for item in range(60)]
    found = rank(raw, asked, recency=0.8, most=5)
    assert found.whiten
    assert metrics(found.whitened)["hr@10"] > 0.9 > metrics(found.plain)["hr@1"]


def test_users_may_be_texts():
    raw = np.eye(4, dtype=np.float32)
    asked = [question([0], 2), question([1], 3)]
    found = rank(raw, asked, recency=0.8, most=5, users=raw[[2, 3]])
    assert found.plain.tolist() == [1, 1]


def test_a_sample_keeps_the_order_and_is_the_same_for_a_seed():
    every = [question([0], n) for n in range(50)]
    some = sample(every, 10, seed=4)
    targets = [one.target for one in some]
    assert targets == sorted(targets)
    assert len(set(targets)) == 10
    assert [one.target for one in sample(every, 10, seed=4)] == targets
    assert len(sample(every, 100, seed=4)) == 50
