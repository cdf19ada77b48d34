"""Where recipes are compared: dev users before the whole catalogue, in numpy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seealso.datasets.intervals import Values
from seealso.datasets.questions import Places, Question
from seealso.datasets.ranks import (
    Scored,
    gains,
    profile_vectors,
    rank_targets,
    ranks_among,
    score_in_chunks,
)
from seealso.encoder.projection import unit_rows
from seealso.fitting.recipe import ItemFactors, Mask, Recipe
from seealso.models.histories import Matrix, weigh_histories
from seealso.models.ials import factors
from seealso.types import Vector


@dataclass(frozen=True, eq=False)
class Bench:
    """The questions, and the texts of their items.

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

    def text_profiles(self, recency: float) -> Vector:
        """Return what the histories say by their texts: unit rows, shape (users, d)."""
        most = max(len(one.history) for one in self.questions)
        return unit_rows(profile_vectors(self.texts, self.questions, recency, most))

    def fold_in(self, learnt: ItemFactors, recipe: Recipe) -> Vector:
        """Return the users folded in: unit rows, shape (users, k)."""
        model = factors(learnt.items, recipe.alpha, recipe.regularisation / learnt.scale**2)
        rows = weigh_histories(self.questions, len(self.texts), recipe.recency)
        return unit_rows(model.users(rows))

    def ranks(
        self,
        users: Vector,
        items: Vector,
        among: Mask | None = None,
        boosts: Matrix | None = None,
    ) -> Places:
        """Return the rank of each user's target, among all items or some, which it must be of.

        Parameters
        ----------
        users, items
            Vectors, shapes (users, d) and (n, d): inner products rank.
        among
            Only these items are ranked, shape (n,).
        boosts
            What is added to each inner product, shape (users, n).
        """
        bench = self if among is None else replace(self, questions=_among(self.questions, among))
        if among is not None:
            items, boosts = items[among], None if boosts is None else boosts[:, among]
        return rank_targets(bench.scores(users, items, boosts))

    def ranks_by_share(
        self,
        users: Vector,
        items: Vector,
        more: Matrix,
        shares: Sequence[float],
        boosts: Matrix | None = None,
    ) -> list[Places]:
        """Return for each share the ranks of the targets, as `ranks` with share times `more`."""
        ranks: list[list[Places]] = [[] for _ in shares]
        for rows, questions, scores in self.scores(users, items, boosts):
            added = more[rows].toarray()
            for share, found in zip(shares, ranks, strict=True):
                found.append(ranks_among(scores + np.float32(share) * added, questions))
        return [np.concatenate(found) for found in ranks]

    def gains_by_weight(
        self,
        profiles: Vector,
        users: Vector,
        factors: Vector,
        weights: Sequence[float],
        boosts: Matrix | None = None,
    ) -> Values:
        """Return NDCG@10 of each user with each weight of behaviour, shape (weights, users).

        Parameters
        ----------
        profiles
            What the histories say by their texts, shape (users, d).
        users, factors
            The users folded in, and the items, shapes (users, k) and (n, k).
        weights
            b: the score of an item is that of the texts + b ** 2 times that of the factors.
        boosts
            What is added to it, shape (users, n).
        """
        found: list[Values] = []
        for rows, questions, by_text in self.scores(profiles, self.texts, boosts):
            by_factor = users[rows] @ factors.T
            ranks = [
                ranks_among(by_text + np.float32(b * b) * by_factor, questions) for b in weights
            ]
            found.append(gains(np.array(ranks)))
        return np.concatenate(found, axis=1)

    def scores(self, users: Vector, items: Vector, boosts: Matrix | None = None) -> Scored:
        """Yield some of the users after the others: their rows, who they are, and their scores.

        Parameters are those of `ranks`; the scores have shape (rows, n).
        """

        def score(rows: slice) -> Vector:
            found: Vector = users[rows] @ items.T
            if boosts is not None:
                found += boosts[rows].toarray()
            return found

        return score_in_chunks(self.questions, score)


def _among(questions: Sequence[Question], among: Mask) -> list[Question]:
    """Return the questions in places of those items alone."""
    place = np.cumsum(among) - 1
    return [
        replace(one, target=int(place[one.target]), seen=place[one.seen[among[one.seen]]])
        for one in questions
    ]


def ndcg(ranks: Places, depth: int = 10) -> float:
    """Return the mean NDCG at `depth`."""
    return float(gains(ranks, depth).mean())
