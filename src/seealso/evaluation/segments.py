"""Cuts the questions into parts that a model may serve differently: head and tail, old and new."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Places, Question

NEW: Final = 5
"""A user with so many items in the history, or fewer, is new."""
MOST_VALUES: Final = 8
"""Most values of an attribute."""


def segments(dataset: Dataset, questions: Sequence[Question]) -> list[tuple[str, Places]]:
    """Return names of the parts and the positions of their questions.

    All questions first; then by target item: the most chosen items that hold a third of the
    training events together (head), the least chosen ones that hold a third (tail; items that
    nobody chose yet among them), and the others; then by length of the history: up to the
    median, and longer. Parts without a question are left out.
    """
    third = thirds(dataset)
    targets = np.array([third[question.target] for question in questions])
    lengths = np.array([len(question.history) for question in questions])
    median = int(np.median(lengths))
    masks = [
        ("all", np.ones(len(questions), dtype=bool)),
        ("head items", targets == 0),
        ("middle items", targets == 1),
        ("tail items", targets == 2),
        (f"histories of up to {median}", lengths <= median),
        (f"histories of more than {median}", lengths > median),
    ]
    return [(name, np.flatnonzero(mask)) for name, mask in masks if mask.any()]


def attribute_segments(
    field: str, values: Sequence[Sequence[str]], questions: Sequence[Question]
) -> list[tuple[str, Places]]:
    """Return the users by what the item that they chose next has in a field.

    Parameters
    ----------
    field
        Name of the field.
    values
        What each item has there, shape (n,).
    questions
        The questions. A user whose target has several values is in several parts.

    Returns
    -------
    list
        ``FIELD: VALUE`` and the positions of the questions, for the `MOST_VALUES` values with
        most users.
    """
    users: dict[str, list[int]] = {}
    for row, question in enumerate(questions):
        for value in values[question.target]:
            users.setdefault(value, []).append(row)
    largest = sorted(users, key=lambda value: (-len(users[value]), value))[:MOST_VALUES]
    return [(f"{field}: {value}", np.array(users[value], dtype=np.int64)) for value in largest]


def new_users(questions: Sequence[Question]) -> list[tuple[str, Places]]:
    """Return the part of the users with `NEW` items in their history at most, if there are any."""
    found = np.flatnonzero([len(question.history) <= NEW for question in questions])
    return [("new users", found)] if len(found) else []


def thirds(dataset: Dataset) -> Places:
    """Return 0 for items of the head, 1 for the middle, 2 for the tail, shape (items,).

    An item belongs where its middle event lies, when events are ordered by how often their
    item was chosen.
    """
    events = dataset.event_counts()
    order = np.argsort(-events, kind="stable")
    middles = np.cumsum(events[order]) - events[order] / 2
    found = np.empty(len(events), dtype=np.int64)
    found[order] = np.minimum(3 * middles // max(events.sum(), 1), 2)
    return np.where(events == 0, 2, found)
