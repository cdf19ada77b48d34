"""What every bonus of cold items gives and costs, from one look at the catalogue.

A bonus moves the cold items of a user's ranking together. So a user is asked once at which bonus
each of the best items of one kind passes the best of the other.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from seealso.datasets.intervals import Values
from seealso.datasets.questions import Places, Question
from seealso.datasets.ranks import gains
from seealso.fitting.bench import Bench
from seealso.fitting.recipe import Mask
from seealso.models.histories import Matrix
from seealso.types import Vector

BONUSES: Final = tuple(step / 200 for step in range(101))
"""In steps as fine as half a per cent of a similarity: what a bonus costs rises fast."""
SHARES: Final = (0.0, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25)
"""Of the entry level of a user."""


@dataclass(frozen=True, eq=False)
class Rivals:
    """Users of a bench before the catalogue, cold items without a bonus.

    Attributes
    ----------
    bench
        The users.
    users, items
        E_u and w * E_i, shapes (users, dimension) and (n, dimension).
    boosts
        What is added to each product, shape (users, n).
    levels
        Entry level of each user, shape (users,).
    cold, weights
        Items without events, and w of each item, shape (n,).
    """

    bench: Bench
    users: Vector
    items: Vector
    boosts: Matrix
    levels: Vector
    cold: Mask
    weights: Vector

    def ndcg(self, depth: int) -> Values:
        """Return NDCG at `depth` with each share and each bonus, shape (shares, bonuses)."""
        shape = (len(SHARES), len(BONUSES))
        total = np.zeros(shape)
        shares, bonuses = np.array(SHARES)[:, None], np.array(BONUSES)[None, :]
        for rows, questions, scores in self.bench.scores(self.users, self.items, self.boosts):
            for level, question, own in zip(self.levels[rows], questions, scores, strict=True):
                added = (bonuses + shares * level).ravel()
                ranks = self._ranks(question, own, added, depth)
                total += gains(ranks, depth).reshape(shape)
        return total / len(self.bench.questions)

    def _ranks(self, question: Question, scores: Vector, added: Values, depth: int) -> Places:
        """Return the rank of the target with each of the bonuses; ties are before it.

        Of ranks behind `depth` it is only true that they are.
        """
        target = scores[question.target]
        scores[question.seen] = scores[question.target] = -np.inf
        cold, warm = scores[self.cold], scores[~self.cold]
        weights = self.weights[self.cold]
        if not self.cold[question.target]:
            passing = -_best((cold - target) / weights, depth)
            before = (warm >= target).sum()
            return np.asarray(1 + before + np.searchsorted(passing, added, side="right"))
        weight = self.weights[question.target]
        rivals = _best(warm, depth)[::-1]
        before = len(rivals) - np.searchsorted(rivals, target + weight * added)
        # other cold items gain as much, unless they are less or more important
        alike = weights == weight
        before = before + (cold[alike] >= target).sum()
        gap, gained = target - cold[~alike], weights[~alike] - weight
        return np.asarray(1 + before + (added[:, None] * gained >= gap).sum(axis=1))


def _best(values: Vector, count: int) -> Vector:
    """Return the `count` largest values, or all if there are fewer, in falling order."""
    if len(values) > count:
        values = np.partition(values, -count)[-count:]
    return np.sort(values)[::-1]


def choose_bonus(warm: Values, cold: Values, most_loss: float, enough: float) -> tuple[int, int]:
    """Return which share and which bonus cold items get.

    Of each share, the smallest bonus that brings them `enough`; of those, the one that warm items
    rank best with. Where none of them does, what ranks cold items best.

    Parameters
    ----------
    warm, cold
        NDCG of warm and of cold items with each share and bonus, shape (shares, bonuses); the
        first has no bonus at all.
    most_loss
        Share of the first of `warm` that a bonus may cost.
    enough
        Of `cold`.
    """
    affordable = warm >= (1 - most_loss) * warm[0, 0]
    sufficient = affordable & (cold >= enough)
    if not sufficient.any():
        best = int(np.where(affordable, cold, -1.0).argmax())
        return best // cold.shape[1], best % cold.shape[1]
    first = sufficient.argmax(axis=1)
    reached = np.where(sufficient.any(axis=1), warm[np.arange(len(warm)), first], -1.0)
    chosen = int(reached.argmax())
    return chosen, int(first[chosen])
