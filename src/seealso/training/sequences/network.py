"""The network of SASRec: items attend to those chosen before them, never to later ones."""

import torch
from torch import Tensor, nn
from torch.nn import functional

LAYERS = 2
HEADS = 2
_SPREAD = 0.02
"""Standard deviation of fresh embeddings, as in other transformers: scores begin near zero."""


class SasRec(nn.Module):  # type: ignore[misc]
    """Self-attentive sequential recommendation: Kang and McAuley 2018, arXiv 1808.09781.

    Layers are normalised before attention and not after it, and a score is the inner product of
    what a place has read with the very embedding that the item is read by.

    Parameters
    ----------
    items
        How many items there are, m.
    dimension
        Length d of their embeddings.
    length
        Most places of a sequence that are read.
    dropout
        Share of the values that are dropped while it learns.
    """

    def __init__(self, items: int, dimension: int, length: int, dropout: float) -> None:
        super().__init__()
        self.items = nn.Embedding(items, dimension)
        self.places = nn.Embedding(length, dimension)
        self.dropout = nn.Dropout(dropout)
        block = nn.TransformerEncoderLayer(
            dimension,
            HEADS,
            dim_feedforward=dimension,
            dropout=dropout,
            batch_first=True,
            norm_first=True,
        )
        self.blocks = nn.TransformerEncoder(
            block, LAYERS, norm=nn.LayerNorm(dimension), enable_nested_tensor=False
        )
        for table in (self.items, self.places):
            nn.init.normal_(table.weight, std=_SPREAD)

    def forward(self, sequences: Tensor, lengths: Tensor) -> Tensor:
        """Return what each place has read, itself included, shape (b, l, d).

        Parameters
        ----------
        sequences
            Numbers of items, oldest first, shape (b, l). What fills up shorter ones stands behind
            their end, where no place of theirs reads it.
        lengths
            Items of each, shape (b,). Places are counted from the newest one, which is asked most.
        """
        length = sequences.shape[1]
        last = self.places.num_embeddings - 1
        ages = lengths[:, None] - 1 - torch.arange(length, device=sequences.device)
        # behind the end there is no age; nothing that counts sees what stands there
        read = self.dropout(self.items(sequences) + self.places(ages.clamp(0, last)))
        later = nn.Transformer.generate_square_subsequent_mask(length, device=sequences.device)
        found: Tensor = self.blocks(read, mask=later, is_causal=True)
        return found

    def score(self, read: Tensor, items: Tensor) -> Tensor:
        """Return the scores of `items`, shape (k,), for what was read, shape (p, d): (p, k)."""
        return read @ functional.embedding(items, self.items.weight).T
