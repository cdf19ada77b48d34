"""The encoder as sentence-transformers trains it: one tower, shared by items and users.

What is trained is the very graph that is exported; nothing is wired up a second time.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.input_module import InputModule
from torch import Tensor
from torch.nn import functional

from seealso.training.backbones.graph import pooled
from seealso.training.backbones.sources import Backbone, Head
from seealso.types import Vector


class TextTower(InputModule):  # type: ignore[misc]
    """Reads texts with a backbone.

    Parameters
    ----------
    backbone
        The model; it is trained in place.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.tokenizer = backbone.tokenizer
        self.max_seq_length = backbone.max_length
        self.pooled = pooled(backbone)

    def preprocess(
        self, inputs: Sequence[str], prompt: str | None = None, **_kwargs: Any
    ) -> dict[str, Tensor]:
        """Return token ids and mask of `inputs`, both of shape (n, longest)."""
        texts = [f"{prompt}{text}" for text in inputs] if prompt else list(inputs)
        read = self.tokenizer(
            texts,
            truncation=True,
            max_length=self.max_seq_length,
            padding=True,
            return_tensors="pt",
        )
        return {"input_ids": read["input_ids"], "attention_mask": read["attention_mask"]}

    def forward(self, features: dict[str, Tensor], **_kwargs: Any) -> dict[str, Tensor]:
        """Add the unit vectors, shape (n, d)."""
        vectors = self.pooled(features["input_ids"], features["attention_mask"])
        return {**features, "sentence_embedding": vectors}

    def save(self, output_path: str, *_args: Any, **_kwargs: Any) -> None:
        """Refuse: checkpoints hold weights alone, and bundles are made by the export."""
        raise NotImplementedError(f"not saved to {output_path}: export the backbone")


class HistoryTower(InputModule):  # type: ignore[misc]
    """Reads histories over frozen item vectors: the mean that a profile is, under a linear map.

    The vector of a history is unit(sum of recency ** age * unit(A t + b)), as in
    `seealso.plugin.profiles`; that of an item is the same with one item. A starts as identity, b
    as zero: it learns which texts are chosen more often, whoever chooses.

    Parameters
    ----------
    frozen
        Vectors t of the items, shape (n, d).
    recency
        Weight of an item relative to the next newer one.
    """

    def __init__(self, frozen: Vector, recency: float) -> None:
        super().__init__()
        self.register_buffer("frozen", torch.from_numpy(frozen), persistent=False)
        self.recency = recency
        width = frozen.shape[1]
        self.linear = torch.nn.Linear(width, width)
        torch.nn.init.eye_(self.linear.weight)
        torch.nn.init.zeros_(self.linear.bias)

    def preprocess(
        self, inputs: Sequence[str], prompt: str | None = None, **_kwargs: Any
    ) -> dict[str, Tensor]:
        """Return positions of items, shape (n, longest), from texts such as ``"17 4 9"``.

        The newest comes first; -1 fills short histories.
        """
        if prompt:
            raise ValueError("positions take no prompt")
        rows = [torch.tensor([int(place) for place in text.split()]) for text in inputs]
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-1)
        # the trainer knows the columns of a text by this name
        return {"input_ids": padded}

    def forward(self, features: dict[str, Tensor], **_kwargs: Any) -> dict[str, Tensor]:
        """Add the unit vectors, shape (n, d)."""
        rows = features["input_ids"]
        known = rows >= 0
        vectors = functional.normalize(self.linear(self.frozen[rows.clamp(min=0)]), dim=-1)
        ages = torch.arange(rows.shape[1], device=rows.device, dtype=vectors.dtype)
        weights = known * self.recency**ages
        total = (vectors * weights[..., None]).sum(dim=1)
        return {**features, "sentence_embedding": functional.normalize(total, dim=-1)}

    def save(self, output_path: str, *_args: Any, **_kwargs: Any) -> None:
        """Refuse: checkpoints hold weights alone, and bundles are made by the export."""
        raise NotImplementedError(f"not saved to {output_path}: export the backbone")

    def head(self) -> Head:
        """Return A and b as they are now."""
        return Head(_array(self.linear.weight), _array(self.linear.bias))


def as_model(tower: InputModule) -> SentenceTransformer:
    """Return the model that the trainer takes."""
    return SentenceTransformer(modules=[tower])


def _array(parameter: Tensor) -> Vector:
    return np.asarray(parameter.detach().cpu().numpy(), dtype=np.float32).copy()
