"""Which factors there are and what they weigh: chosen alone, and once more with pairs beside them.

By themselves factors have to hold all that behaviour knows. Beside pairs, which know what follows
what, fewer that weigh less may rank better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seealso.config import Settings
from seealso.datasets.intervals import Values
from seealso.encoder import CoOccurrence
from seealso.evaluation.baselines import IALS
from seealso.evaluation.choosing import count_attempts
from seealso.evaluation.protocols import Holdout
from seealso.evaluation.tuning import RECENCIES, Dev, search
from seealso.fitting.bench import Bench
from seealso.fitting.choosing import choose_beyond_chance
from seealso.fitting.co_occurrence import boosts
from seealso.fitting.recipe import (
    ItemFactors,
    Recipe,
    build_collaborative,
    known_factors,
    scale_factors,
)
from seealso.fitting.weighing import Weighed
from seealso.log import Tick, progress
from seealso.models.ials import fit_ials
from seealso.types import Vector

SIZES: Final = (256, 128, 64)
"""Numbers of factors that are tried, the one of the earlier choices first."""
REGULARISATIONS: Final = (10.0, 50.0)
"""Tried for each other number of factors: fewer need another one."""
LIGHTER: Final = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
"""Weights that are tried, relative to the one that was chosen without pairs."""

Learn = Callable[[Recipe], ItemFactors]
START: Final = Recipe(
    factors=0, alpha=0, regularisation=0, recency=1, weight=1.5, ridge=10, cold_length=0.75
)
"""What is taken where nothing can be chosen: too few items to try it on."""


@dataclass(frozen=True, eq=False)
class Factorised:
    """The factorisation that ranks best by itself: no text takes part in it.

    Attributes
    ----------
    recipe
        How it was made.
    learnt
        Its factors.
    ndcg
        NDCG@10 on dev.
    """

    recipe: Recipe
    learnt: ItemFactors
    ndcg: float

    @classmethod
    def choose(cls, settings: Settings, holdout: Holdout) -> "Factorised":
        """Factorise with all settings of the grid, and return the best."""
        factors = settings.fit.factors or SIZES[0]
        grid = {**IALS, "factors": (factors,)}
        with progress("factorising", count_attempts(grid)) as tick:
            best = search(fit_ials, grid, RECENCIES, Dev(holdout.dataset, holdout.dev), tick)
        recipe = replace(
            START,
            factors=factors,
            alpha=best.chosen["alpha"],
            regularisation=best.chosen["regularisation"],
            recency=best.recency,
        )
        return cls(recipe, scale_factors(best.model, holdout.dataset), best.ndcg)


@dataclass(frozen=True, eq=False)
class ChosenFactors:
    """Factors, and what they weigh beside texts and pairs.

    Attributes
    ----------
    weighed
        With the recipe, its share of pairs on the scale of these factors.
    learnt
        The factors.
    tried
        How many settings were compared.
    """

    weighed: Weighed
    learnt: ItemFactors
    tried: int


def choose_factors(
    bench: Bench,
    before: ChosenFactors,
    pairs: CoOccurrence | None,
    sizes: Sequence[int],
    learn: Learn,
    tick: Tick,
) -> ChosenFactors:
    """Return the number of factors, their regularisation and their weight that rank best on dev.

    What was chosen without pairs stays unless another gains more than luck would.

    Parameters
    ----------
    bench
        Dev users.
    before
        What was chosen without pairs.
    pairs
        With the share of ``before.weighed.recipe``.
    sizes
        Numbers of factors to try.
    learn
        Factorises as a recipe says.
    tick
        Called after each of the `count_factors` that are learnt.
    """
    first = before.weighed.recipe
    profiles = bench.text_profiles(before.weighed.recency)
    # texts keep the unit that they have in a query, and so do pairs: they are boosts beside it
    scale = _scale(before.learnt, bench.texts, first)
    added = boosts(bench, pairs) * np.float32(scale)
    recipes, learnt, reached = [], [], []
    for recipe in _recipes(first, sizes):
        own = before.learnt if recipe == first else learn(recipe)
        weights = [first.weight * factor for factor in LIGHTER]
        users, items = bench.fold_in(own, recipe), known_factors(own)
        reached.append(bench.gains_by_weight(profiles, users, items, weights, added))
        recipes += [replace(recipe, weight=weight) for weight in weights]
        learnt.append(own)
        tick(1)
    tried: Values = np.concatenate(reached)
    best = choose_beyond_chance(tried, recipes.index(first))
    recipe, own = recipes[best], learnt[best // len(LIGHTER)]
    share = first.co_occurrence
    if share is not None:
        ratio = scale / _scale(own, bench.texts, recipe)
        recipe = replace(recipe, co_occurrence=replace(share, share=share.share * ratio))
    weighed = replace(before.weighed, recipe=recipe, ndcg=float(tried[best].mean()))
    return ChosenFactors(weighed, own, len(recipes))


def count_factors(recipe: Recipe, sizes: Sequence[int]) -> int:
    """Return how many factorisations `choose_factors` compares."""
    return len(_recipes(recipe, sizes))


def _recipes(first: Recipe, sizes: Sequence[int]) -> list[Recipe]:
    others = [
        replace(first, factors=size, regularisation=regularisation)
        for size in sizes
        if size != first.factors
        for regularisation in dict.fromkeys((first.regularisation, *REGULARISATIONS))
    ]
    return [first, *others]


def _scale(learnt: ItemFactors, texts: Vector, recipe: Recipe) -> float:
    """Return what similarities are divided by in a query: both lengths."""
    ids = [str(place) for place in range(len(texts))]
    radius = build_collaborative(ids, learnt, texts, recipe).radius
    return float(radius * np.sqrt(1 + recipe.weight**2))
