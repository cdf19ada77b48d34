"""What boosts change in the first ten places, without ranking the whole catalogue for each attempt.

A history boosts at most `MOST_BOOSTED` items. So whichever these are, the best `MOST_BOOSTED` + 10
items without boosts hold ten that are not boosted: they say all of what is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seealso.datasets.intervals import Values
from seealso.datasets.questions import Places
from seealso.encoder.co_occurrence import MOST_BOOSTED
from seealso.fitting.bench import Bench
from seealso.models.histories import Matrix
from seealso.types import Vector

DEPTH: Final = 10
KEPT: Final = MOST_BOOSTED + DEPTH


@dataclass(frozen=True, eq=False)
class TopScores:
    """The best items of each user without boosts, and what ranks others among them.

    Attributes
    ----------
    bench
        The users.
    users, items
        Their vectors, shapes (users, d) and (n, d): inner products are the scores.
    places, scores
        The best `KEPT` items of each user, without the target and what was seen, in any order;
        shape (users, kept). Scores are -inf where there are not so many.
    """

    bench: Bench
    users: Vector
    items: Vector
    places: Places
    scores: Vector

    @classmethod
    def of(cls, bench: Bench, users: Vector, items: Vector) -> "TopScores":
        """Rank the catalogue once; parameters are those of `Bench.ranks`."""
        kept = min(KEPT, len(items))
        places, scores = [], []
        for _, questions, found in bench.scores(users, items):
            for row, question in enumerate(questions):
                found[row, question.seen] = -np.inf
                found[row, question.target] = -np.inf
            best = np.argpartition(-found, kept - 1, axis=1)[:, :kept]
            places.append(best)
            scores.append(np.take_along_axis(found, best, axis=1))
        return cls(bench, users, items, np.concatenate(places), np.concatenate(scores))

    def gains_by_share(self, boosts: Matrix, shares: Sequence[float]) -> Values:
        """Return NDCG@10 of each user with each share of the boosts, shape (shares, users).

        Parameters
        ----------
        boosts
            What a share of one adds to the scores, shape (users, n), none of it negative.
        shares
            What is tried.
        """
        added, boosted = (
            np.zeros(len(self.items), dtype=np.float32),
            np.zeros(len(self.items), bool),
        )
        weights = np.array(shares, dtype=np.float32)[:, None]
        found = np.zeros((len(shares), len(self.users)))
        for row, question in enumerate(self.bench.questions):
            own = slice(boosts.indptr[row], boosts.indptr[row + 1])
            places = boosts.indices[own]
            added[places], boosted[places] = boosts.data[own], True
            least = self.items[question.target] @ self.users[row]
            least = least + weights * added[question.target]
            boosted[question.seen] = boosted[question.target] = False
            rivals = places[boosted[places]]
            scores = self.items[rivals] @ self.users[row] + weights * added[rivals]
            others = self.scores[row, ~boosted[self.places[row]]]
            ranks = 1 + (scores >= least).sum(axis=1) + (others >= least).sum(axis=1)
            found[:, row] = np.where(ranks <= DEPTH, 1.0 / np.log2(ranks + 1.0), 0.0)
            added[places], boosted[places] = 0.0, False
        return found
