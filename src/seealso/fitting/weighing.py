"""How much behaviour weighs beside the texts, and how fast both fade."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from seealso.fitting.bench import Bench
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

    best = Weighed(recipe, text_recency, -1.0)
    tried: set[tuple[Recipe, float]] = set()

    def try_out(ones: Sequence[Weighed]) -> None:
        """Try some that differ in their weight alone."""
        nonlocal best
        tick(len(ones))
        fresh = [one for one in ones if (one.recipe, one.recency) not in tried]
        tried.update((one.recipe, one.recency) for one in fresh)
        if not fresh:
            return
        users, weights = factors(fresh[0].recipe.recency), [one.recipe.weight for one in fresh]
        texts = profiles(fresh[0].recency)
        reached = bench.gains_by_weight(texts, users, known, weights).mean(axis=1)
        for one, found in zip(fresh, reached.tolist(), strict=True):
            best = max(best, replace(one, ndcg=found), key=lambda other: other.ndcg)

    for _ in range(2):
        try_out([_with(best, "weight", value) for value in WEIGHTS])
        for name in ("text_recency", "fold_recency"):
            for value in RECENCIES:
                try_out([_with(best, name, value)])
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
