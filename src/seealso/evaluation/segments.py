"""Cuts the questions into parts that a model may serve differently: head and tail, old and new."""

from collections.abc import Sequence

import numpy as np

from seealso.training.data.material import Material
from seealso.training.data.ranking import Places, Question


def segments(material: Material, questions: Sequence[Question]) -> list[tuple[str, Places]]:
    """Return names of the parts and the positions of their questions.

    All questions first; then by target item: the most chosen items that hold a third of the
    training events together (head), the least chosen ones that hold a third (tail; items that
    nobody chose yet among them), and the others; then by length of the history: up to the
    median, and longer. Parts without a question are left out.
    """
    third = thirds(material)
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


def thirds(material: Material) -> Places:
    """Return 0 for items of the head, 1 for the middle, 2 for the tail, shape (items,).

    An item belongs where its middle event lies, when events are ordered by how often their
    item was chosen.
    """
    events = material.event_counts()
    order = np.argsort(-events, kind="stable")
    middles = np.cumsum(events[order]) - events[order] / 2
    found = np.empty(len(events), dtype=np.int64)
    found[order] = np.minimum(3 * middles // max(events.sum(), 1), 2)
    return np.where(events == 0, 2, found)
