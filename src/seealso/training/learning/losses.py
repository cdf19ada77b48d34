"""The training losses: how far the chosen items are from their users.

All losses see a batch as a matrix of cosines, anchors by items; the pairs are on its diagonal.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from sentence_transformers.base.losses.gradcache import CachedLossMixin
from torch import Tensor
from torch.nn import functional

Objective = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(cosines (n, n), anchor items (n,), items (n,)) -> loss; the pairs stand on the diagonal."""


@dataclass(frozen=True)
class Softmax:
    """In-batch softmax with a correction for popularity.

    Popular items come up as others' negatives in proportion to their popularity; subtracting
    the log of that probability undoes it (Yi et al. 2019, "Sampling-Bias-Corrected Neural
    Modeling for Large Corpus Item Recommendations").

    Attributes
    ----------
    popularity
        Share of the positives that each item makes up, shape (items,); zero counts as rarest.
    temperature
        Divides the cosines.
    correction
        0 for no correction, 1 for all of it.
    """

    popularity: Tensor
    temperature: float
    correction: float

    def __call__(self, cosines: Tensor, anchors: Tensor, items: Tensor) -> Tensor:
        """Return the mean cross-entropy of the pairs."""
        logits = cosines / self.temperature - self.correction * self._log(items)
        own = torch.arange(len(cosines), device=cosines.device)
        return functional.cross_entropy(
            logits.masked_fill(_repeats(anchors, items), -math.inf), own
        )

    def _log(self, items: Tensor) -> Tensor:
        least = self.popularity[self.popularity > 0].min()
        return self.popularity.to(items.device)[items].clamp(min=float(least)).log()


@dataclass(frozen=True)
class CosineRegression:
    """Mean square error of p = sigmoid(w * cos) against 1 for pairs and 0 for the others.

    Attributes
    ----------
    importance
        w of each item, shape (items,).
    """

    importance: Tensor

    def __call__(self, cosines: Tensor, anchors: Tensor, items: Tensor) -> Tensor:
        """Return the mean error, pairs and others weighing the same."""
        p = torch.sigmoid(cosines * self.importance.to(items.device)[items])
        return _balanced((p - torch.eye(*p.shape, device=p.device)) ** 2, anchors, items)


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """Binary cross-entropy of p = sigmoid(w * cos / temperature).

    Attributes
    ----------
    importance
        w of each item, shape (items,).
    temperature
        Divides w * cos: cosines alone never leave the flat middle of the sigmoid.
    """

    importance: Tensor
    temperature: float

    def __call__(self, cosines: Tensor, anchors: Tensor, items: Tensor) -> Tensor:
        """Return the mean cross-entropy, pairs and others weighing the same."""
        logits = cosines * self.importance.to(items.device)[items] / self.temperature
        target = torch.eye(*logits.shape, device=logits.device)
        each = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return _balanced(each, anchors, items)


class InBatch(torch.nn.Module):  # type: ignore[misc]
    """Encodes a batch and hands its cosines to an objective.

    Parameters
    ----------
    model
        A ``SentenceTransformer``; its vectors need not have unit length.
    objective
        The objective.
    """

    def __init__(self, model: Any, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, features: Iterable[dict[str, Tensor]], labels: Tensor) -> Tensor:
        """Return the loss; `labels` as `seealso.training.pairs.columns` makes them."""
        return _loss(self.objective, [self.model(one)["sentence_embedding"] for one in features],
                     labels)  # fmt: skip

    def get_config_dict(self) -> dict[str, Any]:
        """Return nothing: the settings are kept with the bundle."""
        return {}


class CachedInBatch(CachedLossMixin, torch.nn.Module):  # type: ignore[misc]
    """The same with the memory of a small batch (Gao et al. 2021, GradCache).

    Parameters
    ----------
    model, objective
        As for `InBatch`.
    mini_batch
        Texts encoded at a time.
    """

    def __init__(self, model: Any, objective: Objective, mini_batch: int) -> None:
        super().__init__()
        self.model = model
        self.objective = objective
        self.mini_batch_size = mini_batch

    def calculate_loss(
        self, reps: list[list[Tensor]], labels: Tensor, *, with_backward: bool = False
    ) -> Tensor:
        """Return the loss of the whole batch, back-propagated to its vectors if asked."""
        loss = _loss(self.objective, [torch.cat(parts) for parts in reps], labels)
        if with_backward:
            loss.backward()
            return loss.detach()
        return loss

    def forward(self, features: Iterable[dict[str, Tensor]], labels: Tensor) -> Tensor:
        """Return the loss; `labels` as `seealso.training.pairs.columns` makes them."""
        return self.forward_cached(features, labels)

    def get_config_dict(self) -> dict[str, Any]:
        """Return nothing: the settings are kept with the bundle."""
        return {}


def _loss(objective: Objective, vectors: Sequence[Tensor], labels: Tensor) -> Tensor:
    anchors, positives = (functional.normalize(one, dim=-1) for one in vectors)
    return objective(anchors @ positives.T, labels[:, 0], labels[:, 1])


def _repeats(anchors: Tensor, items: Tensor) -> Tensor:
    """Return where a column says nothing: it is the row's own item, or its anchor, again."""
    again = (items[None, :] == items[:, None]) | (items[None, :] == anchors[:, None])
    return again.fill_diagonal_(False)


def _balanced(errors: Tensor, anchors: Tensor, items: Tensor) -> Tensor:
    pairs = errors.diagonal().mean()
    others = ~_repeats(anchors, items)
    others.fill_diagonal_(False)
    return (pairs + errors[others].mean()) / 2 if bool(others.any()) else pairs
