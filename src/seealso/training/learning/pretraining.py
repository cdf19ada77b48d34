"""What a backbone learns before it sees behaviour: from a teacher, or from the item texts alone."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import torch
from safetensors.torch import load_model, save_model
from sentence_transformers.sentence_transformer.losses import (
    DenoisingAutoEncoderLoss,
    MSELoss,
    MultipleNegativesRankingLoss,
)

from seealso.config import TrainingSettings
from seealso.errors import ConfigError
from seealso.training.backbones.depth import keep_layers
from seealso.training.backbones.sources import Backbone, load_backbone
from seealso.training.backbones.towers import TextTower, as_model
from seealso.training.learning.context import LearningContext
from seealso.training.learning.distillation import targets
from seealso.training.learning.run import Task, learn
from seealso.training.quiet import quiet

DELETED: Final = 0.6
"""Share of the words that TSDAE takes away (Wang et al. 2021)."""
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
    epochs
        Passes over it.
    """

    loss: torch.nn.Module
    columns: Mapping[str, Any]
    epochs: int


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
        The model has too few layers, or no decoder for TSDAE.
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
        stages["simcse"] = partial(simcse, texts, chosen.pretrain_epochs)
    if chosen.pretrain == "tsdae":
        stages["tsdae"] = partial(tsdae, texts, chosen.pretrain_epochs, chosen.seed)
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
            label=folder.name,
            model=model,
            loss=taught.loss,
            columns=taught.columns,
            measure=context.measure(model),
            folder=folder,
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
            "epochs": taught.epochs,
            "evaluate_every": 1.0,
            "patience": taught.epochs,
            "batch": min(settings.pretrain_batch, texts),
            "mini_batch": None,
            "accumulate": 1,
            "learning_rate": settings.pretrain_learning_rate,
        }
    )


def distinct(texts: Sequence[str]) -> list[str]:
    """Return every text once: an equal one would be its own negative."""
    return list(dict.fromkeys(texts))


def simcse(texts: Sequence[str], epochs: int, model: Any) -> Lesson:
    """Teach that two readings of a text, with other dropout, belong together (Gao et al. 2021)."""
    columns = {"anchor": list(texts), "positive": list(texts)}
    return Lesson(MultipleNegativesRankingLoss(model), columns, epochs)


def tsdae(texts: Sequence[str], epochs: int, seed: int, model: Any) -> Lesson:
    """Teach vectors from which a decoder writes a damaged text again (Wang et al. 2021).

    Raises
    ------
    ConfigError
        The model has no decoder.
    """
    rng = Random(seed)  # noqa: S311
    # other words are missing in each pass: the passes stand one after the other in the columns
    columns = {
        "anchor": [damaged(text, rng) for _ in range(epochs) for text in texts],
        "positive": [text for _ in range(epochs) for text in texts],
    }
    return Lesson(_denoising(model), columns, 1)


def damaged(text: str, rng: Random) -> str:
    """Return `text` without `DELETED` of its words; one at least stays."""
    words = text.split()
    left = [word for word in words if rng.random() >= DELETED]
    return " ".join(left or [rng.choice(words)])


def _denoising(model: Any) -> torch.nn.Module:
    backbone = model.transformers_model
    before = backbone.config._name_or_path
    with tempfile.TemporaryDirectory() as folder, quiet():
        # the loss reads its decoder from where the model says that it came from
        backbone.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        backbone.config._name_or_path = folder
        try:
            return DenoisingAutoEncoderLoss(model)
        except (ValueError, TypeError) as exc:
            raise ConfigError(
                f"training.pretrain: tsdae needs a decoder, and {backbone.config.model_type} "
                "has none",
                hint="use simcse",
                field="training.pretrain",
            ) from exc
        finally:
            backbone.config._name_or_path = before


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
    return Lesson(MSELoss(model), columns, chosen.pretrain_epochs)
