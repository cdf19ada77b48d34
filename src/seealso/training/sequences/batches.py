"""Sequences as batches: pieces of about one length, so that little is filled up."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from seealso.datasets.questions import Places

FILL = -1
"""Stands where a piece has ended."""


def draw_batches(
    sequences: Sequence[Places], length: int, places: int, rng: np.random.Generator
) -> Iterator[Tensor]:
    """Yield one pass over `sequences`: items with the one that follows the last, oldest first.

    A sequence longer than `length` is cut into pieces, elsewhere in each pass; each item but the
    first is asked for once.

    Parameters
    ----------
    sequences
        Numbers of items, of two or more each.
    length
        Most items that are read to foretell the next one.
    places
        Most places of a batch, filled up ones included.
    rng
        Draws where sequences are cut, and the order.

    Yields
    ------
    Tensor
        Shape (b, l + 1), filled up with `FILL`.
    """
    pieces = [piece for one in sequences for piece in _cut(one, length, rng)]
    rng.shuffle(pieces)
    # stable: of equal lengths, the drawn order stays
    pieces.sort(key=len)
    groups: list[list[Places]] = []
    for piece in pieces:
        if not groups or (len(groups[-1]) + 1) * len(piece) > places:
            groups.append([])
        groups[-1].append(piece)
    for number in rng.permutation(len(groups)):
        yield fill_up(groups[number])


def fill_up(sequences: Sequence[Places]) -> Tensor:
    """Return sequences as one tensor, `FILL` behind those that are shorter than the longest."""
    filled = np.full((len(sequences), max(map(len, sequences))), FILL, dtype=np.int64)
    for row, one in zip(filled, sequences, strict=True):
        row[: len(one)] = one
    return torch.from_numpy(filled)


def _cut(sequence: Places, length: int, rng: np.random.Generator) -> Iterator[Places]:
    """Yield pieces of at most length + 1 items; each begins with the last item of the former."""
    if len(sequence) <= length + 1:
        yield sequence
        return
    first = int(rng.integers(1, length + 1))
    for end in range(first, len(sequence) - 1 + length, length):
        yield sequence[max(0, end - length) : end + 1]
