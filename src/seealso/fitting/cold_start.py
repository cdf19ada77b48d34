"""What a cold item, which has no events, gets: a factor from its text, and a bonus."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from seealso.encoder import Collaborative, CoOccurrence
from seealso.evaluation.choosing import count_attempts, search_coordinates
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.co_occurrence import boosts
from seealso.fitting.recipe import ItemFactors, Mask, Recipe, build_collaborative
from seealso.fitting.weighing import RECENCIES, Weighed, unit_users
from seealso.log import Tick
from seealso.models.histories import Matrix
from seealso.types import Vector

DEPTH: Final = 20
PREDICTION_GRID: Final[Mapping[str, Sequence[float]]] = {
    "ridge": (10.0, 1.0, 100.0, 1000.0),
    "cold_length": (0.75, 0.25, 0.5, 1.0, 1.5, 2.0),
}
"""Values of the ridge and of the length of a predicted factor; the search begins with the first."""
BONUSES: Final = tuple(step / 200 for step in range(101))
"""In steps as fine as half a per cent of a similarity: what a bonus costs rises fast."""
ENOUGH: Final = 0.9
"""Of what texts alone, with the recency that suits them best, reach for cold items in the whole
catalogue: no larger bonus is tried. The aim is .65 of the best that texts can do, and those of a
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
        With ``ridge``, ``cold_length`` and ``cold_start_bonus``.
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

    A larger bonus always helps cold items, and costs warm ones: the largest is taken that costs no
    more than `most_loss` of the warm NDCG@10, up to the first that brings cold items `ENOUGH` of
    what texts alone would.
    """
    trial = _ColdStartTrial(state, weighed)

    def attempt(numbers: Mapping[str, float]) -> _Prediction:
        one = replace(weighed.recipe, ridge=numbers["ridge"], cold_length=numbers["cold_length"])
        return _Prediction(one, trial.among_themselves(one))

    recipe = search_coordinates(PREDICTION_GRID, attempt, tick).recipe
    by_texts = _rank_by_texts(state, tick)
    reached: dict[int, tuple[float, float]] = {}

    def ask(place: int) -> tuple[float, float]:
        if place not in reached:
            bonus = BONUSES[place]
            reached[place] = trial.in_the_whole(replace(recipe, cold_start_bonus=bonus))
            tick(1)
        return reached[place]

    alone, _ = ask(0)
    least = (1 - most_loss) * alone

    def ends(place: int) -> bool:
        warm, cold = ask(place)
        return warm < least or cold >= ENOUGH * by_texts.ndcg

    last = bisect_left(range(len(BONUSES) - 1), True, key=ends)
    place = last if ask(last)[0] >= least else last - 1
    warm, cold = ask(place)
    chosen = replace(recipe, cold_start_bonus=BONUSES[place])
    return ColdStart(chosen, by_texts.tail_recency, cold, warm, alone, by_texts.ndcg)


def count_cold_start_attempts() -> int:
    """Return how many values `choose_cold_start` tries at most."""
    halvings = len(BONUSES).bit_length()
    return count_attempts(PREDICTION_GRID) + len(RECENCIES) + halvings + 2


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
                boosts(bench, state.co_occurrence),
            )
            for bench in (state.warm, state.cold)
        }

    def among_themselves(self, recipe: Recipe) -> float:
        part, items = self._items(recipe)
        users, _ = self._user_vectors(self._state.cold, part)
        return ndcg(self._state.cold.ranks(users, items, self._state.among), DEPTH)

    def in_the_whole(self, recipe: Recipe) -> tuple[float, float]:
        """Return NDCG@10 of warm items and NDCG@20 of cold ones."""
        part, items = self._items(recipe)
        found = []
        for bench, depth in ((self._state.warm, 10), (self._state.cold, DEPTH)):
            users, added = self._user_vectors(bench, part)
            found.append(ndcg(bench.ranks(users, items, boosts=added), depth))
        return found[0], found[1]

    def _items(self, recipe: Recipe) -> tuple[Collaborative, Vector]:
        state = self._state
        part = build_collaborative(state.ids, state.learnt, state.warm.texts, recipe)
        return part, part.join(state.ids, state.warm.texts) * state.weights[:, None]

    def _user_vectors(self, bench: Bench, part: Collaborative) -> tuple[Vector, Matrix]:
        texts, factors, added = self._users[bench]
        return unit_users(texts, factors, part), added * part.dilution


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
