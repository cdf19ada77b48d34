"""How much behaviour weighs beside the texts, and how fast both fade."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from seealso.encoder import Collaborative
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.recipe import ItemFactors, Recipe, known_factors
from seealso.log import Tick
from seealso.types import Vector

WEIGHTS: Final = (1.0, 0.0, 0.25, 0.35, 0.5, 0.7, 1.4, 2.0, 2.8, 4.0, 8.0, 16.0)
"""Of behaviour beside texts: from texts alone to 256 times as much, where texts say nothing."""
RECENCIES: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A recipe with the recency of the text part, and the dev NDCG@10 that it reaches."""

    recipe: Recipe
    recency: float
    ndcg: float


def weigh(
    bench: Bench, learnt: ItemFactors, recipe: Recipe, text_recency: float, tick: Tick
) -> Weighed:
    """Choose weight, recency of the texts and recency of the fold-in, twice around.

    Texts alone with `text_recency`, and behaviour (all but) alone as `recipe` folds it in, are
    among what is tried: the result is no worse than the better of them.

    Parameters
    ----------
    bench
        Dev users.
    learnt
        The factors.
    recipe
        Where to start.
    text_recency
        Of the texts, to start with.
    tick
        Called after each value that was tried; there are at most `count_tries`.
    """
    known = known_factors(learnt)
    # most tries change one of the three: what the others give is kept
    profiles = cache(bench.text_profiles)

    @cache
    def factors(recency: float) -> Vector:
        return bench.fold_in(learnt, replace(recipe, recency=recency))

    @cache
    def reached(weight: float, fold_recency: float, text_recency: float) -> float:
        users = join_users(profiles(text_recency), factors(fold_recency), weight)
        return ndcg(bench.ranks(users, np.hstack([bench.texts, np.float32(weight) * known])))

    best = Weighed(recipe, text_recency, -1.0)
    for _ in range(2):
        for name, values in (
            ("weight", WEIGHTS),
            ("text_recency", RECENCIES),
            ("fold_recency", RECENCIES),
        ):
            for value in values:
                one = _with(best, name, value)
                found = reached(one.recipe.weight, one.recipe.recency, one.recency)
                best = max(best, replace(one, ndcg=found), key=lambda tried: tried.ndcg)
                tick(1)
    return best


def count_tries() -> int:
    """Return how many values `weigh` tries."""
    return 2 * (len(WEIGHTS) + 2 * len(RECENCIES))


def _with(one: Weighed, name: str, value: float) -> Weighed:
    if name == "text_recency":
        return replace(one, recency=value)
    if name == "weight":
        return replace(one, recipe=replace(one.recipe, weight=value))
    return replace(one, recipe=replace(one.recipe, recency=value))


def join_users(texts: Vector, factors: Vector, weight: float) -> Vector:
    """Return the vectors of users, shape (users, d + k)."""
    return np.hstack([texts, np.float32(weight) * factors])


def unit_users(texts: Vector, factors: Vector, part: Collaborative) -> Vector:
    """Return E_u of users as in a query, shape (users, dimension)."""
    return part.add_bonus(join_users(texts, factors, part.weight))
