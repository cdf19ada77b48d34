"""Leading parts of the vectors learn along: the loss held against sums over the parts."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from seealso.errors import ConfigError
from seealso.training.backbones.towers import HistoryTower, as_model
from seealso.training.learning.losses import CachedInBatch, InBatch, Softmax
from seealso.training.learning.objectives import nested

FROZEN = np.random.default_rng(7).normal(size=(6, 8)).astype(np.float32)
LABELS = torch.tensor([[-1, 3], [-1, 4], [-1, 5]])
OBJECTIVE = Softmax(torch.ones(6) / 6, temperature=0.2, correction=0.0)


def tower() -> HistoryTower:
    made = HistoryTower(FROZEN, 1.0)
    return made.train()


def features(made: HistoryTower) -> list[dict[str, torch.Tensor]]:
    return [made.preprocess(["0", "1", "2"]), made.preprocess(["3", "4", "5"])]


def test_the_loss_is_the_sum_over_the_parts() -> None:
    made = tower()
    model = as_model(made)
    found = nested(model, InBatch(model, OBJECTIVE), (3, 5), 8)(features(made), LABELS)
    vectors = torch.from_numpy(FROZEN)
    expected = 0.0
    for length in (8, 5, 3):
        part = functional.normalize(vectors[:, :length], dim=-1)
        expected += float(OBJECTIVE(part[:3] @ part[3:].T, LABELS[:, 0], LABELS[:, 1]))
    assert float(found.detach()) == pytest.approx(expected, rel=1e-5)


def test_with_little_memory_the_gradient_is_the_same() -> None:
    gradients = []
    for made in (tower(), tower()):
        model = as_model(made)
        plain = InBatch(model, OBJECTIVE)
        loss = plain if not gradients else CachedInBatch(model, OBJECTIVE, 2)
        nested(model, loss, (3,), 8)(features(made), LABELS).backward()
        gradients.append(made.linear.weight.grad)
    torch.testing.assert_close(gradients[0], gradients[1])
    assert gradients[0].abs().max() > 0


def test_without_parts_the_loss_stays_as_it_is() -> None:
    model = as_model(tower())
    loss = InBatch(model, OBJECTIVE)
    assert nested(model, loss, (), 8) is loss


@pytest.mark.parametrize("shorter", [(8,), (4, 9), (1, 4)])
def test_parts_that_cannot_be(shorter: tuple[int, ...]) -> None:
    model = as_model(tower())
    with pytest.raises(ConfigError, match=r"training.matryoshka: .* are not all from 2 to 7"):
        nested(model, InBatch(model, OBJECTIVE), shorter, 8)
