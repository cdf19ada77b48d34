"""How much behaviour weighs beside the texts, and what an item gets that nobody chose yet."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from seealso.encoder.projection import unit_rows
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.recipe import Learnt, Mask, Recipe, predictor
from seealso.types import Vector

WEIGHTS: Final = (1.0, 0.25, 0.35, 0.5, 0.7, 1.4, 2.0, 2.8)
RECENCIES: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
RIDGES: Final = (10.0, 1.0, 100.0)
NEWCOMERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
COLD_DEPTH: Final = 20

Steps = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A recipe with the recency of the text part, and the dev NDCG@10 that it reaches."""

    recipe: Recipe
    recency: float
    ndcg: float


def weigh(bench: Bench, learnt: Learnt, recipe: Recipe, tick: Steps) -> Weighed:
    """Choose weight, recency of the texts and recency of the fold-in, twice around.

    Parameters
    ----------
    bench
        Dev users.
    learnt
        The factors.
    recipe
        Where to start.
    tick
        Called after each value that was tried; there are at most `tries`.
    """
    known = known_factors(learnt)
    # most tries change one of the three: what the others give is kept
    told = cache(bench.told)

    @cache
    def folded(recency: float) -> Vector:
        return bench.folded(learnt, replace(recipe, recency=recency))

    @cache
    def reached(weight: float, fold_recency: float, text_recency: float) -> float:
        users = asked(told(text_recency), folded(fold_recency), weight)
        return ndcg(bench.ranks(users, np.hstack([bench.texts, np.float32(weight) * known])))

    best = Weighed(recipe, recipe.recency, -1.0)
    for _ in range(2):
        for name, values in (("weight", WEIGHTS), ("told", RECENCIES), ("folded", RECENCIES)):
            for value in values:
                one = _with(best, name, value)
                found = reached(one.recipe.weight, one.recipe.recency, one.recency)
                best = max(best, replace(one, ndcg=found), key=lambda tried: tried.ndcg)
                tick(1)
    return best


def tries() -> int:
    """Return how many values `weigh` tries."""
    return 2 * (len(WEIGHTS) + 2 * len(RECENCIES))


def _with(one: Weighed, name: str, value: float) -> Weighed:
    if name == "told":
        return replace(one, recency=value)
    if name == "weight":
        return replace(one, recipe=replace(one.recipe, weight=value))
    return replace(one, recipe=replace(one.recipe, recency=value))


def known_factors(learnt: Learnt) -> Vector:
    """Return the factors with zeros for items that nobody chose, shape (n, k)."""
    return np.where(learnt.known[:, None], learnt.items, np.float32(0))


def asked(told: Vector, folded: Vector, weight: float) -> Vector:
    """Return the vectors of users, shape (users, d + k)."""
    return np.hstack([told, np.float32(weight) * folded])


@dataclass(frozen=True)
class Cold:
    """A state of knowledge in which some items lost their events.

    Attributes
    ----------
    warm, cold
        Users who are asked for items with events, and for items without.
    among
        The items without, shape (n,).
    learnt
        Factors learnt without those events.
    """

    warm: Bench
    cold: Bench
    among: Mask
    learnt: Learnt


@dataclass(frozen=True, slots=True)
class Newcomers:
    """What items without events get, and what that gives and costs on dev.

    Attributes
    ----------
    recipe
        With ``ridge`` and ``newcomer``.
    tail_recency
        Recency of the texts that ranks cold items best among themselves.
    cold, warm
        NDCG@20 of cold items and NDCG@10 of warm ones, both in the whole catalogue.
    warm_alone
        NDCG@10 of warm items where cold ones get no factor.
    """

    recipe: Recipe
    tail_recency: float
    cold: float
    warm: float
    warm_alone: float


def newcomers(state: Cold, weighed: Weighed, most_loss: float, tick: Steps) -> Newcomers:
    """Choose the ridge by the ranking among cold items, the length by the whole ranking.

    More length always lifts cold items: it may cost `most_loss` of the warm NDCG@10.
    """
    # neither ridge nor length changes a user
    cold_users, warm_users = (
        asked(
            bench.told(weighed.recency),
            bench.folded(state.learnt, weighed.recipe),
            weighed.recipe.weight,
        )
        for bench in (state.cold, state.warm)
    )
    among: dict[float, float] = {}
    for ridge in RIDGES:
        items = _items(state, replace(weighed.recipe, ridge=ridge, newcomer=1.0))
        among[ridge] = ndcg(state.cold.ranks(cold_users, items, state.among), COLD_DEPTH)
        tick(1)
    chosen = replace(weighed.recipe, ridge=max(among, key=lambda ridge: among[ridge]))
    found = []
    for share in NEWCOMERS:
        one = replace(chosen, newcomer=share)
        items = _items(state, one)
        warm = ndcg(state.warm.ranks(warm_users, items))
        cold = ndcg(state.cold.ranks(cold_users, items), COLD_DEPTH)
        found.append((one, warm, cold))
        tick(1)
    alone = found[0][1]
    allowed = [one for one in found if one[1] >= (1 - most_loss) * alone]
    recipe, warm, cold = max(allowed, key=lambda one: one[2])
    return Newcomers(recipe, _even(state, tick), cold, warm, alone)


def newcomer_tries() -> int:
    """Return how many values `newcomers` tries."""
    return len(RIDGES) + len(NEWCOMERS) + len(RECENCIES)


def _even(state: Cold, tick: Steps) -> float:
    """Return the recency of the texts that ranks cold items best among themselves."""
    reached: dict[float, float] = {}
    for recency in RECENCIES:
        ranks = state.cold.ranks(state.cold.told(recency), state.cold.texts, state.among)
        reached[recency] = ndcg(ranks, COLD_DEPTH)
        tick(1)
    return max(reached, key=lambda recency: reached[recency])


def _items(state: Cold, recipe: Recipe) -> Vector:
    learnt, texts = state.learnt, state.warm.texts
    foretold = unit_rows(texts @ predictor(learnt, texts, recipe.ridge))
    length = np.float32(recipe.newcomer * learnt.median)
    every = np.where(learnt.known[:, None], learnt.items, length * foretold)
    return np.hstack([texts, np.float32(recipe.weight) * every])
