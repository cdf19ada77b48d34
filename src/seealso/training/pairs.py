"""Behaviour becomes pairs of texts that belong together: what a model is trained on."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

NOBODY = -1
"""Stands in for an item where a text is not that of one item."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that belong together.

    Attributes
    ----------
    anchor
        Positions of the items that the anchor is made of, newest first.
    positive
        Position of the item chosen after them.
    as_history
        The anchor is read as a user's history, not as one item.
    """

    anchor: tuple[int, ...]
    positive: int
    as_history: bool


def item_pairs(sequences: Iterable[Sequence[int]], window: int) -> list[Pair]:
    """Pair each item with up to `window` items that the same user chose before it."""
    return [
        Pair((sequence[earlier],), sequence[later], as_history=False)
        for sequence in sequences
        for later in range(1, len(sequence))
        for earlier in range(max(0, later - window), later)
    ]


def history_pairs(sequences: Iterable[Sequence[int]], most: int) -> list[Pair]:
    """Pair each item with the history before it, the newest `most` items of it."""
    return [
        Pair(tuple(reversed(sequence[max(0, later - most) : later])), sequence[later], True)
        for sequence in sequences
        for later in range(1, len(sequence))
    ]


def pseudo_pairs(
    sequences: Sequence[Sequence[int]], *, fewer_than: int, each: int, window: int
) -> list[Pair]:
    """Pair items with few events with what goes with their companions.

    An item that two people chose says little; what the items beside it are chosen with says
    more. Companions of companions are counted, and the `each` most frequent become pairs.

    Parameters
    ----------
    sequences
        Items of each user, oldest first.
    fewer_than
        Items with fewer events than this get pseudo-pairs.
    each
        Most pseudo-pairs of one item.
    window
        How many places apart two items still belong together.
    """
    beside: dict[int, Counter[int]] = {}
    events: Counter[int] = Counter()
    for sequence in sequences:
        events.update(sequence)
        for place, item in enumerate(sequence):
            near = sequence[max(0, place - window) : place + window + 1]
            beside.setdefault(item, Counter()).update(other for other in near if other != item)
    made = []
    for item in sorted(name for name, count in events.items() if count < fewer_than):
        known, further = beside[item], Counter[int]()
        for companion, weight in known.items():
            for other, count in beside[companion].items():
                further[other] += weight * count
        new = (other for other, _ in further.most_common() if other != item and other not in known)
        made += [Pair((item,), other, as_history=False) for other in islice(new, each)]
    return made


def sampled(pairs: Sequence[Pair], most: int | None, seed: int) -> list[Pair]:
    """Return at most `most` pairs in random order, the same ones for the same seed."""
    rng = Random(seed)  # noqa: S311
    return rng.sample(pairs, len(pairs) if most is None else min(most, len(pairs)))


AnchorText = Callable[[Sequence[str]], str]
"""Renders the texts of history items, newest first, as a user's text."""


def columns(
    pairs: Sequence[Pair], texts: Sequence[str], anchor_text: AnchorText, item_prefix: str
) -> dict[str, list[str] | list[list[int]]]:
    """Return the columns of a training set.

    Parameters
    ----------
    pairs
        What belongs together.
    texts
        Of the items, shape (n,).
    anchor_text
        Makes the text of a history.
    item_prefix
        Put before the text of an item.

    Returns
    -------
    dict
        ``anchor`` and ``positive`` texts, and ``label``: for each pair the positions of both
        items (`NOBODY` for a history), which the loss needs for popularity and for repeats.
    """

    def anchor(pair: Pair) -> str:
        if pair.as_history:
            return anchor_text([texts[item] for item in pair.anchor])
        return item_prefix + texts[pair.anchor[0]]

    return {
        "anchor": [anchor(pair) for pair in pairs],
        "positive": [item_prefix + texts[pair.positive] for pair in pairs],
        "label": [[NOBODY if pair.as_history else pair.anchor[0], pair.positive] for pair in pairs],
    }
