"""Learns with the backbone itself: texts of histories and items, all or few parameters."""

from pathlib import Path

import torch
from transformers import set_seed

from seealso.config import TrainingSettings
from seealso.training.backbones.methods import prepare
from seealso.training.backbones.sources import Backbone
from seealso.training.backbones.towers import TextTower, as_model
from seealso.training.examples.pairs import (
    Pair,
    columns,
    history_pairs,
    item_pairs,
    pseudo_pairs,
    sampled,
)
from seealso.training.learning.losses import CachedInBatch, InBatch, Objective
from seealso.training.learning.objectives import nested, objective
from seealso.training.learning.run import Task, learn, steps_of
from seealso.training.learning.study import Learnt, Study
from seealso.training.quiet import quiet


def learn_texts(study: Study, backbone: Backbone, folder: Path) -> Learnt:
    """Train the parameters that ``training.method`` names, in place.

    Raises
    ------
    ConfigError
        The method does not fit the backbone.
    DataError, Interrupted
        As `learn` does.
    """
    chosen = study.settings.training
    pairs = sampled(training_pairs(study), chosen.most_pairs, chosen.seed)
    negatives = study.negatives(pairs)
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
            label=study.watcher.label,
            model=model,
            loss=nested(
                model,
                _loss(model, objective(study, negatives), chosen),
                chosen.matryoshka,
                backbone.dimension,
            ),
            columns=columns(
                pairs,
                negatives,
                study.dataset.catalogue,
                study.anchor_text,
                chosen.item_prefix,
            ),
            measure=study.measure(model),
            memory=prepared.memory,
            folder=folder,
            watcher=study.watcher,
        ),
        chosen,
    )
    finished = prepared.finished()
    finished.model.eval()
    raw = study.encode(finished, "encoding, fine-tuned")
    return Learnt(finished, raw, len(pairs), steps, prepared.trained, prepared.total)


def training_pairs(study: Study) -> list[Pair]:
    """Return the pairs that ``training.pairs`` and ``training.pseudo_pairs`` ask for."""
    chosen, sequences = study.settings.training, study.dataset.sequences
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
