"""The objective that the settings name, with what it knows of the items."""

import torch

from seealso.training.losses import BinaryCrossEntropy, CosineRegression, Objective, Softmax
from seealso.training.study import Study


def objective(study: Study) -> Objective:
    """Return the objective of ``training.loss``."""
    chosen = study.settings.training
    counts = event_counts(study)
    if chosen.loss == "softmax":
        return Softmax(counts / counts.sum(), chosen.temperature, chosen.popularity)
    weights = importance(counts, study)
    if chosen.loss == "cosine":
        return CosineRegression(weights)
    return BinaryCrossEntropy(weights, chosen.temperature)


def event_counts(study: Study) -> torch.Tensor:
    """Return how many training events each item of the catalogue has, shape (n,)."""
    counts = torch.zeros(len(study.material.catalogue.ids))
    for sequence in study.material.sequences:
        for place in sequence:
            counts[place] += 1
    return counts


def importance(counts: torch.Tensor, study: Study) -> torch.Tensor:
    """Return the importance of each item from training events alone.

    As `seealso.indexer.importance` makes it of event counts, without weights and decay: counts
    on a log scale, from floor to ceiling.
    """
    bounds = study.settings.importance
    scaled = torch.log1p(counts) / torch.log1p(counts.max())
    return bounds.floor + (bounds.ceiling - bounds.floor) * scaled
