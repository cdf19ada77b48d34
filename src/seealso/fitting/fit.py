"""From a text model and behaviour to a bundle that an index is built with, in minutes.

Everything is chosen on dev, by what was learnt without the answers of dev and test. With what was
chosen, all events are then learnt: what serves knows everything. Evaluations learn again, from what
may be known in them (`seealso.fitting.refit`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from time import perf_counter
from types import MappingProxyType
from typing import Final

from seealso.config import Settings
from seealso.datasets.dataset import Events, Items, read_all_choices
from seealso.datasets.sampling import SampledEvents, sample_events
from seealso.encoder import Bundle, BundleStore, ImageVectors
from seealso.errors import BundleError, ConfigError
from seealso.evaluation.protocols import Holdout, hold_out, known_events
from seealso.fitting.bundles import identify_inputs, read_contents, write_fitted
from seealso.fitting.factors import Factorised
from seealso.fitting.fit_report import FitReport
from seealso.fitting.fitter import Fitted, Fitter
from seealso.fitting.groups import ChosenGroups, fit_groups
from seealso.fitting.images import ImageContent, choose_image_weight
from seealso.fitting.importance import Shares, read_shares
from seealso.fitting.lineage import Lineage
from seealso.fitting.recipe import learn_collaborative
from seealso.fitting.text_models import FineTuned, find_text_models
from seealso.log import progress
from seealso.types import GroupMembers

NO_GROUPS: Final[GroupMembers] = MappingProxyType({})


def fit(
    settings: Settings,
    items: Items,
    events: Events,
    images: ImageVectors | None = None,
    groups: GroupMembers = NO_GROUPS,
) -> FitReport:
    """Fit a bundle over the texts as ``encoder.bundle`` reads them.

    If there is a fine-tuned model, it is fitted as well, and reads the texts
    where that makes the lists better beyond chance.

    Parameters
    ----------
    settings
        ``fit``, ``encoder``, ``text``, ``images``, ``profile``, ``importance``,
        ``events.positive`` and ``training`` (its split, and its most events) are used.
    items, events
        Give the batches of the catalogue and the event frames.
    images
        What the items look like, if anything is known of that.
    groups
        Members of known groups; their events are those with the id of the group.

    Raises
    ------
    TooFewEvents
        There is too little to learn from, or there are no questions.
    DataError
        All images are alike.
    BundleError
        The bundle is not in the store, or is damaged.
    MissingExtraError
        The extra ``evaluate`` is not installed.
    """
    return _FitInputs.read(settings, items, events, images, groups).fit()


def refresh_fit(
    settings: Settings,
    items: Items,
    events: Events,
    images: ImageVectors | None = None,
    groups: GroupMembers = NO_GROUPS,
) -> FitReport | Bundle:
    """Fit as `fit` does, unless that bundle was fitted from the same inputs.

    Returns
    -------
    FitReport or Bundle
        What was fitted, or the bundle that is there and stays.

    Raises
    ------
    TooFewEvents
        There is too little to learn from, or there are no questions.
    ConfigError
        The bundle of that name is the fit of another alias, or was not fitted.
    DataError, BundleError, MissingExtraError
        As for `fit`.
    """
    inputs = _FitInputs.read(settings, items, events, images, groups)
    return inputs.find_current() or inputs.fit()


def find_current_fit(
    settings: Settings,
    items: Items,
    events: Events,
    images: ImageVectors | None = None,
    groups: GroupMembers = NO_GROUPS,
) -> Bundle | None:
    """Return the bundle that `refresh_fit` would leave as it is; None where it would fit.

    Raises
    ------
    TooFewEvents, ConfigError, DataError, BundleError
        As for `refresh_fit`.
    """
    return _FitInputs.read(settings, items, events, images, groups).find_current()


@dataclass(frozen=True)
class _FitInputs:
    """What a fit is made from: the models that may read the texts, and what may be known of users.

    Attributes
    ----------
    settings, items, images, groups
        As `fit` takes them.
    events
        Those that are learnt from and asked about.
    models
        The model of `encoder.bundle`, and a fine-tuned one if there is one.
    notes
        What a person should know.
    holdout
        What may be known on dev.
    """

    settings: Settings
    items: Items
    events: SampledEvents
    images: ImageVectors | None
    groups: GroupMembers
    models: Sequence[Bundle]
    notes: Sequence[str]
    holdout: Holdout

    @classmethod
    def read(
        cls,
        settings: Settings,
        items: Items,
        events: Events,
        images: ImageVectors | None,
        groups: GroupMembers,
    ) -> "_FitInputs":
        # before hours of events are read, should the model be missing
        models, notes = find_text_models(settings)
        found = sample_events(settings, events, lambda: groups)
        with progress("reading"):
            split = settings.training.split
            (holdout,) = hold_out(settings, items, lambda: found, names=[split], split="dev")
        return cls(settings, items, found, images, groups, models, notes, holdout)

    @cached_property
    def signature(self) -> str:
        """Hash of all of it, by which equal inputs are recognised."""
        return identify_inputs(
            self.settings,
            self.models,
            self.holdout.dataset,
            self.items,
            self.events,
            self.images,
            self.groups,
        )

    def find_current(self) -> Bundle | None:
        """Return the bundle that was fitted from the same inputs, if it is there.

        Raises
        ------
        ConfigError
            Another alias needs the bundle of that name, or it was not fitted.
        """
        store, name = BundleStore(self.settings.encoder.store), self.settings.fit_name
        if not store.has(name):
            return None
        try:
            there = store.find(name)
            lineage = Lineage.of(there)
        except BundleError:
            # damaged, or of an earlier version: it is fitted anew
            return None
        self._require_own(there, lineage)
        return there if lineage is not None and lineage.inputs == self.signature else None

    def _require_own(self, there: Bundle, lineage: Lineage | None) -> None:
        """Make sure that a fit may replace the bundle of its name."""
        alias = self.settings.index.alias
        if lineage is not None and lineage.alias in ("", alias):
            return
        what = "is no fitted bundle" if lineage is None else f"is the fit of {lineage.alias}"
        raise ConfigError(
            f"fit.name: {there.name} {what}, which a fit of {alias} would replace",
            hint="leave fit.name out, or give another name; `seealso fit --force` replaces it",
            field="fit.name",
        )

    def fit(self) -> FitReport:
        """Fit with each model, and write the bundle of the one whose lists are best on dev."""
        began = perf_counter()
        known = known_events(self._read_events, self.holdout)
        shares = read_shares(self.settings, self.items, known, self.holdout.dataset)
        behaviour = Factorised.choose(self.settings, self.holdout)
        chosen, *others = (self._choose(model, behaviour, shares) for model in self.models)
        fine_tuned = None
        for other in others:
            seed = self.settings.training.seed
            fine_tuned = FineTuned.compare(
                other.model.name, chosen.fitted.gains, other.fitted.gains, seed
            )
            chosen = other if fine_tuned.chosen else chosen
        groups = self._choose_groups(chosen, shares)
        bundle = self._write(chosen, groups)
        return FitReport(
            bundle=bundle.name,
            fingerprint=bundle.fingerprint,
            dimension=bundle.dimension,
            base=chosen.model.name,
            fitted=replace(chosen.fitted, notes=(*self.notes, *chosen.fitted.notes)),
            users=len(self.holdout.dev),
            items=len(chosen.contents.vectors),
            seconds=perf_counter() - began,
            images=chosen.contents.facts,
            fine_tuned=fine_tuned,
            groups=groups,
            draw=self.events.draw,
        )

    def _read_events(self) -> SampledEvents:
        return self.events

    def _choose(self, model: Bundle, behaviour: Factorised, shares: Shares) -> "_Fit":
        """Choose on dev everything that joins behaviour with the texts as `model` reads them."""
        dataset = self.holdout.dataset
        plain, texts = read_contents(self.settings, model, self.items, dataset)
        ids = dataset.catalogue.ids
        held = choose_image_weight(self.settings, ids, texts, self.holdout.dev, self.images)
        plain = replace(plain, images=held.images, dimension=held.vectors.shape[1])
        fitted = Fitter(self.settings, self.holdout, held.vectors).choose(behaviour, shares)
        fitted = replace(fitted, dev=held.beside(fitted.dev), notes=(*held.notes, *fitted.notes))
        return _Fit(model, plain, held, fitted)

    def _choose_groups(self, chosen: "_Fit", shares: Shares) -> ChosenGroups | None:
        """Choose how lists for known groups are made; None without any."""
        if not self.groups:
            return None
        texts = chosen.contents.vectors
        known = self.settings, self.holdout, texts, chosen.fitted, shares
        groups = self.events.select_groups(self.groups)
        return fit_groups(*known, self._read_events, groups)

    def _write(self, chosen: "_Fit", groups: ChosenGroups | None) -> Bundle:
        """Learn from all events what was chosen, and write the bundle."""
        settings, catalogue = self.settings, self.holdout.dataset.catalogue
        with progress("learning from all events"):
            everything = read_all_choices(settings, catalogue, self._read_events)
            part = learn_collaborative(everything, chosen.contents.vectors, chosen.fitted.recipe)
        lineage = Lineage(
            alias=settings.index.alias,
            inputs=self.signature,
            base=chosen.model.name,
            named=self.models[0].name,
            recipe=chosen.fitted.recipe.as_dict(),
            dev=chosen.fitted.dev,
            cold=chosen.fitted.cold,
            events=int(everything.event_counts().sum()),
            at=datetime.now(UTC).replace(microsecond=0),
        )
        return write_fitted(settings, chosen.plain, part, chosen.fitted, lineage, groups)


@dataclass(frozen=True)
class _Fit:
    """What was chosen on dev with one model.

    Attributes
    ----------
    model, plain
        The model, and its bundle bound to the catalogue.
    contents
        What it reads in the items.
    fitted
        What was chosen.
    """

    model: Bundle
    plain: Bundle
    contents: ImageContent
    fitted: Fitted
