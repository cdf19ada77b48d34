"""What a backbone learns before behaviour: depth, a teacher, the item texts; on small models."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.encoder import BundleStore
from seealso.errors import ConfigError
from seealso.training import Backbone, export, load_backbone
from seealso.training.backbones.depth import keep_layers
from seealso.training.backbones.methods import layers
from seealso.training.backbones.towers import TextTower, as_model
from seealso.training.learning.context import LearningContext
from seealso.training.learning.pretraining import Lesson, pretrain, simcse, stage, targets
from seealso.types import Vector
from tests.bundles import tiny_source
from tests.training_data import WORDS, Board

TEXTS = [f"{a} {b} {kind}" for a in WORDS[:4] for b in WORDS[4:8] for kind in ("old", "new")]


@pytest.fixture
def study(board: Board) -> Callable[..., LearningContext]:
    """Return a study of the texts under some settings of training."""

    def make(**training: object) -> LearningContext:
        names = tuple(f"i{place:02}" for place in range(len(TEXTS)))
        catalogue = Catalogue(names, tuple(TEXTS), {name: n for n, name in enumerate(names)}, 0)
        asked = [Question(np.array([place]), place + 1, np.array([place])) for place in range(8)]
        settings = board.settings(
            training={"pretrain_batch": 8, "pretrain_learning_rate": 1e-3, **training}
        )
        return LearningContext(
            settings, Dataset(catalogue, [(0, 1), (2, 3)], asked, asked, "texts")
        )

    return make


def opened(source: str) -> Backbone:
    return load_backbone(source, pooling="auto", max_length=16)


def parameters(backbone: Backbone) -> dict[str, torch.Tensor]:
    return {name: values.clone() for name, values in backbone.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(values, other[name]) for name, values in one.items())


def read(backbone: Backbone, texts: list[str] = TEXTS) -> Vector:
    encoded = as_model(TextTower(backbone)).encode(texts, show_progress_bar=False)
    return np.asarray(encoded, dtype=np.float32)


def test_a_shallow_bert_computes_what_its_lowest_layer_does() -> None:
    whole, cut = opened(tiny_source()), opened(tiny_source())
    asked = whole.tokenizer(TEXTS[:3], padding=True, return_tensors="pt")
    assert keep_layers(cut, 1) == (0,)
    with torch.inference_mode():
        lowest = whole.model(**asked, output_hidden_states=True).hidden_states[1]
        assert torch.equal(cut.model(**asked).last_hidden_state, lowest)
    assert cut.model.config.num_hidden_layers == 1


@pytest.mark.parametrize(("count", "kept"), [(2, (0, 5)), (3, (0, 2, 5)), (6, (0, 1, 2, 3, 4, 5))])
def test_layers_are_kept_evenly_from_first_to_last(
    count: int, kept: tuple[int, ...], gpt2_board: str
) -> None:
    deep = opened(gpt2_board)
    config = transformers.GPT2Config(**{**deep.model.config.to_dict(), "n_layer": 6})
    backbone = Backbone(
        "deep", transformers.GPT2Model(config).eval(), deep.tokenizer, deep.pooling, 16
    )
    before = list(layers(backbone))
    assert keep_layers(backbone, count) == kept
    assert list(layers(backbone)) == [before[place] for place in kept]
    assert [layer.attn.layer_idx for layer in layers(backbone)] == list(range(count))


def test_a_shallow_gpt2_becomes_a_bundle_that_computes_the_same(
    gpt2_board: str, tmp_path: Path
) -> None:
    backbone = opened(gpt2_board)
    keep_layers(backbone, 1)
    made = export(backbone, "shallow", BundleStore(tmp_path))
    assert made.origin["parity"]["fp32_least"] >= 0.999


def test_more_layers_than_there_are() -> None:
    complaint = f"training.keep_layers: {Path(tiny_source()).name} has 2 layers, 3 cannot be"
    with pytest.raises(ConfigError, match=complaint):
        keep_layers(opened(tiny_source()), 3)


class Observed:
    """A lesson whose loss is looked at before and after."""

    def __init__(self, lesson: Callable[[Any], Lesson]) -> None:
        self.lesson = lesson
        self.losses: list[float] = []

    def __call__(self, model: Any) -> Lesson:
        self.model, self.taught = model, self.lesson(model)
        self.look()
        return self.taught

    def look(self) -> None:
        features = [self.model.preprocess(column[:8]) for column in self.taught.columns.values()]
        self.model.eval()
        with torch.inference_mode():
            self.losses.append(float(self.taught.loss(features, None)))


@pytest.mark.parametrize("kind", ["simcse-bert", "simcse-gpt2"])
def test_reading_the_items_makes_its_loss_smaller(
    kind: str, study: Callable[..., LearningContext], gpt2_board: str, tmp_path: Path
) -> None:
    backbone = opened(gpt2_board if kind.endswith("gpt2") else tiny_source())
    before = parameters(backbone)
    watched = Observed(partial(simcse, TEXTS))
    stage(study(pretrain_epochs=4), backbone, tmp_path, watched)
    watched.look()
    assert watched.losses[1] < 0.8 * watched.losses[0]
    assert not same(before, parameters(backbone))


def test_what_a_killed_run_has_read_is_not_read_again(
    study: Callable[..., LearningContext], tmp_path: Path
) -> None:
    reading = study(pretrain="simcse")
    first, second = opened(tiny_source()), opened(tiny_source())
    pretrain(reading, first, tmp_path)
    made = sorted((tmp_path / "simcse").rglob("*"))
    times = [file.stat().st_mtime_ns for file in made]
    pretrain(reading, second, tmp_path)
    assert sorted((tmp_path / "simcse").rglob("*")) == made
    assert [file.stat().st_mtime_ns for file in made] == times
    assert same(parameters(first), parameters(second))


def test_targets_turn_a_teacher_to_its_student() -> None:
    rng = np.random.default_rng(1)
    student = rng.normal(size=(50, 8)).astype(np.float32)
    student /= np.linalg.norm(student, axis=1, keepdims=True)
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0].astype(np.float32)
    assert targets(student @ turn, student) == pytest.approx(student, abs=1e-5)


def test_targets_keep_the_cosines_of_a_narrow_teacher() -> None:
    rng = np.random.default_rng(2)
    teacher, student = (rng.normal(size=(50, d)).astype(np.float32) for d in (5, 8))
    found = targets(teacher, student)
    assert found.shape == student.shape
    assert found @ found.T == pytest.approx(teacher @ teacher.T, abs=1e-4)


def test_targets_of_a_wide_teacher_have_unit_length() -> None:
    rng = np.random.default_rng(3)
    teacher, student = (rng.normal(size=(50, d)).astype(np.float32) for d in (16, 8))
    found = targets(teacher, student)
    assert found.shape == student.shape
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_student_comes_closer_to_its_teacher(
    study: Callable[..., LearningContext], gpt2_board: str, tmp_path: Path
) -> None:
    student, teacher = opened(gpt2_board), opened(tiny_source())
    shown = read(teacher) @ read(teacher).T
    before = read(student)
    aim = targets(read(teacher), before)
    pretrain(study(teacher=tiny_source(), pretrain_epochs=10), student, tmp_path)
    after = read(student)
    away_before, away = (1 - (one * aim).sum(axis=1).mean() for one in (before, after))
    assert away < away_before / 5
    others = ~np.eye(len(TEXTS), dtype=bool)

    def alike(vectors: Vector) -> float:
        return float(np.corrcoef((vectors @ vectors.T)[others], shown[others])[0, 1])

    assert alike(after) > max(0.5, alike(before))
