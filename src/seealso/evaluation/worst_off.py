"""Whom a list for a group serves worst: the lowest metric among the members of each group."""

from collections.abc import Mapping, Sequence

import numpy as np

from seealso.datasets.group_questions import GroupQuestion
from seealso.datasets.intervals import Values, estimate
from seealso.datasets.questions import Question
from seealso.evaluation.scores import WorstOff


def worst_off(
    values: Mapping[str, Values], questions: Sequence[Question], reference: str, seed: int
) -> tuple[WorstOff, ...]:
    """Return how each system serves the worst-off members of groups.

    A group counts if two members at least are asked about. None, where no group has them.

    Parameters
    ----------
    values
        A metric of each question, shape (questions,), by system.
    questions
        The questions; those about members name their group.
    reference
        The system that the others are compared with.
    seed
        Of what is drawn.
    """
    rows = _rows_by_group(questions)
    if not rows:
        return ()
    lowest = {
        name: np.array([own[places].min() for places in rows]) for name, own in values.items()
    }
    return tuple(
        WorstOff(
            name,
            len(rows),
            estimate(own, seed),
            None if name == reference else estimate(lowest[reference] - own, seed),
        )
        for name, own in lowest.items()
    )


def _rows_by_group(questions: Sequence[Question]) -> list[list[int]]:
    rows: dict[str, list[int]] = {}
    for row, question in enumerate(questions):
        if isinstance(question, GroupQuestion):
            rows.setdefault(question.group_id, []).append(row)
    return [own for own in rows.values() if len(own) > 1]
