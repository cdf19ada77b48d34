"""Chooses what a fitted bundle is made of, one thing after the other, on dev.

Factors, weights, recency, pairs, what new items get, importance and calibration, in this order:
each is chosen with those before it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from seealso.config import Settings
from seealso.datasets.questions import Question, sample
from seealso.encoder import Collaborative
from seealso.errors import DataError
from seealso.evaluation.baselines import IALS
from seealso.evaluation.choosing import count_attempts
from seealso.evaluation.protocols import Holdout, cold_items
from seealso.evaluation.tuning import RECENCIES, Dev, search
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.crowd import CROWDS, ChosenCrowd, Pool, as_questions, choose_crowd, drawn
from seealso.fitting.importance import Shares, choose
from seealso.fitting.newcomers import Cold, Newcomers, newcomer_tries, newcomers
from seealso.fitting.probability import calibrate, shown
from seealso.fitting.recipe import Learnt, Recipe, collaborative, learn, scaled
from seealso.fitting.together import PAIRINGS, lifts, pair
from seealso.fitting.weighing import Weighed, tries, unit_users, weigh
from seealso.log import progress
from seealso.models.co_occurrence import pairs
from seealso.models.histories import Matrix
from seealso.models.ials import fit_ials
from seealso.types import Calibration, Vector

START: Final = Recipe(
    factors=0, alpha=0, regularisation=0, recency=1, weight=1.5, ridge=10, newcomer=0.75
)
"""What is taken where nothing can be chosen: too few items to try it on."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What dev chose, and what each step reached there.

    Attributes
    ----------
    recipe, profile, importance, calibration
        What was chosen; no calibration where scores foretell nothing.
    dev
        NDCG@10 on dev after each step, by name.
    cold
        NDCG@20 of items without events in the whole catalogue, and what their length costs, if
        that could be tried.
    notes
        What a person should know.
    crowd
        What was chosen of the crowd; empty where there is no users index.
    """

    recipe: Recipe
    profile: Mapping[str, float]
    importance: Mapping[str, Any]
    calibration: Calibration | None
    dev: Mapping[str, float]
    cold: Mapping[str, float]
    notes: tuple[str, ...]
    crowd: Mapping[str, Any] = field(default_factory=dict)


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

    def fitted(self, shares: Shares) -> tuple[Collaborative, Fitted]:
        """Return what behaviour knows, and the rest; `shares` are the importances to try."""
        bench = self._bench(self.holdout.dev)
        alone, recipe, learnt = self._factorised()
        with progress("weighing", tries()) as tick:
            weighed = weigh(bench, learnt, recipe, tick)
        dataset = self.holdout.dataset
        ids = dataset.catalogue.ids
        plain = collaborative(ids, learnt, self.texts, weighed.recipe)
        users = self._users(bench, learnt, weighed, plain)
        with progress("pairs", count_attempts(PAIRINGS)) as tick:
            paired = pair(bench, users, plain.join(ids, self.texts), dataset, tick)
        pairing = paired.pairing if paired.pairing.share else None
        weighed = replace(weighed, recipe=replace(weighed.recipe, together=pairing))
        found, note = self._newcomers(weighed)
        recipe = weighed.recipe if found is None else found.recipe
        together = pairs(dataset, pairing)
        part = collaborative(ids, learnt, self.texts, recipe, together)
        users, items = self._users(bench, learnt, weighed, part), part.join(ids, self.texts)
        added = lifts(bench, together) * part.dilution
        importance = choose(bench, users, items, shares, added)
        weighted = items * importance.weights[:, None]

        def others(known: Bench) -> Vector:
            return self._users(known, learnt, weighed, part)

        crowd = self._crowd(bench, users, weighted, others, added)
        if crowd is not None:
            added = crowd.over(added)
        calibration = calibrate(shown(bench, users, weighted, added))
        return part, Fitted(
            recipe=recipe,
            profile=_profile(weighed, found),
            importance=importance.settings,
            calibration=calibration,
            dev={
                "text alone": self._text_alone(bench),
                "behaviour alone": alone,
                "joined": weighed.ndcg,
                "with pairs": paired.ndcg,
                "with new items": importance.without,
                "with importance": importance.reached,
                **({} if crowd is None else {"with neighbours": crowd.reached}),
            },
            cold={} if found is None else _cold_facts(found),
            notes=(*note, *importance.notes, *_crowd_notes(crowd), *_uncalibrated(calibration)),
            crowd={} if crowd is None else crowd.settings,
        )

    def _crowd(
        self,
        bench: Bench,
        users: Vector,
        items: Vector,
        others: Callable[[Bench], Vector],
        base: Matrix,
    ) -> ChosenCrowd | None:
        """Return what neighbours add to the lists, or None where there is no users index."""
        if not self.settings.users.enabled:
            return None
        known = drawn(self.holdout.dataset.sequences, self.settings.training.seed)
        with progress("crowd", count_attempts(CROWDS)) as tick:
            pool = Pool(known, others(self._bench(as_questions(known))))
            return choose_crowd(bench, users, items, pool, base, tick)

    def _bench(self, questions: Sequence[Question]) -> Bench:
        return Bench.of(self.texts, questions, self.settings.profile.history_items)

    def _factorised(self) -> tuple[float, Recipe, Learnt]:
        """Return dev NDCG@10 of the best factorisation by itself, its recipe and its factors."""
        factors = self.settings.fit.factors
        grid = {**IALS, "factors": (factors,)}
        with progress("factorising", count_attempts(grid)) as tick:
            dev = Dev(self.holdout.dataset, self.holdout.dev)
            best = search(fit_ials, grid, RECENCIES, dev, tick)
        recipe = replace(
            START,
            factors=factors,
            alpha=best.chosen["alpha"],
            regularisation=best.chosen["regularisation"],
            recency=best.recency,
        )
        return best.ndcg, recipe, scaled(best.model, self.holdout.dataset)

    def _newcomers(self, weighed: Weighed) -> tuple[Newcomers | None, tuple[str, ...]]:
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
        state = Cold(
            ids=cold.dataset.catalogue.ids,
            warm=self._bench(cold.dataset.dev),
            cold=self._bench(cold.dev),
            among=cold.cold,
            learnt=learn(cold.dataset, weighed.recipe),
            together=pairs(cold.dataset, weighed.recipe.together),
        )
        with progress("new items", newcomer_tries()) as tick:
            return newcomers(state, weighed, self.settings.fit.cold_loss, tick), ()

    def _users(self, bench: Bench, learnt: Learnt, weighed: Weighed, part: Collaborative) -> Vector:
        """Return E_u of the users of a bench, as an index would be asked with them."""
        return unit_users(bench.told(weighed.recency), bench.folded(learnt, weighed.recipe), part)

    def _text_alone(self, bench: Bench) -> float:
        recency = self.settings.profile.recency
        return ndcg(bench.ranks(bench.told(recency), self.texts))


def _profile(weighed: Weighed, found: Newcomers | None) -> dict[str, float]:
    tail = {} if found is None else {"tail_recency": found.tail_recency}
    return {"recency": weighed.recency, **tail}


def _cold_facts(found: Newcomers) -> dict[str, Any]:
    lost = 1 - found.warm / found.warm_alone if found.warm_alone else 0.0
    return {"ndcg@20": found.cold, "warm ndcg@10": found.warm, "lost": lost}


def _crowd_notes(crowd: ChosenCrowd | None) -> tuple[str, ...]:
    return () if crowd is None else crowd.notes


def _uncalibrated(calibration: Calibration | None) -> tuple[str, ...]:
    if calibration is not None:
        return ()
    return ("scores do not foretell what dev users chose: probabilities are not fitted",)
