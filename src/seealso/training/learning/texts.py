"""Learns with the backbone itself: texts of histories and items, all or few parameters."""

from pathlib import Path

import torch
from transformers import set_seed

from seealso.config import TrainingSettings
from seealso.training.backbones.methods import prepare
from seealso.training.backbones.sources import Backbone
from seealso.training.backbones.towers import TextTower, as_model
from seealso.training.learning.context import LearningContext, Learnt
from seealso.training.learning.losses import CachedInBatch, InBatch, Objective
from seealso.training.learning.objectives import nested, objective
from seealso.training.learning.run import Task, learn, steps_of
from seealso.training.pairs import (
    Pair,
    columns,
    history_pairs,
    item_pairs,
    pseudo_pairs,
    sampled,
)
from seealso.training.quiet import quiet


def learn_texts(context: LearningContext, backbone: Backbone, folder: Path) -> Learnt:
    """Train the parameters that ``training.method`` names, in place.

    Raises
    ------
    ConfigError
        The method does not fit the backbone.
    DataError, Interrupted
        As `learn` does.
    """
    chosen = context.settings.training
    pairs = sampled(training_pairs(context), chosen.most_pairs, chosen.seed)
    # what is put beside the model begins at random
    set_seed(chosen.seed)
    prepared = prepare(backbone, chosen, steps_of(len(pairs), chosen))
    if chosen.gradient_checkpointing:
        with quiet():
            # the other way, reentrant, finds no gradient behind frozen token vectors
            prepared.backbone.model.gradient_checkpointing_enable(
                gradient_checkpointing_kwargs={"use_reentrant": False}
            )
    model = as_model(TextTower(prepared.backbone))
    steps = learn(
        Task(
            model=model,
            loss=nested(
                model,
                _loss(model, objective(context), chosen),
                chosen.matryoshka,
                backbone.dimension,
            ),
            columns=columns(
                pairs, context.dataset.catalogue.texts, context.anchor_text, chosen.item_prefix
            ),
            measure=context.measure(model),
            ranks=prepared.ranks,
            folder=folder,
            watcher=context.watcher,
        ),
        chosen,
    )
    finished = prepared.finished()
    finished.model.eval()
    raw = context.encode(finished, "encoding, fine-tuned")
    return Learnt(finished, raw, len(pairs), steps, prepared.trained, prepared.total)


def training_pairs(context: LearningContext) -> list[Pair]:
    """Return the pairs that ``training.pairs`` and ``training.pseudo_pairs`` ask for."""
    chosen, sequences = context.settings.training, context.dataset.sequences
    made: list[Pair] = []
    if chosen.pairs in ("items", "both"):
        made += item_pairs(sequences, chosen.window)
    if chosen.pairs in ("history", "both"):
        made += history_pairs(sequences, chosen.history_items)
    if chosen.pseudo_pairs:
        made += pseudo_pairs(
            sequences,
            fewer_than=chosen.few_events,
            each=chosen.pseudo_pairs,
            window=chosen.window,
        )
    return made


def _loss(model: object, chosen: Objective, settings: TrainingSettings) -> torch.nn.Module:
    if settings.mini_batch is not None and settings.mini_batch < settings.batch:
        return CachedInBatch(model, chosen, settings.mini_batch)
    return InBatch(model, chosen)
