"""Where recipes are compared: dev users before the whole catalogue, in numpy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seealso.encoder.projection import unit_rows
from seealso.evaluation.baselines.ials import factors
from seealso.evaluation.baselines.profiles import Matrix, profiles
from seealso.fitting.recipe import Learnt, Mask, Recipe
from seealso.training.data.ranking import (
    USERS_AT_ONCE,
    Places,
    Question,
    gains,
    profile_vectors,
    ranks_among,
)
from seealso.types import Vector


@dataclass(frozen=True, eq=False)
class Bench:
    """Users who are asked, and the texts of what they are asked about.

    Attributes
    ----------
    texts
        Vectors of the texts of the catalogue, shape (n, d).
    questions
        The users.
    """

    texts: Vector
    questions: Sequence[Question]

    @classmethod
    def of(cls, texts: Vector, questions: Sequence[Question], most: int) -> "Bench":
        """Return the bench with histories cut to their newest `most` items."""
        return cls(texts, [replace(one, history=one.history[:most]) for one in questions])

    def told(self, recency: float) -> Vector:
        """Return what the histories say by their texts: unit rows, shape (users, d)."""
        most = max(len(one.history) for one in self.questions)
        return unit_rows(profile_vectors(self.texts, self.questions, recency, most))

    def folded(self, learnt: Learnt, recipe: Recipe) -> Vector:
        """Return the users folded in: unit rows, shape (users, k)."""
        model = factors(learnt.items, recipe.alpha, recipe.regularisation / learnt.scale**2)
        rows = profiles(self.questions, len(self.texts), recipe.recency)
        return unit_rows(model.users(rows))

    def ranks(
        self,
        users: Vector,
        items: Vector,
        among: Mask | None = None,
        lifts: Matrix | None = None,
    ) -> Places:
        """Return the rank of each user's target, among all items or some, which it must be of.

        Parameters
        ----------
        users, items
            Vectors, shapes (users, d) and (n, d): inner products rank.
        among
            Only these items are ranked, shape (n,).
        lifts
            What is added to each inner product, shape (users, n).
        """
        return self.ranks_by_share(users, items, lifts, (1.0,), among)[0]

    def ranks_by_share(
        self,
        users: Vector,
        items: Vector,
        lifts: Matrix | None,
        shares: Sequence[float],
        among: Mask | None = None,
    ) -> list[Places]:
        """Return for each share the ranks of the targets, as `ranks` with share times the lifts."""
        asked = self.questions if among is None else _among(self.questions, among)
        ranked = items if among is None else items[among]
        added = lifts if lifts is None or among is None else lifts[:, among]
        ranks: list[list[Places]] = [[] for _ in shares]
        for start in range(0, len(users), USERS_AT_ONCE):
            rows = slice(start, start + USERS_AT_ONCE)
            scores = users[rows] @ ranked.T
            more: Vector = np.zeros(1, np.float32) if added is None else added[rows].toarray()
            for share, found in zip(shares, ranks, strict=True):
                lifted: Vector = scores + np.float32(share) * more
                found.append(ranks_among(lifted, asked[rows]))
        return [np.concatenate(found) for found in ranks]


def _among(asked: Sequence[Question], among: Mask) -> list[Question]:
    """Return the questions in places of those items alone."""
    place = np.cumsum(among) - 1
    return [
        replace(one, target=int(place[one.target]), seen=place[one.seen[among[one.seen]]])
        for one in asked
    ]


def ndcg(ranks: Places, depth: int = 10) -> float:
    """Return the mean NDCG at `depth`."""
    return float(gains(ranks, depth).mean())
