"""What a cold item, which has no events, gets: a factor from its text, and a bonus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seealso.datasets.intervals import Values
from seealso.encoder import Collaborative, CoOccurrence
from seealso.evaluation.choosing import count_attempts, search_coordinates
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.bonuses import BONUSES, SHARES, Rivals, choose_bonus
from seealso.fitting.co_occurrence import boosts
from seealso.fitting.queries import entry_levels, unit_users
from seealso.fitting.recipe import ItemFactors, Mask, Recipe, build_collaborative
from seealso.fitting.weighing import RECENCIES, Weighed
from seealso.log import Tick
from seealso.types import Vector

DEPTH: Final = 20
PREDICTION_GRID: Final[Mapping[str, Sequence[float]]] = {
    "ridge": (10.0, 1.0, 100.0, 1000.0),
    "cold_length": (0.75, 0.25, 0.5, 1.0, 1.5, 2.0),
}
"""Values of the ridge and of the length of a predicted factor; the search begins with the first."""
ENOUGH: Final = 1.0
"""Of what texts alone, with the recency that suits them best, reach for cold items in the whole
catalogue: a larger bonus is not taken. The aim is .65 of the best that texts can do, and those of a
bundle, whitened for its vectors, reach about three quarters of that."""


@dataclass(frozen=True)
class ColdItems:
    """A state of knowledge in which some items lost their events.

    Attributes
    ----------
    ids
        The n items.
    warm, cold
        Questions about items with events, and about items without.
    among
        The items without, shape (n,).
    weights
        Importance of each item, shape (n,), without those events.
    learnt
        Factors learnt without those events.
    co_occurrence
        Pairs of items without those events, if pairs help.
    """

    ids: Sequence[str]
    warm: Bench
    cold: Bench
    among: Mask
    weights: Vector
    learnt: ItemFactors
    co_occurrence: CoOccurrence | None = None


@dataclass(frozen=True, slots=True)
class ColdStart:
    """What items without events get, and what that gives and costs on dev.

    Attributes
    ----------
    recipe
        With ``ridge``, ``cold_length``, ``cold_start_bonus`` and ``cold_start_share``.
    tail_recency
        Recency of the texts that ranks cold items best among themselves.
    cold, warm
        NDCG@20 of cold items and NDCG@10 of warm ones, both in the whole catalogue.
    warm_alone
        NDCG@10 of warm items without a bonus for cold ones.
    by_texts
        NDCG@20 of cold items in the whole catalogue if texts alone ranked it.
    """

    recipe: Recipe
    tail_recency: float
    cold: float
    warm: float
    warm_alone: float
    by_texts: float

    @property
    def facts(self) -> dict[str, float]:
        """What dev foretells, and the share of NDCG@10 that the bonus costs, by name."""
        lost = 1 - self.warm / self.warm_alone if self.warm_alone else 0.0
        return {
            "ndcg@20": self.cold,
            "ndcg@20 by texts": self.by_texts,
            "warm ndcg@10": self.warm,
            "lost": lost,
        }


def choose_cold_start(
    state: ColdItems, weighed: Weighed, most_loss: float, tick: Tick
) -> ColdStart:
    """Choose the predicted factor by the ranking among cold items, the bonus by the whole ranking.

    A larger bonus helps cold items, and costs warm ones: `choose_bonus` finds one that brings cold
    items `ENOUGH` of what texts alone would, for at most `most_loss` of the warm NDCG@10.
    """
    trial = _ColdStartTrial(state, weighed)

    def attempt(numbers: Mapping[str, float]) -> _Prediction:
        one = replace(weighed.recipe, ridge=numbers["ridge"], cold_length=numbers["cold_length"])
        return _Prediction(one, trial.among_themselves(one))

    recipe = search_coordinates(PREDICTION_GRID, attempt, tick).recipe
    by_texts = _rank_by_texts(state, tick)
    warm, cold = trial.in_the_whole(recipe, tick)
    share, bonus = choose_bonus(warm, cold, most_loss, ENOUGH * by_texts.ndcg)
    chosen = replace(recipe, cold_start_bonus=BONUSES[bonus], cold_start_share=SHARES[share])
    reached = float(cold[share, bonus]), float(warm[share, bonus]), float(warm[0, 0])
    return ColdStart(chosen, by_texts.tail_recency, *reached, by_texts.ndcg)


def count_cold_start_attempts() -> int:
    """Return how often `choose_cold_start` ranks the catalogue."""
    return count_attempts(PREDICTION_GRID) + len(RECENCIES) + 2


@dataclass(frozen=True, slots=True)
class _Prediction:
    """A recipe, and the NDCG of cold items among themselves that it reaches on dev."""

    recipe: Recipe
    ndcg: float


class _ColdStartTrial:
    """Asks warm and cold users with one recipe after the other; what no recipe changes is kept."""

    def __init__(self, state: ColdItems, weighed: Weighed) -> None:
        self._state = state
        self._users = {
            bench: (
                bench.text_profiles(weighed.recency),
                bench.fold_in(state.learnt, weighed.recipe),
            )
            for bench in (state.warm, state.cold)
        }

    def among_themselves(self, recipe: Recipe) -> float:
        part, items = self._items(recipe)
        users = self._user_vectors(self._state.cold, part)
        return ndcg(self._state.cold.ranks(users, items, self._state.among), DEPTH)

    def in_the_whole(self, recipe: Recipe, tick: Tick) -> tuple[Values, Values]:
        """Return NDCG@10 of warm items and NDCG@20 of cold ones with every share and bonus."""
        state = self._state
        part, items = self._items(recipe)
        found = []
        for bench, depth in ((state.warm, 10), (state.cold, DEPTH)):
            added = boosts(bench, state.co_occurrence)
            rivals = Rivals(
                bench,
                self._user_vectors(bench, part),
                items,
                added,
                entry_levels(bench, added),
                ~state.learnt.warm,
                state.weights,
            )
            found.append(rivals.ndcg(depth))
            tick(1)
        return found[0], found[1]

    def _items(self, recipe: Recipe) -> tuple[Collaborative, Vector]:
        state = self._state
        part = build_collaborative(state.ids, state.learnt, state.warm.texts, recipe)
        return part, part.join(state.ids, state.warm.texts) * state.weights[:, None]

    def _user_vectors(self, bench: Bench, part: Collaborative) -> Vector:
        """Return E_u without a bonus, shape (users, dimension)."""
        levels = np.zeros(len(bench.questions), dtype=np.float32)
        return unit_users(*self._users[bench], part, levels)


@dataclass(frozen=True, slots=True)
class _ByTexts:
    """NDCG@20 of cold items by texts alone, and the recency that is best among themselves."""

    ndcg: float
    tail_recency: float


def _rank_by_texts(state: ColdItems, tick: Tick) -> _ByTexts:
    """Return what texts reach with the recency that suits them best, for either ranking."""
    whole: dict[float, float] = {}
    among: dict[float, float] = {}
    for recency in RECENCIES:
        profiles = state.cold.text_profiles(recency)
        whole[recency] = ndcg(state.cold.ranks(profiles, state.cold.texts), DEPTH)
        among[recency] = ndcg(state.cold.ranks(profiles, state.cold.texts, state.among), DEPTH)
        tick(1)
    return _ByTexts(max(whole.values()), max(among, key=among.__getitem__))
