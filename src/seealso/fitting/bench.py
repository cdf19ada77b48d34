"""Where recipes are compared: dev users before the whole catalogue, in numpy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seealso.encoder.projection import unit_rows
from seealso.evaluation.baselines.ials import factors
from seealso.evaluation.baselines.profiles import profiles
from seealso.fitting.recipe import Learnt, Mask, Recipe
from seealso.training.data.ranking import Places, Question, gains, profile_vectors, target_ranks
from seealso.types import Vector


@dataclass(frozen=True)
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

    def ranks(self, users: Vector, items: Vector, among: Mask | None = None) -> Places:
        """Return the rank of each user's target by inner products, among all items or some.

        Every target must be one of them.
        """
        if among is None:
            return target_ranks(users, items, self.questions)
        place = np.cumsum(among) - 1
        asked = [
            replace(one, target=int(place[one.target]), seen=place[one.seen[among[one.seen]]])
            for one in self.questions
        ]
        return target_ranks(users, items[among], asked)


def ndcg(ranks: Places, depth: int = 10) -> float:
    """Return the mean NDCG at `depth`."""
    return float(gains(ranks, depth).mean())
