"""Learns a linear map over frozen vectors: minutes on two cores, and often the most per minute.

It learns on whitened vectors, with the very mean that a profile is. On raw ones, crowded in a
narrow cone, the same steps hardly move the directions that distinguish items.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from seealso.encoder import fit_projection
from seealso.training.backbones.sources import Backbone, Head
from seealso.training.backbones.towers import HistoryTower, as_model
from seealso.training.learning.context import LearningContext, Learnt
from seealso.training.learning.losses import InBatch
from seealso.training.learning.objectives import nested, objective
from seealso.training.learning.ranking import encode
from seealso.training.learning.run import Task, learn, steps_of
from seealso.training.pairs import columns, history_pairs, sampled
from seealso.types import Vector


def learn_head(
    context: LearningContext, backbone: Backbone, frozen: Vector, folder: Path
) -> Learnt:
    """Learn a map over the `frozen` vectors of the catalogue, shape (n, d).

    Raises
    ------
    DataError, Interrupted
        As `learn` does.
    """
    settings = context.settings
    chosen = settings.training
    made = history_pairs(context.dataset.sequences, chosen.history_items)
    pairs = sampled(made, chosen.most_pairs, chosen.seed)
    steps_of(len(pairs), chosen)
    spread = spreading(frozen)
    rows = frozen @ spread.weight.T + spread.bias
    tower = HistoryTower(rows, settings.profile.recency)
    model = as_model(tower)
    # the tower reads positions where others read texts
    positions = tuple(map(str, range(len(frozen))))

    def mapped() -> Vector:
        return encode(model, positions)

    def measure() -> dict[str, float]:
        return context.rank(model, mapped(), context.dataset.dev).best

    steps = learn(
        Task(
            model=model,
            loss=nested(
                model,
                InBatch(model, objective(context)),
                chosen.matryoshka,
                frozen.shape[1],
            ),
            columns=columns(pairs, positions, " ".join, item_prefix=""),
            measure=measure,
            folder=folder,
            watcher=context.watcher,
        ),
        chosen,
    )
    learnt = tower.head()
    trained = learnt.weight.size + learnt.bias.size
    total = trained + sum(p.numel() for p in backbone.model.parameters())
    head = after(spread, learnt)
    return Learnt(replace(backbone, head=head), mapped(), len(pairs), steps, trained, total)


def spreading(frozen: Vector) -> Head:
    """Return the whitening of vectors of shape (n, d) as a map; its results have length 1 or so."""
    projection = fit_projection(frozen, whiten=True, dimension=None)
    rows = (frozen - projection.mean) @ projection.matrix
    weight = projection.matrix.T / np.linalg.norm(rows, axis=1).mean()
    return Head(weight, -weight @ projection.mean)


def after(first: Head, second: Head) -> Head:
    """Return the one map that does what both do, without the unit length between them."""
    return Head(
        np.ascontiguousarray(second.weight @ first.weight),
        second.weight @ first.bias + second.bias,
    )
