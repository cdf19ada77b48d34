"""Metrics beyond accuracy: coverage, novelty, popularity bias, exposure.

All of it from the first ten items of every list.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Places, Question
from seealso.evaluation.scores import BeyondAccuracy
from seealso.evaluation.segments import thirds
from seealso.evaluation.systems import SHOWN, Lists

MOST_VALUES: Final = 20
"""Most values of an attribute, those with most places; the others are ``other``."""


def beyond_accuracy(
    system: str,
    lists: Lists,
    dataset: Dataset,
    questions: Sequence[Question],
    *,
    rankable: int,
    field: str | None = None,
    values: Sequence[Sequence[str]] = (),
) -> BeyondAccuracy:
    """Measure the lists of one system.

    Parameters
    ----------
    system
        Its name.
    lists, questions
        What it showed, and to whom.
    dataset
        What was known: popularity is counted in its sequences.
    rankable
        Number of items that could be ranked.
    field, values
        An attribute, and the values of it that each item has, shape (n,).
    """
    recommended = lists.places[:, :SHOWN]
    places = recommended[recommended >= 0]
    events = dataset.event_counts()
    # one event is added, so that an item that nobody chose has a finite surprise
    surprise = -np.log2((events + 1) / (len(dataset.sequences) + 1))
    popularity = percentiles(events)
    before = np.concatenate([question.history for question in questions])
    if not len(places):
        return BeyondAccuracy(system, 0.0, 0.0, 0.0, {})
    third = np.bincount(thirds(dataset)[places], minlength=3) / len(places)
    exposure = dict(zip(("head", "middle", "tail"), map(float, third), strict=True))
    if field is not None:
        exposure |= _by_attribute(field, places, values)
    return BeyondAccuracy(
        system=system,
        coverage=len(np.unique(places)) / rankable,
        novelty=float(surprise[places].mean()),
        popularity_bias=float(popularity[places].mean() - popularity[before].mean()),
        exposure=exposure,
    )


def percentiles(events: Places) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return for each item the share of items with fewer events, ties counting half."""
    ordered = np.sort(events)
    below = np.searchsorted(ordered, events, side="left")
    upto = np.searchsorted(ordered, events, side="right")
    return np.asarray((below + upto) / (2 * len(events)), dtype=np.float64)


def _by_attribute(
    field: str, places: Places, values: Sequence[Sequence[str]]
) -> Mapping[str, float]:
    """Return the share of the places by value; an item with several values is cut evenly."""
    counted: Counter[str] = Counter()
    for place, times in zip(*np.unique(places, return_counts=True), strict=True):
        own = values[place] or ("none",)
        for value in own:
            counted[value] += times / len(own)
    kept = counted.most_common(MOST_VALUES)
    shares = {f"{field}: {value}": float(times / len(places)) for value, times in kept}
    other = 1.0 - sum(shares.values())
    return shares | ({f"{field}: other": other} if len(counted) > MOST_VALUES else {})
