"""Whether groups of users are served alike: by an attribute of theirs, with intervals.

Groups that are too small to compare, or that would reveal single persons, are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seealso.datasets.dataset import Dataset
from seealso.datasets.intervals import Estimate, Values, estimate
from seealso.datasets.questions import Places, Question
from seealso.errors import ConfigError
from seealso.evaluation.scores import Treatment
from seealso.evaluation.segments import thirds
from seealso.evaluation.systems import SHOWN, Lists

FEWEST: Final = 20
"""A group of fewer users is not shown."""
DRAWS: Final = 200
"""So many times `FEWEST` users of a group are drawn, to see how much their lists cover."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Who belongs together.

    Attributes
    ----------
    attribute
        The attribute that splits them.
    of_user
        Value of each user's attribute, as text.
    """

    attribute: str
    of_user: Mapping[str, str]

    @classmethod
    def of(cls, attribute: str, users: Mapping[str, Mapping[str, Any]]) -> "Groups":
        """Return the groups of `users`, whose attributes are given.

        Raises
        ------
        ConfigError
            No user has the attribute.
        """
        found = {one: str(own[attribute]) for one, own in users.items() if attribute in own}
        if not found:
            names = sorted({name for own in users.values() for name in own})
            raise ConfigError(
                f"--by-user {attribute}: no user has this attribute",
                hint=f"attributes of [users]: {', '.join(names) or 'none'}",
            )
        return cls(attribute, found)

    def places(self, questions: Sequence[Question]) -> dict[str, Places]:
        """Return the positions of the questions of each group that is large enough."""
        rows: dict[str, list[int]] = {}
        for row, question in enumerate(questions):
            if question.user_id in self.of_user:
                rows.setdefault(self.of_user[question.user_id], []).append(row)
        kept = {value: own for value, own in sorted(rows.items()) if len(own) >= FEWEST}
        return {f"{self.attribute}: {value}": np.array(own) for value, own in kept.items()}


def treatments(
    system: str,
    lists: Lists,
    values: Values,
    groups: Groups,
    dataset: Dataset,
    questions: Sequence[Question],
    seed: int,
) -> list[Treatment]:
    """Return how a system serves each group.

    Parameters
    ----------
    system, lists
        Its name, and what it showed.
    values
        The headline metric of each question, shape (questions,).
    groups
        Who belongs together.
    dataset, questions
        What was known, and who was asked.
    seed
        Of what is drawn.
    """
    places = lists.places[:, :SHOWN]
    tail = _tail_shares(places, thirds(dataset) == 2)
    found = []
    for group, rows in groups.places(questions).items():
        others = np.setdiff1d(np.arange(len(questions)), rows)
        found.append(
            Treatment(
                system,
                group,
                len(rows),
                estimate(values[rows], seed),
                _gap(values[rows], values[others], seed),
                _coverage(places[rows], len(dataset.catalogue.ids), seed),
                estimate(tail[rows], seed),
            )
        )
    return found


def _tail_shares(places: Places, tail: np.ndarray[Any, np.dtype[np.bool_]]) -> Values:
    there = places >= 0
    counted = (tail[np.where(there, places, 0)] & there).sum(axis=1)
    return np.asarray(counted / np.maximum(there.sum(axis=1), 1), dtype=np.float64)


def _gap(own: Values, others: Values, seed: int) -> Estimate:
    """Return the difference of two means with its 95 % bootstrap interval, drawn apart."""
    if not len(others):
        return Estimate(0.0, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    drawn = [
        rng.choice(own, len(own)).mean() - rng.choice(others, len(others)).mean()
        for _ in range(1000)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(own.mean() - others.mean()), float(low), float(high))


def _coverage(places: Places, items: int, seed: int) -> Estimate:
    rng = np.random.default_rng(seed)
    covered = []
    for _ in range(DRAWS):
        drawn = places[rng.choice(len(places), FEWEST, replace=False)]
        covered.append(len(np.unique(drawn[drawn >= 0])) / items)
    low, high = np.quantile(covered, [0.025, 0.975])
    return Estimate(float(np.mean(covered)), float(low), float(high))
