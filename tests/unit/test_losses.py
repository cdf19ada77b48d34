"""Losses: against sums by hand, repeats left out, and the cached one against the plain one."""

import math

import numpy as np
import pytest
import torch

from seealso.training.learning.losses import (
    BinaryCrossEntropy,
    CachedInBatch,
    CosineRegression,
    InBatch,
    Softmax,
)

COSINES = torch.tensor([[0.9, 0.1, -0.2], [0.3, 0.5, 0.4], [0.0, -0.6, 0.7]], dtype=torch.float64)
ANCHORS = torch.tensor([3, 4, 5])
ITEMS = torch.tensor([0, 1, 2])
POPULARITY = torch.tensor([0.5, 0.3, 0.15, 0.05, 0.0, 0.0], dtype=torch.float64)
IMPORTANCE = torch.tensor([2.0, 1.0, 0.5, 1.0, 1.0, 1.0], dtype=torch.float64)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_softmax_is_the_sum_by_hand():
    found = Softmax(POPULARITY, temperature=0.1, correction=1.0)(COSINES, ANCHORS, ITEMS)
    total = 0.0
    for row in range(3):
        corrected = [
            math.exp(float(COSINES[row, c]) / 0.1) / float(POPULARITY[c]) for c in range(3)
        ]
        total -= math.log(corrected[row] / sum(corrected))
    assert float(found) == pytest.approx(total / 3, rel=1e-12)


def test_without_correction_popularity_says_nothing():
    plain = Softmax(POPULARITY, 0.1, 0.0)(COSINES, ANCHORS, ITEMS)
    flat = Softmax(torch.full((6,), 1 / 6, dtype=torch.float64), 0.1, 1.0)(COSINES, ANCHORS, ITEMS)
    expected = torch.nn.functional.cross_entropy(COSINES / 0.1, torch.arange(3))
    assert float(plain) == pytest.approx(float(expected))
    assert float(flat) == pytest.approx(float(expected))


def test_an_item_without_events_counts_as_the_rarest():
    rare = Softmax(POPULARITY, 0.1, 1.0)(COSINES, ANCHORS - 3, ITEMS + 3)
    same = torch.tensor([0.5, 0.3, 0.15, 0.05, 0.05, 0.05], dtype=torch.float64)
    assert torch.isfinite(rare)
    assert float(rare) == pytest.approx(
        float(Softmax(same, 0.1, 1.0)(COSINES, ANCHORS - 3, ITEMS + 3))
    )


OBJECTIVES = [
    Softmax(POPULARITY, 0.1, 1.0),
    CosineRegression(IMPORTANCE),
    BinaryCrossEntropy(IMPORTANCE, 0.1),
]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
def test_repeats_say_nothing(objective):
    """Columns 1 and 3 are row 0's positive and row 0's anchor again: their cosines do not count."""
    anchors, items = torch.tensor([4, 5, 5, 6]), torch.tensor([1, 1, 2, 4])
    cosines = torch.rand(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    silent = [(0, 1), (0, 3), (1, 0)]
    before = float(objective(cosines, anchors, items))
    for row, column in silent:
        changed = cosines.clone()
        changed[row, column] = -1.0
        assert float(objective(changed, anchors, items)) == before
    for row in range(4):
        for column in range(4):
            if (row, column) not in silent:
                changed = cosines.clone()
                changed[row, column] += 0.1
                assert float(objective(changed, anchors, items)) != before


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
def test_a_batch_of_one_pair_repeated_is_finite(objective):
    cosines, items = torch.ones(2, 2, dtype=torch.float64), torch.zeros(2, dtype=torch.long)
    assert math.isfinite(float(objective(cosines, items + 3, items)))


def test_cosine_regression_is_the_sum_by_hand():
    p = [[sigmoid(float(IMPORTANCE[c] * COSINES[r, c])) for c in range(3)] for r in range(3)]
    pairs = sum((p[n][n] - 1) ** 2 for n in range(3)) / 3
    others = sum(p[r][c] ** 2 for r in range(3) for c in range(3) if r != c) / 6
    found = CosineRegression(IMPORTANCE)(COSINES, ANCHORS, ITEMS)
    assert float(found) == pytest.approx((pairs + others) / 2)


def test_binary_cross_entropy_is_the_sum_by_hand():
    p = [[sigmoid(float(IMPORTANCE[c] * COSINES[r, c]) / 0.5) for c in range(3)] for r in range(3)]
    pairs = -sum(math.log(p[n][n]) for n in range(3)) / 3
    others = -sum(math.log(1 - p[r][c]) for r in range(3) for c in range(3) if r != c) / 6
    found = BinaryCrossEntropy(IMPORTANCE, 0.5)(COSINES, ANCHORS, ITEMS)
    assert float(found) == pytest.approx((pairs + others) / 2)


class Vectors(torch.nn.Module):
    """A model whose vectors are a table under a linear map."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.table = torch.nn.Embedding(12, 6)
        self.linear = torch.nn.Linear(6, 4)
        self.dropout = torch.nn.Dropout(0.3)

    def forward(self, features):
        rows = self.dropout(self.table(features["input_ids"][:, 0]))
        return {**features, "sentence_embedding": self.linear(rows)}


def texts(*rows):
    return {"input_ids": torch.tensor([[row] for row in rows])}


BATCH = [texts(0, 1, 2, 3, 4), texts(5, 6, 7, 8, 1)]
# the item of the last row is the anchor of the second
LABELS = torch.tensor([[-1, 5], [1, 6], [2, 7], [3, 8], [4, 1]])


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("mini_batch", [1, 2, 5])
def test_the_cached_gradient_is_the_plain_one(objective, mini_batch):
    wide = torch.full((12,), 1 / 12)
    objective = type(objective)(wide, *list(vars(objective).values())[1:])
    found = []
    for make in (
        lambda m: InBatch(m, objective),
        lambda m: CachedInBatch(m, objective, mini_batch),
    ):
        model = Vectors().eval()
        loss = make(model)(BATCH, LABELS)
        loss.backward()
        found.append([loss.item(), *(p.grad.numpy() for p in model.parameters())])
    for plain, cached in zip(*found, strict=True):
        np.testing.assert_allclose(cached, plain, rtol=1e-4, atol=1e-6)
    assert any(np.abs(gradient).max() > 1e-3 for gradient in found[0][1:])


def test_the_cached_loss_draws_each_dropout_once():
    """What the second pass learns is what the first one saw, dropout included."""
    model = Vectors()
    torch.manual_seed(3)
    CachedInBatch(model, Softmax(torch.full((12,), 1 / 12), 0.1, 0.0), 5)(BATCH, LABELS).backward()
    cached = model.linear.weight.grad.clone()
    plain = Vectors()
    torch.manual_seed(3)
    InBatch(plain, Softmax(torch.full((12,), 1 / 12), 0.1, 0.0))(BATCH, LABELS).backward()
    np.testing.assert_allclose(cached, plain.linear.weight.grad, rtol=1e-4, atol=1e-6)
