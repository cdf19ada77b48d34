"""Learns SASRec: sampled softmax, a warm start, and an end where dev no longer gains."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seealso.datasets.questions import Places
from seealso.training.sequences.batches import FILL, draw_batches, fill_up
from seealso.training.sequences.network import SasRec
from seealso.types import Vector

NEGATIVES: Final = 512
"""Items that a batch is scored against; of a smaller catalogue all of them."""
STEPS: Final = 50
"""Of an epoch, about: little behaviour is learnt in smaller batches."""
FEWEST_PLACES: Final = 256
MOST_PLACES: Final = 4096
"""Places of a batch, those that fill it up included."""
WARM_UP: Final = 50
"""Steps until the learning rate is reached."""
LEARNING_RATE: Final = 3e-3
LONGEST: Final = 100
"""Most epochs."""
PATIENCE: Final = 5
"""Epochs without a gain on dev after which learning ends."""
LONGEST_STEP: Final = 5.0
"""Longest gradient: a longer one is cut to it."""


@dataclass(frozen=True, slots=True)
class SequenceConfig:
    """What is chosen on dev.

    Attributes
    ----------
    dimension
        Length of the embeddings.
    length
        Newest items of a history that are read.
    dropout
        Share of the values that are dropped while it learns.
    """

    dimension: int
    length: int
    dropout: float


@dataclass(frozen=True, eq=False)
class SequenceModel:
    """A network that is ready to rank.

    Attributes
    ----------
    network
        It knows the items that anybody chose.
    known
        Their positions in the catalogue, shape (m,).
    items
        Items of the catalogue, n.
    length
        Newest items of a history that are read.
    """

    network: SasRec
    known: Places
    items: int
    length: int

    def scores(self, histories: Sequence[Places]) -> Vector:
        """Return scores of the catalogue, shape (users, n); -inf of items that nobody chose.

        Parameters
        ----------
        histories
            Positions in the catalogue, the newest first. Who chose no known item gets -inf alone.
        """
        number = number_items(self.known, self.items)
        found = np.full((len(histories), self.items), -np.inf, dtype=np.float32)
        sequences = [_numbered(number, one[::-1])[-self.length :] for one in histories]
        rows = np.flatnonzero([len(one) > 0 for one in sequences])
        if not len(rows):
            return found
        filled = fill_up([sequences[row] for row in rows])
        lengths = (filled != FILL).sum(dim=1)
        self.network.eval()
        with torch.inference_mode():
            places = self.network(filled.clamp(min=0), lengths)
            read = places[torch.arange(len(rows)), lengths - 1]
            scored = self.network.score(read, torch.arange(len(self.known))).numpy()
        found[np.ix_(rows, self.known)] = scored
        return found


Measure = Callable[[SequenceModel], float]


@dataclass(frozen=True, eq=False)
class LearntSequences:
    """The best network of a run.

    Attributes
    ----------
    model
        It.
    epochs
        After how many passes over the sequences it was the best on dev.
    ndcg
        What it reached there.
    """

    model: SequenceModel
    epochs: int
    ndcg: float


def learn_sequences(
    sequences: Sequence[Sequence[int]],
    items: int,
    config: SequenceConfig,
    *,
    seed: int,
    measure: Measure,
    after_epoch: Callable[[int, float], None],
) -> LearntSequences:
    """Train a network, and return it as it was when dev was at its best.

    The same input gives the same network on the same machine, whatever its cores do meanwhile;
    nothing is written.

    Parameters
    ----------
    sequences
        Positions in the catalogue, oldest first, of each user; at least one has two items.
    items
        Items of the catalogue, n.
    config
        Size and dropout.
    seed
        Draws the first weights, batches, negatives and what is dropped.
    measure
        Returns NDCG on dev of the network as it is.
    after_epoch
        Called with the epochs done and the NDCG on dev; what it raises ends the run.
    """
    known = np.unique(np.fromiter(chain.from_iterable(sequences), dtype=np.int64))
    number = number_items(known, items)
    histories = [_numbered(number, np.asarray(one)) for one in sequences if len(one) > 1]
    with _repeatable(seed):
        network = SasRec(len(known), config.dimension, config.length, config.dropout)
        model = SequenceModel(network, known, items, config.length)
        run = _Run(network, histories, config.length, np.random.default_rng(seed))
        best, weights = LearntSequences(model, 0, -1.0), deepcopy(network.state_dict())
        for epoch in range(1, LONGEST + 1):
            run.learn_epoch()
            reached = measure(model)
            after_epoch(epoch, reached)
            if reached > best.ndcg:
                best = LearntSequences(model, epoch, reached)
                weights = deepcopy(network.state_dict())
            if epoch - best.epochs >= PATIENCE:
                break
    network.load_state_dict(weights)
    return best


def number_items(known: Places, items: int) -> Places:
    """Return the number of each item of the catalogue among the known ones, `FILL` of the others.

    Shape (items,).
    """
    number = np.full(items, FILL, dtype=np.int64)
    number[known] = np.arange(len(known))
    return number


def _numbered(number: Places, sequence: Places) -> Places:
    found = number[sequence]
    left: Places = found[found != FILL]
    return left


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Draw from `seed`, on one thread; torch's generator and threads are as before at the end."""
    threads = torch.get_num_threads()
    # sums of several threads depend on their number, and steps this small wait for each other
    # longer than they work
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


class _Run:
    """One network as it learns.

    Parameters
    ----------
    network
        The network.
    sequences
        Numbers of items, oldest first, of two or more each.
    length
        Most items of a sequence that are read.
    rng
        Draws the batches.
    """

    def __init__(
        self, network: SasRec, sequences: Sequence[Places], length: int, rng: np.random.Generator
    ) -> None:
        self._network = network
        self._sequences = sequences
        self._length = length
        self._rng = rng
        targets = sum(len(one) - 1 for one in sequences)
        self._places = min(MOST_PLACES, max(FEWEST_PLACES, targets // STEPS))
        self._optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
        self._rate = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda step: min(1.0, (step + 1) / WARM_UP)
        )

    def learn_epoch(self) -> None:
        """Learn from every sequence once."""
        self._network.train()
        for batch in draw_batches(self._sequences, self._length, self._places, self._rng):
            self._optimiser.zero_grad()
            sampled_softmax(self._network, batch).backward()
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), LONGEST_STEP)
            self._optimiser.step()
            self._rate.step()


def sampled_softmax(network: SasRec, batch: Tensor) -> Tensor:
    """Return the mean cross-entropy of each next item against a drawn part of the catalogue.

    The drawn items are the same for the whole batch; an item that is drawn with the chance k / m
    stands for m / k of its like, so log(m / k) is added to its score (Yi et al. 2019, as in
    `seealso.training.learning.losses.Softmax`). Where all are drawn it is the plain softmax.

    Parameters
    ----------
    network
        Its generator of chance is that of torch.
    batch
        Shape (b, l + 1): what `draw_batches` yields.
    """
    inputs, targets = batch[:, :-1], batch[:, 1:]
    real = targets != FILL
    # what is filled up is read as any item: nothing that counts sees it
    read = network(inputs.clamp(min=0), real.sum(dim=1))[real]
    own = targets[real]
    items = network.items.num_embeddings
    drawn = torch.randperm(items)[:NEGATIVES]
    right = (read * functional.embedding(own, network.items.weight)).sum(dim=1, keepdim=True)
    others = network.score(read, drawn) + math.log(items / len(drawn))
    others = others.masked_fill(drawn == own[:, None], -math.inf)
    return (torch.cat([right, others], dim=1).logsumexp(dim=1) - right[:, 0]).mean()
