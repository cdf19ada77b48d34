"""Chooses what a fitted bundle is made of, one thing after the other, on dev.

Factors, weights, recency, co-occurrence, factors and weights beside it, importance, what cold items
get, neighbours and calibration, in this order: each is chosen with those before it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seealso.config import Settings
from seealso.datasets.intervals import Values
from seealso.datasets.questions import Question, sample
from seealso.datasets.ranks import gains
from seealso.encoder import Collaborative, CoOccurrence
from seealso.errors import DataError
from seealso.evaluation.choosing import count_attempts
from seealso.evaluation.protocols import Holdout, cold_items
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.co_occurrence import (
    CO_OCCURRENCE_GRID,
    ChosenCoOccurrence,
    choose_co_occurrence,
)
from seealso.fitting.cold_start import (
    ColdItems,
    ColdStart,
    choose_cold_start,
    count_cold_start_attempts,
)
from seealso.fitting.factors import SIZES, ChosenFactors, Factorised, choose_factors, count_factors
from seealso.fitting.importance import Importance, Shares, choose_importance
from seealso.fitting.neighbours import (
    NEIGHBOUR_GRID,
    ChosenNeighbours,
    Pool,
    as_questions,
    choose_neighbours,
    draw_pool,
)
from seealso.fitting.probability import calibrate, collect_top_items
from seealso.fitting.queries import Queries, make_queries
from seealso.fitting.recipe import (
    ItemFactors,
    Recipe,
    build_collaborative,
    learn_factors,
    learn_pairs,
)
from seealso.fitting.weighing import Weighed, count_tries, weigh
from seealso.log import progress
from seealso.models.histories import Matrix
from seealso.types import Calibration, Vector


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was chosen on dev, and what each step reached there.

    Attributes
    ----------
    recipe, profile, importance, calibration
        What was chosen; no calibration if scores predict nothing.
    dev
        NDCG@10 on dev after each step, by name.
    cold
        NDCG@20 of items without events in the whole catalogue, as fitted and by texts alone, and
        what their bonus costs, if that could be tried.
    notes
        What a person should know.
    neighbours
        What was chosen for neighbours; empty where there is no users index.
    gains
        NDCG@10 of each dev user with all of it, shape (users,).
    tried
        How many settings were compared on the same dev users, by what they are of.
    """

    recipe: Recipe
    profile: Mapping[str, float]
    importance: Mapping[str, Any]
    calibration: Calibration | None
    dev: Mapping[str, float]
    cold: Mapping[str, float]
    notes: tuple[str, ...]
    neighbours: Mapping[str, Any] = field(default_factory=dict)
    gains: Values = field(default_factory=lambda: np.empty(0), repr=False, compare=False)
    tried: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitter:
    """Chooses one thing after the other on dev.

    Attributes
    ----------
    settings
        The settings.
    holdout
        What may be known, and the dev questions.
    texts
        Vectors of the contents of the catalogue, of texts alone where there are no images,
        shape (n, d).
    """

    settings: Settings
    holdout: Holdout
    texts: Vector

    def choose(self, behaviour: Factorised, shares: Shares) -> Fitted:
        """Return what dev chose over `behaviour`; `shares` are the importances to try."""
        bench, learnt = self._bench(self.holdout.dev), behaviour.learnt
        with progress("weighing", count_tries()) as tick:
            recency = self.settings.profile.recency
            joined = weigh(bench, learnt, behaviour.recipe, recency, tick)
        dataset = self.holdout.dataset
        ids = dataset.catalogue.ids
        paired, beside = self._choose_co_occurrence(bench, learnt, joined)
        chosen = self._choose_factors(bench, learnt, beside)
        learnt, weighed = chosen.learnt, chosen.weighed
        co_occurrence = learn_pairs(dataset, weighed.recipe)
        plain = build_collaborative(ids, learnt, self.texts, weighed.recipe)
        queries = self._make_queries(bench, learnt, weighed, plain, co_occurrence)
        importance = choose_importance(
            bench, queries.vectors, plain.join(ids, self.texts), shares, queries.boosts
        )
        # what new items get is the last choice, with all that ranks beside them as it will be
        found, note = self._choose_cold_start(weighed, importance)
        recipe = weighed.recipe if found is None else found.recipe
        part = build_collaborative(ids, learnt, self.texts, recipe, co_occurrence)
        queries = self._make_queries(bench, learnt, weighed, part, co_occurrence)
        users, added = queries.vectors, queries.boosts
        weighted = part.join(ids, self.texts) * importance.weights[:, None]

        def others(known: Bench) -> Vector:
            return self._make_queries(known, learnt, weighed, part, co_occurrence).vectors

        own = gains(bench.ranks(users, weighted, boosts=added))
        reached = own
        neighbours = self._choose_neighbours(bench, users, weighted, others, added)
        if neighbours is not None:
            added = neighbours.over(added)
            reached = gains(bench.ranks(users, weighted, boosts=added))
        calibration = calibrate(collect_top_items(bench, users, weighted, added))
        return Fitted(
            recipe=recipe,
            profile=_profile(weighed, found),
            importance=importance.settings,
            calibration=calibration,
            dev={
                "text alone": self._text_alone(bench),
                "behaviour alone": behaviour.ndcg,
                "joined": joined.ndcg,
                "with co-occurrence": paired.ndcg,
                # as it ranks, cold items with the factors that texts predict
                "with factors beside it": importance.without,
                "with importance": importance.reached,
                "with cold items": float(own.mean()),
                **({} if neighbours is None else {"with neighbours": neighbours.reached}),
            },
            cold={} if found is None else found.facts,
            notes=(
                *note,
                *importance.notes,
                *_neighbour_notes(neighbours),
                *_uncalibrated(calibration),
            ),
            neighbours={} if neighbours is None else neighbours.settings,
            gains=reached,
            tried={"co-occurrence": paired.tried, "factors": chosen.tried},
        )

    def _choose_co_occurrence(
        self, bench: Bench, learnt: ItemFactors, joined: Weighed
    ) -> tuple[ChosenCoOccurrence, Weighed]:
        """Return what pairs weigh beside what is joined, and the recipe with it."""
        dataset = self.holdout.dataset
        ids = dataset.catalogue.ids
        part = build_collaborative(ids, learnt, self.texts, joined.recipe)
        users = self._make_queries(bench, learnt, joined, part).vectors
        items = part.join(ids, self.texts)
        with progress("co-occurrence", count_attempts(CO_OCCURRENCE_GRID)) as tick:
            found = choose_co_occurrence(bench, users, items, dataset, tick)
        config = found.config if found.config.share else None
        return found, replace(joined, recipe=replace(joined.recipe, co_occurrence=config))

    def _choose_factors(self, bench: Bench, learnt: ItemFactors, beside: Weighed) -> ChosenFactors:
        """Return the factors that rank best beside pairs; of a length that a person set, if any."""
        own, dataset = self.settings.fit.factors, self.holdout.dataset
        sizes = SIZES if own is None else (own,)
        pairs = learn_pairs(dataset, beside.recipe)

        def learn(recipe: Recipe) -> ItemFactors:
            return learn_factors(dataset, recipe)

        with progress("factors", count_factors(beside.recipe, sizes)) as tick:
            return choose_factors(
                bench, ChosenFactors(beside, learnt, 1), pairs, sizes, learn, tick
            )

    def _choose_neighbours(
        self,
        bench: Bench,
        users: Vector,
        items: Vector,
        others: Callable[[Bench], Vector],
        base: Matrix,
    ) -> ChosenNeighbours | None:
        """Return what neighbours add to the lists, or None where there is no users index."""
        if not self.settings.users.enabled:
            return None
        known = draw_pool(self.holdout.dataset.sequences, self.settings.training.seed)
        with progress("neighbours", count_attempts(NEIGHBOUR_GRID)) as tick:
            pool = Pool(known, others(self._bench(as_questions(known))))
            return choose_neighbours(bench, users, items, pool, base, tick)

    def _bench(self, questions: Sequence[Question]) -> Bench:
        return Bench.of(self.texts, questions, self.settings.profile.history_items)

    def _choose_cold_start(
        self, weighed: Weighed, importance: Importance
    ) -> tuple[ColdStart | None, tuple[str, ...]]:
        """Hide the events of some items, and see what their texts should be worth."""
        training = self.settings.training

        def some(questions: Sequence[Question]) -> list[Question]:
            return sample(questions, training.dev_users, training.seed)

        try:
            cold = cold_items(self.holdout.dataset, "dev", some, training.dev_users)
            if not cold.dataset.dev:
                raise DataError("cold: no dev user is left")
        except DataError as exc:
            return None, (f"items without events were not tried ({exc.message})",)
        state = ColdItems(
            ids=cold.dataset.catalogue.ids,
            warm=self._bench(cold.dataset.dev),
            cold=self._bench(cold.dev),
            among=cold.cold,
            weights=importance.weights_without(cold.cold),
            learnt=learn_factors(cold.dataset, weighed.recipe),
            co_occurrence=learn_pairs(cold.dataset, weighed.recipe),
        )
        with progress("cold items", count_cold_start_attempts()) as tick:
            return choose_cold_start(state, weighed, self.settings.fit.cold_loss, tick), ()

    def _make_queries(
        self,
        bench: Bench,
        learnt: ItemFactors,
        weighed: Weighed,
        part: Collaborative,
        pairs: CoOccurrence | None = None,
    ) -> Queries:
        """Return what an index would be asked with for the users of a bench."""
        return make_queries(bench, learnt, weighed.recipe, weighed.recency, part, pairs)

    def _text_alone(self, bench: Bench) -> float:
        recency = self.settings.profile.recency
        return ndcg(bench.ranks(bench.text_profiles(recency), self.texts))


def _profile(weighed: Weighed, found: ColdStart | None) -> dict[str, float]:
    tail = {} if found is None else {"tail_recency": found.tail_recency}
    return {"recency": weighed.recency, **tail}


def _neighbour_notes(neighbours: ChosenNeighbours | None) -> tuple[str, ...]:
    return () if neighbours is None else neighbours.notes


def _uncalibrated(calibration: Calibration | None) -> tuple[str, ...]:
    if calibration is not None:
        return ()
    return ("scores do not predict what dev users chose: probabilities are not fitted",)
