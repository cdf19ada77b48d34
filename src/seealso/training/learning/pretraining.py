"""What a backbone learns before it sees behaviour: from a teacher, or from the item texts alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from sentence_transformers.sentence_transformer.losses import (
    MSELoss,
    MultipleNegativesRankingLoss,
)

from seealso.config import TrainingSettings
from seealso.encoder import fit_projection
from seealso.training.backbones.depth import keep_layers
from seealso.training.backbones.sources import Backbone, load_backbone
from seealso.training.backbones.towers import TextTower, as_model
from seealso.training.learning.context import LearningContext
from seealso.training.learning.run import Task, learn
from seealso.training.learning.watching import UNWATCHED
from seealso.types import Vector

_LEARNED: Final = "stage.safetensors"


@dataclass(frozen=True)
class Lesson:
    """A loss with the texts that it learns from.

    Attributes
    ----------
    loss
        The loss, around the model.
    columns
        The training set, by column; the first one is called ``anchor``.
    """

    loss: torch.nn.Module
    columns: Mapping[str, Any]


def changes_backbone(settings: TrainingSettings) -> bool:
    """Whether the settings change the backbone before it learns from behaviour."""
    return bool(settings.keep_layers or settings.teacher or settings.pretrain != "none")


def pretrain(context: LearningContext, backbone: Backbone, folder: Path) -> None:
    """Make `backbone` shallower, distil a teacher into it, let it read the items; in place.

    Each of these only if ``training`` sets it: ``keep_layers``, ``teacher``, ``pretrain``. What a
    killed run has finished is not done again.

    Parameters
    ----------
    context
        Gives the item texts and the measure.
    backbone
        The model.
    folder
        Checkpoints of the whole training.

    Raises
    ------
    ConfigError
        The model has too few layers.
    BundleError
        The teacher cannot be loaded.
    Interrupted
        Ctrl-C was pressed; a checkpoint was saved.
    """
    chosen = context.settings.training
    if chosen.keep_layers is not None:
        keep_layers(backbone, chosen.keep_layers)
    texts = distinct(context.item_texts())
    stages: dict[str, Callable[[Any], Lesson]] = {}
    if chosen.teacher is not None:
        stages["teacher"] = partial(distillation, context, backbone, texts)
    if chosen.pretrain == "simcse":
        stages["simcse"] = partial(simcse, texts)
    for name, lesson in stages.items():
        stage(context, backbone, folder / name, lesson)


def stage(
    context: LearningContext, backbone: Backbone, folder: Path, lesson: Callable[[Any], Lesson]
) -> None:
    """Let `backbone` learn one lesson, in place, unless it did so before.

    Parameters
    ----------
    context
        Gives settings and measure.
    backbone
        The model; all of its parameters learn.
    folder
        Checkpoints of this stage, and in the end what it learnt.
    lesson
        Makes the lesson for a ``SentenceTransformer``.

    Raises
    ------
    Interrupted
        Ctrl-C was pressed; a checkpoint was saved.
    """
    done = folder / _LEARNED
    if done.is_file():
        load_model(backbone.model, done)
        return
    backbone.model.requires_grad_(True)
    model = as_model(TextTower(backbone))
    taught = lesson(model)
    learn(
        Task(
            model=model,
            loss=taught.loss,
            columns=taught.columns,
            measure=context.measure(model),
            folder=folder,
            watcher=replace(UNWATCHED, label=folder.name),
        ),
        _as_stage(context.settings.training, taught, folder.name),
    )
    backbone.model.eval()
    partial_file = done.with_suffix(".partial")
    save_model(backbone.model, str(partial_file))
    partial_file.replace(done)


def _as_stage(settings: TrainingSettings, taught: Lesson, name: str) -> TrainingSettings:
    texts = len(taught.columns["anchor"])
    return settings.model_copy(
        update={
            "name": f"{settings.name}-{name}",
            "epochs": settings.pretrain_epochs,
            "evaluate_every": 1.0,
            "patience": settings.pretrain_epochs,
            "batch": min(settings.pretrain_batch, texts),
            "mini_batch": None,
            "accumulate": 1,
            "learning_rate": settings.pretrain_learning_rate,
        }
    )


def distinct(texts: Sequence[str]) -> list[str]:
    """Return every text once: an equal one would be its own negative."""
    return list(dict.fromkeys(texts))


def simcse(texts: Sequence[str], model: Any) -> Lesson:
    """Teach that two readings of a text, with other dropout, belong together (Gao et al. 2021)."""
    columns = {"anchor": list(texts), "positive": list(texts)}
    return Lesson(MultipleNegativesRankingLoss(model), columns)


def distillation(
    context: LearningContext, backbone: Backbone, texts: Sequence[str], model: Any
) -> Lesson:
    """Teach the student to compute its teacher's vectors (Reimers et al. 2020).

    Raises
    ------
    BundleError
        The teacher cannot be loaded.
    """
    chosen = context.settings.training
    teacher = load_backbone(str(chosen.teacher), pooling="auto", max_length=None)
    taught = context.read(teacher, texts, "encoding, teacher")
    own = context.read(backbone, texts, "encoding, student")
    columns = {"anchor": list(texts), "label": targets(taught, own)}
    return Lesson(MSELoss(model), columns)


def targets(teacher: Vector, student: Vector) -> Vector:
    """Return the teacher's vectors in the student's space: a rotation changes no cosine.

    A wider teacher is cut to its leading directions; what is left is turned by the rotation that
    brings it closest to the student (Schoenemann 1966, "A generalized solution of the orthogonal
    Procrustes problem").

    Parameters
    ----------
    teacher
        Unit vectors of the texts, shape (n, t).
    student
        Unit vectors of the same texts before the student learns, shape (n, s).

    Returns
    -------
    Vector
        Unit vectors, shape (n, s). Their cosines are the teacher's if t <= s.
    """
    width = student.shape[1]
    if teacher.shape[1] > width:
        teacher = fit_projection(teacher, whiten=False, dimension=width).apply(teacher)
    left, _, right = np.linalg.svd(teacher.T @ student, full_matrices=False)
    return np.ascontiguousarray(teacher @ (left @ right), dtype=np.float32)
