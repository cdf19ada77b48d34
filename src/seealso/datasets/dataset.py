"""Catalogue, user sequences and questions, read once and in places of the catalogue."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import polars as pl

from seealso.config import Settings
from seealso.datasets.catalogue import Catalogue, encode_sequences, read_catalogue
from seealso.datasets.questions import Places, Question, questions, sample
from seealso.datasets.splits import Split, learn_everything, split_events
from seealso.encoder import ItemText
from seealso.errors import TooFewEvents
from seealso.log import progress
from seealso.types import Item
from seealso.wording import format_count

Items = Callable[[], Iterator[list[Item]]]


Events = Callable[[], Iterable[pl.DataFrame]]


@dataclass(frozen=True)
class Dataset:
    """The training data and the questions.

    Attributes
    ----------
    catalogue
        Items with a text.
    sequences
        Items of each user that may be learnt, oldest first.
    dev, test
        Questions; dev is a sample of at most ``training.dev_users``.
    signature
        Hash over texts, sequences and questions, to compare the data of two trainings.
    unchosen
        Items that users met, but that none of `sequences` has: nobody liked them, and they are not
        new.
    known
        Number of each event row that may be known before the questions are asked, as
        `Split.known` has it.
    """

    catalogue: Catalogue
    sequences: Sequence[tuple[int, ...]]
    dev: Sequence[Question]
    test: Sequence[Question]
    signature: str
    unchosen: frozenset[int] = frozenset()
    known: Places = field(default_factory=lambda: np.array([], dtype=np.int64), compare=False)

    def event_counts(self) -> Places:
        """Return how many training events each item of the catalogue has, shape (n,)."""
        chosen = np.fromiter(chain.from_iterable(self.sequences), dtype=np.int64)
        return np.bincount(chosen, minlength=len(self.catalogue.ids))


def read_dataset(settings: Settings, items: Items, events: Events) -> Dataset:
    """Read catalogue and events, and cut the events by time.

    Parameters
    ----------
    settings
        ``text``, ``events.positive`` and ``training`` are used.
    items, events
        Give the batches of the catalogue and the event frames.

    Raises
    ------
    TooFewEvents
        There is nothing to learn from, or there are no questions.
    """
    chosen = settings.training
    catalogue = read_catalogue(items(), ItemText(settings.text))
    split = split_events(settings, events())
    sequences = encode_sequences(split.train, catalogue)
    learning = sum(len(one) > 1 for one in sequences)
    if learning < 2:
        raise TooFewEvents(
            f"{learning} of {format_count(len(split.train), 'user')} chose two items with a text: "
            "too little to learn from",
            hint="more behaviour is needed; check events.path, events.positive and catalogue.id",
        )
    dev, test = questions(split.dev, catalogue), questions(split.test, catalogue)
    if not dev or not test:
        raise TooFewEvents(
            f"no {'dev' if not dev else 'test'} user has a history and a target with texts",
            hint="check that catalogue.id and events.item name the same ids",
        )
    return Dataset(
        catalogue,
        sequences,
        sample(dev, chosen.dev_users, chosen.seed),
        test,
        _signature(catalogue, sequences, dev, test),
        _place_unchosen(split, catalogue),
        split.known,
    )


def read_all_choices(settings: Settings, catalogue: Catalogue, events: Events) -> Dataset:
    """Return all that users chose, for what serves: it holds the answers of dev and test.

    It has no questions, and no signature: what is evaluated never comes from it.

    Parameters
    ----------
    settings
        ``events.positive`` is used.
    catalogue
        The items.
    events
        Gives the event frames.
    """
    split = learn_everything(events(), positive=settings.events.positive)
    sequences = encode_sequences(split.train, catalogue)
    return Dataset(catalogue, sequences, (), (), "", _place_unchosen(split, catalogue))


def _place_unchosen(split: Split, catalogue: Catalogue) -> frozenset[int]:
    place = catalogue.place
    return frozenset(place[item] for item in split.unchosen if item in place)


def read_dataset_with_progress(settings: Settings, items: Items, events: Events) -> Dataset:
    """Read as `read_dataset` does, and show how many items are read."""
    with progress("reading") as tick:

        def counted() -> Iterator[list[Item]]:
            for batch in items():
                tick(len(batch))
                yield batch

        return read_dataset(settings, counted, events)


def _signature(
    catalogue: Catalogue,
    sequences: Sequence[tuple[int, ...]],
    dev: Sequence[Question],
    test: Sequence[Question],
) -> str:
    """Return 16 hex digits that do not depend on the order of the catalogue."""
    state, ids = hashlib.sha256(), catalogue.ids
    for name, text in sorted(zip(ids, catalogue.texts, strict=True)):
        state.update(f"{name}\t{text}\n".encode("utf-8", "replace"))
    chosen = [
        *sequences,
        *((*question.history.tolist(), question.target) for question in (*dev, *test)),
    ]
    for places in chosen:
        state.update("\t".join([*(ids[one] for one in places), "\n"]).encode("utf-8", "replace"))
    return state.hexdigest()[:16]
