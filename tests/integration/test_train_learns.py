"""The checkerboard, whose right answer is known, is learnt by every method, loss and backbone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from seealso.datasets.dataset import read_dataset
from seealso.datasets.ranks import metrics
from seealso.training.backbones.sources import load_backbone
from seealso.training.backbones.towers import TextTower, as_model
from seealso.training.learning.context import LearningContext, Learnt
from seealso.training.learning.head import learn_head
from seealso.training.learning.texts import learn_texts
from seealso.types import Vector
from tests.training_data import Board, board_items, colour, events, items, weights

pytestmark = pytest.mark.usefixtures("one_thread")

METHODS: dict[str, dict[str, Any]] = {
    "full": {},
    "frozen-layers": {"frozen_layers": 1, "learning_rate": 3e-3},
    "lora": {"learning_rate": 5e-3},
    "adalora": {"learning_rate": 1e-2},
    "adapter": {"learning_rate": 5e-3},
    "head": {"learning_rate": 1e-1, "epochs": 7},
}
FROM_SCRATCH = {"learning_rate": 3e-3, "epochs": 8}


@dataclass(frozen=True)
class Lesson:
    """What a training came to: hit rates at 1 on test, and the model."""

    frozen: float
    learnt: float
    result: Learnt
    raw: Vector


def learn(board: Board, *, profile: dict[str, Any] | None = None, **training: Any) -> Lesson:
    """Train as `seealso train` does, but for the export."""
    # half of what other tests of the board take is enough to learn it
    settings = board.settings(training={"epochs": 5, **training}, profile=profile or {})
    chosen = settings.training
    study = LearningContext(settings, read_dataset(settings, items, events))
    backbone = load_backbone(chosen.backbone, pooling=chosen.pooling, max_length=chosen.max_length)
    raw = study.encode(backbone, "frozen")
    frozen_model = as_model(TextTower(backbone))
    before = study.rank(frozen_model, raw, study.dataset.test).best
    folder = board.folder / "run"
    if chosen.method == "head":
        result = learn_head(study, backbone, raw, folder)
    else:
        result = learn_texts(study, backbone, folder)
    model = as_model(TextTower(result.backbone))
    whiten = study.rank(model, result.raw, study.dataset.dev).whiten
    after = metrics(study.rank(model, result.raw, study.dataset.test).ranks(whiten))
    return Lesson(before["hr@1"], after["hr@1"], result, raw)


def check_learnt(lesson: Lesson) -> None:
    assert lesson.frozen < 0.6
    assert lesson.learnt >= 0.95


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns(board: Board, method: str) -> None:
    lesson = learn(board, method=method, **METHODS[method])
    check_learnt(lesson)
    trained, total = lesson.result.trained, lesson.result.total
    assert (trained == total) == (method == "full")
    # 1.6 million parameters; of the head's 128 x 128 + 128 none is the backbone's
    assert trained <= {"full": total, "frozen-layers": 200_000}.get(method, 60_000)


@pytest.mark.parametrize("loss", ["softmax", "cosine", "bce"])
def test_every_loss_learns(board: Board, loss: str) -> None:
    check_learnt(learn(board, loss=loss))


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_decoder_learns(board: Board, gpt2_board: str, pooling: str) -> None:
    check_learnt(learn(board, backbone=gpt2_board, pooling=pooling, **FROM_SCRATCH))


@pytest.mark.parametrize("method", ["frozen-layers", "lora", "adalora", "adapter", "head"])
def test_a_decoder_learns_with_few_parameters(board: Board, gpt2_board: str, method: str) -> None:
    # the layers are random: there is more to change than after a pretraining
    rates = {"head": 1e-1, "adalora": 2e-2}
    chosen = {
        **METHODS[method],
        "learning_rate": rates.get(method, 1e-2),
        "epochs": 30 if method == "head" else 15,
        "patience": 6,
    }
    check_learnt(learn(board, backbone=gpt2_board, method=method, **chosen))


def test_an_xlmr_with_prefixes_learns(board: Board, xlmr_board: str) -> None:
    prefixes = {"item_prefix": "passage: ", "user_prefix": "query: "}
    check_learnt(learn(board, backbone=xlmr_board, **prefixes, **FROM_SCRATCH))


@pytest.mark.parametrize(
    "changes",
    [
        {"mini_batch": 5},
        {"gradient_checkpointing": True},
        {"gradient_checkpointing": True, "method": "lora", "learning_rate": 5e-3},
        {"gradient_checkpointing": True, "method": "adapter", "learning_rate": 5e-3},
        {"accumulate": 3, "epochs": 10},
        {"optimizer": "sgd", "learning_rate": 0.3, "epochs": 10},
        {"optimizer": "adam", "schedule": "constant"},
        {"schedule": "cosine", "split": "temporal"},
        {"pairs": "both"},
        {"pseudo_pairs": 2, "few_events": 100},
    ],
    ids=str,
)
def test_every_way_learns(board: Board, changes: dict[str, Any]) -> None:
    check_learnt(learn(board, **changes))


def test_users_read_as_text_learn(board: Board) -> None:
    changes = {"pairs": "history", "max_length": 32, "epochs": 10}
    check_learnt(learn(board, profile={"history_as": "text"}, **changes))


def test_items_of_a_colour_come_together(board: Board) -> None:
    lesson = learn(board, epochs=10)
    colours = np.array([colour(item["item_id"]) for item in board_items()])
    same = colours[:, None] == colours[None, :]
    np.fill_diagonal(same, False)
    cosines = lesson.result.raw @ lesson.result.raw.T
    assert cosines[same].mean() > cosines[colours[:, None] != colours[None, :]].mean() + 0.5


def test_layers_that_are_frozen_stay_as_they_are(board: Board) -> None:
    before = weights(load_backbone(board.backbone, pooling="auto", max_length=None))
    lesson = learn(board, method="frozen-layers", **METHODS["frozen-layers"])
    after = weights(lesson.result.backbone)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("encoder.layer.1.") for name in changed)


@pytest.mark.parametrize("method", ["lora", "adalora"])
def test_what_was_put_beside_is_merged(board: Board, method: str) -> None:
    before = weights(load_backbone(board.backbone, pooling="auto", max_length=None))
    lesson = learn(board, method=method, **METHODS[method])
    after = weights(lesson.result.backbone)
    assert after.keys() == before.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("encoder.layer.") for name in changed)


def test_adalora_ends_with_the_ranks_it_may_have(board: Board) -> None:
    """Of 1.5 times the ranks that it begins with, a third is zero in the end."""
    from seealso.training.backbones.methods import prepare

    backbone = load_backbone(board.backbone, pooling="auto", max_length=None)
    chosen = board.settings(training={"method": "adalora", "rank": 4}).training
    prepared = prepare(backbone, chosen, steps=30)
    model = prepared.backbone.model
    diagonals = [p for name, p in model.named_parameters() if "lora_E" in name]
    with torch.no_grad():
        for one in diagonals:
            one.fill_(1.0)
    for step in range(1, 31):
        for parameter in model.parameters():
            parameter.grad = torch.rand_like(parameter) if parameter.requires_grad else None
        prepared.ranks.after_step(step)
    left = sum(int((one != 0).sum()) for one in diagonals)
    assert sum(len(one) for one in diagonals) == 6 * len(diagonals)
    assert left == pytest.approx(4 * len(diagonals), abs=1)
