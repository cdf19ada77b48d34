"""From a text model and behaviour to a bundle that an index is built with, in minutes.

Everything is chosen on dev. Test is left to ``seealso evaluate``, and no factor learns from the
events that dev and test ask about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Final

import numpy as np

from seealso.config import Settings
from seealso.encoder import (
    Bundle,
    BundleStore,
    Collaborative,
    ImageVectors,
    ItemText,
    bind,
    encode_views,
    item_encoder,
    open_cache,
)
from seealso.encoder.projection import unit_rows
from seealso.errors import DataError
from seealso.evaluation.baselines import IALS
from seealso.evaluation.baselines.ials import fit_ials
from seealso.evaluation.baselines.tuning import RECENCIES, Dev, search
from seealso.evaluation.exams import Sitting, cold_items, known_events, sittings
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.importance import Shares, choose, read_shares
from seealso.fitting.looks import content
from seealso.fitting.probability import calibrate, shown
from seealso.fitting.recipe import Learnt, Recipe, collaborative, learn, scaled
from seealso.fitting.weighing import (
    Cold,
    Newcomers,
    Weighed,
    asked,
    newcomer_tries,
    newcomers,
    tries,
    weigh,
)
from seealso.indexer.encoding import bind_to_catalogue
from seealso.indexer.inputs import Inputs, survey
from seealso.log import progress
from seealso.training.data.material import Events, Items, Material
from seealso.training.data.ranking import Question, sample
from seealso.types import Calibration, Vector

START: Final = Recipe(
    factors=0, alpha=0, regularisation=0, recency=1, weight=1.5, ridge=10, newcomer=0.75
)
"""What is taken where nothing can be chosen: too few items to try it on."""


@dataclass(frozen=True, slots=True)
class FitReport:
    """What was fitted, and what each step reached on dev.

    Attributes
    ----------
    bundle, fingerprint, dimension
        The bundle that was made.
    base
        The bundle whose model reads the texts.
    recipe, profile, importance, calibration
        What was chosen; no calibration where scores foretell nothing.
    dev
        NDCG@10 on dev after each step, by name.
    cold
        NDCG@20 of items without events in the whole catalogue, and what their length costs, if
        that could be tried.
    users, items
        Dev users who were asked, and items that were ranked.
    notes
        What a person should know.
    seconds
        How long it took.
    images
        What the looks of items weigh, and how many items have one, as `Content.facts`.
    """

    bundle: str
    fingerprint: str
    dimension: int
    base: str
    recipe: Recipe
    profile: Mapping[str, float]
    importance: Mapping[str, Any]
    calibration: Calibration | None
    dev: Mapping[str, float]
    cold: Mapping[str, float]
    users: int
    items: int
    notes: tuple[str, ...]
    seconds: float
    images: Mapping[str, float] = field(default_factory=dict)


def fit(
    settings: Settings, items: Items, events: Events, images: ImageVectors | None = None
) -> FitReport:
    """Fit the bundle ``fit.name`` over the texts of ``encoder.bundle``.

    Parameters
    ----------
    settings
        ``fit``, ``encoder``, ``text``, ``images``, ``profile``, ``importance``,
        ``events.positive`` and ``training`` (its split) are used.
    items, events
        Give the batches of the catalogue and the event frames.
    images
        What the items look like, if anything is known of that.

    Raises
    ------
    DataError
        There is too little to learn from, nobody can be asked, or the images tell nothing apart.
    BundleError
        The bundle is not in the store, or is damaged.
    MissingExtraError
        The extra ``evaluate`` is not installed.
    """
    began = perf_counter()
    with progress("reading"):
        split = settings.training.split
        (sitting,) = sittings(settings, items, events, names=[split], asked="dev")
        known = known_events(settings, events, sitting)
    base = bare(BundleStore(settings.encoder.store).find(settings.encoder.bundle))
    base = replace(base, images=None, dimension=base.text_dimension)
    plain, texts = read(settings, base, items, sitting.material)
    ids = sitting.material.catalogue.ids
    held = content(settings, ids, texts, sitting.dev, images)
    plain = replace(plain, images=held.images, dimension=held.vectors.shape[1])
    fitter = Fitter(settings, sitting, held.vectors)
    fitted = fitter.fitted(read_shares(settings, items, known, sitting.material))
    fitted = replace(fitted, dev=held.beside(fitted.dev), notes=(*held.notes, *fitted.notes))
    bundle = write(settings, plain, fitted, sitting.material)
    return FitReport(
        bundle=bundle.name,
        fingerprint=bundle.fingerprint,
        dimension=bundle.dimension,
        base=base.name,
        recipe=fitted.recipe,
        profile=fitted.profile,
        importance=fitted.importance,
        calibration=fitted.calibration,
        dev=fitted.dev,
        cold=fitted.cold,
        users=len(sitting.dev),
        items=len(texts),
        notes=fitted.notes,
        seconds=perf_counter() - began,
        images=held.facts,
    )


def bare(bundle: Bundle) -> Bundle:
    """Return the bundle without a collaborative part: what knows the contents of items."""
    return replace(bundle, collaborative=None, dimension=bundle.content_dimension, fitted={})


def read(
    settings: Settings,
    base: Bundle,
    items: Items,
    material: Material,
    images: ImageVectors | None = None,
) -> tuple[Bundle, Vector]:
    """Return the bundle bound to the catalogue, and the vectors of its contents, shape (n, d).

    They are those of the texts alone for a bundle that was not fitted with images.
    """
    cache = open_cache(settings)
    with progress("reading") as tick:
        drawn = survey(Inputs(items, list), settings, tick).sample
    plain = bind_to_catalogue(base, drawn, settings, cache)
    encoder, text = item_encoder(plain, settings, cache), ItemText(settings.text)
    place = material.catalogue.place
    texts = np.zeros((len(place), plain.dimension), dtype=np.float32)
    with progress("encoding", len(place) * len(text.names)) as tick:
        for batch in items():
            kept = [item for item in batch if item.item_id in place]
            _, vectors = encode_views(encoder, text, kept, images=images, tick=tick)
            texts[[place[item.item_id] for item in kept]] = vectors
    return plain, texts


@dataclass(frozen=True, eq=False)
class Fitted:
    """What was fitted: the collaborative part, and settings and figures as in `FitReport`."""

    part: Collaborative
    recipe: Recipe
    profile: Mapping[str, float]
    importance: Mapping[str, Any]
    calibration: Calibration | None
    dev: Mapping[str, float]
    cold: Mapping[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Fitter:
    """Chooses one thing after the other on dev.

    Attributes
    ----------
    settings
        The settings.
    sitting
        What may be known, and the dev questions.
    texts
        Vectors of the contents of the catalogue, of texts alone where there are no images,
        shape (n, d).
    """

    settings: Settings
    sitting: Sitting
    texts: Vector

    def fitted(self, shares: Shares) -> Fitted:
        """Return everything that is fitted; `shares` are the importances that are tried."""
        bench = self._bench(self.sitting.dev)
        alone, recipe, learnt = self._factorised()
        with progress("weighing", tries()) as tick:
            weighed = weigh(bench, learnt, recipe, tick)
        found, note = self._newcomers(weighed)
        recipe = weighed.recipe if found is None else found.recipe
        part = collaborative(self.sitting.material.catalogue.ids, learnt, self.texts, recipe)
        users, items = self._vectors(bench, learnt, weighed, part)
        importance = choose(bench, users, items, shares)
        calibration = calibrate(shown(bench, users, items * importance.weights[:, None]))
        return Fitted(
            part=part,
            recipe=recipe,
            profile=_profile(weighed, found),
            importance=importance.settings,
            calibration=calibration,
            dev={
                "text alone": self._text_alone(bench),
                "behaviour alone": alone,
                "joined": importance.without,
                "with importance": importance.reached,
            },
            cold={} if found is None else _cold_facts(found),
            notes=(*note, *importance.notes, *_uncalibrated(calibration)),
        )

    def _bench(self, questions: Sequence[Question]) -> Bench:
        return Bench.of(self.texts, questions, self.settings.profile.history_items)

    def _factorised(self) -> tuple[float, Recipe, Learnt]:
        """Return dev NDCG@10 of the best factorisation by itself, its recipe and its factors."""
        factors = self.settings.fit.factors
        grid = {**IALS, "factors": (factors,)}
        with progress("factorising", 1 + sum(len(values) - 1 for values in grid.values())) as tick:
            dev = Dev(self.sitting.material, self.sitting.dev)
            best = search(fit_ials, grid, RECENCIES, dev, tick)
        recipe = replace(
            START,
            factors=factors,
            alpha=best.chosen["alpha"],
            regularisation=best.chosen["regularisation"],
            recency=best.recency,
        )
        return best.ndcg, recipe, scaled(best.model, self.sitting.material)

    def _newcomers(self, weighed: Weighed) -> tuple[Newcomers | None, tuple[str, ...]]:
        """Hide the events of some items, and see what their texts should be worth."""
        training = self.settings.training

        def drawn(questions: Sequence[Question]) -> list[Question]:
            return sample(questions, training.dev_users, training.seed)

        try:
            cold = cold_items(self.sitting.material, "dev", drawn, training.dev_users)
            if not cold.material.dev:
                raise DataError("cold: no dev user is left")
        except DataError as exc:
            return None, (f"items without events were not tried ({exc.message})",)
        state = Cold(
            warm=self._bench(cold.material.dev),
            cold=self._bench(cold.dev),
            among=cold.cold,
            learnt=learn(cold.material, weighed.recipe),
        )
        with progress("new items", newcomer_tries()) as tick:
            return newcomers(state, weighed, self.settings.fit.cold_loss, tick), ()

    def _vectors(
        self, bench: Bench, learnt: Learnt, weighed: Weighed, part: Collaborative
    ) -> tuple[Vector, Vector]:
        """Return E_u of the dev users and E_i of the catalogue, as an index would hold them."""
        told = bench.told(weighed.recency)
        rows = asked(told, bench.folded(learnt, weighed.recipe), part.weight)
        users = unit_rows(np.hstack([rows, np.zeros((len(rows), 1), dtype=np.float32)]))
        return users, part.join(self.sitting.material.catalogue.ids, self.texts)

    def _text_alone(self, bench: Bench) -> float:
        recency = self.settings.profile.recency
        return ndcg(bench.ranks(bench.told(recency), self.texts))


def write(settings: Settings, plain: Bundle, fitted: Fitted, material: Material) -> Bundle:
    """Write the bundle ``fit.name``: `plain` with what was fitted."""
    lineage = {
        "recipe": fitted.recipe.as_dict(),
        "base": plain.name,
        "data": material.signature,
        "dev": dict(fitted.dev),
        "cold": dict(fitted.cold),
    }
    told = replace(
        plain,
        origin={**plain.origin, "fit": lineage},
        fitted={"profile": dict(fitted.profile), "importance": dict(fitted.importance)},
        calibration=fitted.calibration or Calibration(),
    )
    return joined(settings, told, fitted.part, settings.fit.name)


def joined(settings: Settings, plain: Bundle, part: Collaborative, name: str) -> Bundle:
    """Write the bundle `name` to the store: `plain` with a collaborative part."""
    return bind(
        plain,
        text=settings.text,
        projection=plain.projection,
        collaborative=part,
        images=plain.images,
        calibration=plain.calibration,
        store=BundleStore(settings.encoder.store),
        name=name,
    )


def _profile(weighed: Weighed, found: Newcomers | None) -> dict[str, float]:
    tail = {} if found is None else {"tail_recency": found.tail_recency}
    return {"recency": weighed.recency, **tail}


def _cold_facts(found: Newcomers) -> dict[str, Any]:
    lost = 1 - found.warm / found.warm_alone if found.warm_alone else 0.0
    return {"ndcg@20": found.cold, "warm ndcg@10": found.warm, "lost": lost}


def _uncalibrated(calibration: Calibration | None) -> tuple[str, ...]:
    if calibration is not None:
        return ()
    return ("scores do not foretell what dev users chose: probabilities are not fitted",)
