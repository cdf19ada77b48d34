"""Learns a linear map over frozen vectors: minutes on two cores, and often the most per minute.

It learns on whitened vectors, with the very mean that a profile is. On raw ones, crowded in a
narrow cone, the same steps hardly move the directions that tell items apart.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from seealso.encoder import Projection, fit_projection
from seealso.encoder.projection import FULL_WHITENING
from seealso.training.backbones.sources import Backbone, Head
from seealso.training.backbones.towers import HistoryTower, as_model
from seealso.training.data.pairs import columns, history_pairs, sampled
from seealso.training.data.ranking import encode
from seealso.training.learning.losses import InBatch
from seealso.training.learning.objectives import nested, objective
from seealso.training.learning.run import Task, learn, steps_of
from seealso.training.learning.study import Learnt, Study
from seealso.types import Vector


def learn_head(study: Study, backbone: Backbone, frozen: Vector, folder: Path) -> Learnt:
    """Learn a map over the `frozen` vectors of the catalogue, shape (n, d).

    Raises
    ------
    DataError, Interrupted
        As `learn` does.
    """
    settings = study.settings
    chosen = settings.training
    made = history_pairs(study.material.sequences, chosen.history_items)
    pairs = sampled(made, chosen.most_pairs, chosen.seed)
    steps_of(len(pairs), chosen)
    negatives = study.negatives(pairs)
    # fully: what the head learns over is for it to weigh
    whitening = fit_projection(frozen, whiten=True, dimension=None, exponent=FULL_WHITENING)
    tower = HistoryTower(whitening.apply(frozen), settings.profile.recency)
    model = as_model(tower)
    every_item = tuple(str(place) for place in range(len(frozen)))
    # the tower reads positions where others read texts
    positions = replace(study.material.catalogue, texts=every_item)

    def mapped() -> Vector:
        return encode(model, every_item)

    def measure() -> dict[str, float]:
        return study.rank(model, mapped(), study.material.dev).best

    steps = learn(
        Task(
            label=study.watcher.label,
            model=model,
            loss=nested(
                model,
                InBatch(model, objective(study, negatives)),
                chosen.matryoshka,
                frozen.shape[1],
            ),
            columns=columns(pairs, negatives, positions, " ".join, item_prefix=""),
            measure=measure,
            folder=folder,
            watcher=study.watcher,
        ),
        chosen,
    )
    head = behind(whitening, tower.matrix())
    trained = head.weight.size
    total = trained + sum(p.numel() for p in backbone.model.parameters())
    return Learnt(replace(backbone, head=head), mapped(), len(pairs), steps, trained, total)


def behind(whitening: Projection, learnt: Vector) -> Head:
    """Return one map for both: `whitening`, then A = `learnt` of shape (m, d).

    unit(A unit(W (t - mean))) is unit(A W t - A W mean): lengths cancel.
    """
    weight = learnt @ whitening.matrix.T
    return Head(np.ascontiguousarray(weight), -weight @ whitening.mean)
