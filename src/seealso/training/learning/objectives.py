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


def objective(context: LearningContext, negatives: Sequence[Sequence[int]] = ()) -> Objective:
    """Return the objective of ``training.loss`` for pairs with these hard negatives."""
    chosen = context.settings.training
    counts = torch.from_numpy(context.dataset.event_counts()).float()
    if chosen.loss == "softmax":
        return Softmax(columns_share(counts, negatives), chosen.temperature, chosen.popularity)
    weights = importance(counts, context)
    if chosen.loss == "cosine":
        return CosineRegression(weights)
    return BinaryCrossEntropy(weights, chosen.temperature)


def columns_share(counts: torch.Tensor, negatives: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return how often each item is a column of a batch, as a share, shape (n,).

    Every pair brings its positive item, as popular as it is, and its hard negatives (Yang et al.
    2020, "Mixed Negative Sampling for Learning Two-tower Neural Networks in Recommendations").
    """
    share = counts / counts.sum()
    each = len(negatives[0]) if negatives else 0
    if not each:
        return share
    drawn = torch.bincount(torch.tensor(negatives).reshape(-1), minlength=len(counts))
    return (share + each * drawn / drawn.sum()) / (1 + each)


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
