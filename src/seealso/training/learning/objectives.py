"""The objective that the settings name, with what it knows of the items."""

from collections.abc import Sequence
from typing import Any

import torch
from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss

from seealso.errors import ConfigError
from seealso.training.learning.context import LearningContext
from seealso.training.learning.losses import (
    BinaryCrossEntropy,
    CosineRegression,
    Objective,
    Softmax,
)


def objective(context: LearningContext) -> Objective:
    """Return the objective of ``training.loss``."""
    chosen = context.settings.training
    counts = torch.from_numpy(context.dataset.event_counts()).float()
    if chosen.loss == "softmax":
        return Softmax(counts / counts.sum(), chosen.temperature, chosen.popularity)
    weights = importance(counts, context)
    if chosen.loss == "cosine":
        return CosineRegression(weights)
    return BinaryCrossEntropy(weights, chosen.temperature)


def nested(
    model: Any, loss: torch.nn.Module, shorter: Sequence[int], dimension: int
) -> torch.nn.Module:
    """Let the leading parts of the vectors learn along, each as if it were all there is.

    Kusupati et al. 2022, "Matryoshka Representation Learning".

    Parameters
    ----------
    model, loss
        A ``SentenceTransformer`` and a loss of its vectors.
    shorter
        Lengths of the parts; without any, `loss` stays as it is.
    dimension
        Length of the vectors.

    Raises
    ------
    ConfigError
        A part is too short, or not shorter than the vectors.
    """
    if not shorter:
        return loss
    if min(shorter) < 2 or max(shorter) >= dimension:
        raise ConfigError(
            f"training.matryoshka: {', '.join(map(str, shorter))} are not all from 2 to "
            f"{dimension - 1}, shorter than the model's {dimension}",
            hint="list lengths such as 64, 128, 256",
            field="training.matryoshka",
        )
    return MatryoshkaLoss(model, loss, [dimension, *sorted(set(shorter), reverse=True)])


def importance(counts: torch.Tensor, context: LearningContext) -> torch.Tensor:
    """Return the importance of each item from training events alone.

    As `seealso.indexer.importance` makes it of event counts, without weights and decay: counts
    on a log scale, from floor to ceiling.
    """
    bounds = context.settings.importance
    scaled = torch.log1p(counts) / torch.log1p(counts.max())
    return bounds.floor + (bounds.ceiling - bounds.floor) * scaled
