"""From a text model and behaviour to a bundle that an index is built with, in minutes.

Everything is chosen on dev, by what was learnt without the answers of dev and test. With what was
chosen, all events are then learnt: what serves knows everything. Evaluations learn again, from what
may be known in them (`seealso.fitting.refit`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import Any

from seealso.config import Settings
from seealso.datasets.dataset import Events, Items, read_all_choices
from seealso.encoder import Bundle, BundleStore, ImageVectors
from seealso.errors import BundleError
from seealso.evaluation.protocols import Holdout, hold_out, known_events
from seealso.fitting.bundles import (
    identify_inputs,
    read_contents,
    strip_collaborative,
    write_fitted,
)
from seealso.fitting.fitter import Fitted, Fitter
from seealso.fitting.images import choose_image_weight
from seealso.fitting.importance import read_shares
from seealso.fitting.lineage import Lineage
from seealso.fitting.recipe import learn_collaborative
from seealso.log import progress


@dataclass(frozen=True, slots=True)
class FitReport:
    """What was fitted, and what each step reached on dev.

    Attributes
    ----------
    bundle, fingerprint, dimension
        The bundle that was made.
    base
        The bundle whose model reads the texts.
    fitted
        What was chosen on dev, and what it reached.
    users, items
        Dev users who were asked, and items that were ranked.
    seconds
        How long it took.
    images
        What images of items weigh, and how many items have one, as `ImageContent.facts`.
    """

    bundle: str
    fingerprint: str
    dimension: int
    base: str
    fitted: Fitted
    users: int
    items: int
    seconds: float
    images: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return everything side by side, for JSON."""
        values = asdict(self)
        return {**values.pop("fitted"), **values}


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
    TooFewEvents
        There is too little to learn from, or there are no questions.
    DataError
        All images are alike.
    BundleError
        The bundle is not in the store, or is damaged.
    MissingExtraError
        The extra ``evaluate`` is not installed.
    """
    base = _find_model(settings)
    return _fit(settings, base, _hold_out(settings, items, events), items, events, images)


def refresh_fit(
    settings: Settings, items: Items, events: Events, images: ImageVectors | None = None
) -> FitReport | Bundle:
    """Fit as `fit` does, unless the bundle ``fit.name`` was fitted from the same inputs.

    Returns
    -------
    FitReport or Bundle
        What was fitted, or the bundle that is there and stays.

    Raises
    ------
    TooFewEvents
        There is too little to learn from, or there are no questions.
    DataError, BundleError, MissingExtraError
        As for `fit`.
    """
    base = _find_model(settings)
    holdout = _hold_out(settings, items, events)
    found = _find_current(settings, base, holdout, images)
    return found or _fit(settings, base, holdout, items, events, images)


def find_current_fit(
    settings: Settings, items: Items, events: Events, images: ImageVectors | None = None
) -> Bundle | None:
    """Return the bundle that `refresh_fit` would leave as it is; None where it would fit.

    Raises
    ------
    TooFewEvents, DataError, BundleError
        As for `refresh_fit`.
    """
    base = _find_model(settings)
    return _find_current(settings, base, _hold_out(settings, items, events), images)


def _find_current(
    settings: Settings, base: Bundle, holdout: Holdout, images: ImageVectors | None
) -> Bundle | None:
    store, name = BundleStore(settings.encoder.store), settings.fit.name
    if not store.has(name):
        return None
    try:
        there = store.find(name)
        lineage = Lineage.of(there)
    except BundleError:
        # damaged, or of an earlier version: it is fitted anew
        return None
    inputs = identify_inputs(settings, base, holdout.dataset, images)
    return there if lineage is not None and lineage.inputs == inputs else None


def _find_model(settings: Settings) -> Bundle:
    # before hours of events are read, should it be missing
    base = strip_collaborative(BundleStore(settings.encoder.store).find(settings.encoder.bundle))
    return replace(base, images=None, dimension=base.text_dimension)


def _hold_out(settings: Settings, items: Items, events: Events) -> Holdout:
    with progress("reading"):
        split = settings.training.split
        (holdout,) = hold_out(settings, items, events, names=[split], split="dev")
    return holdout


def _fit(
    settings: Settings,
    base: Bundle,
    holdout: Holdout,
    items: Items,
    events: Events,
    images: ImageVectors | None,
) -> FitReport:
    began = perf_counter()
    known = known_events(settings, events, holdout)
    plain, texts = read_contents(settings, base, items, holdout.dataset)
    ids = holdout.dataset.catalogue.ids
    held = choose_image_weight(settings, ids, texts, holdout.dev, images)
    plain = replace(plain, images=held.images, dimension=held.vectors.shape[1])
    fitter = Fitter(settings, holdout, held.vectors)
    fitted = fitter.choose(read_shares(settings, items, known, holdout.dataset))
    fitted = replace(fitted, dev=held.beside(fitted.dev), notes=(*held.notes, *fitted.notes))
    inputs = identify_inputs(settings, base, holdout.dataset, images)
    with progress("learning from all events"):
        everything = read_all_choices(settings, holdout.dataset.catalogue, events)
        part = learn_collaborative(everything, held.vectors, fitted.recipe)
    bundle = write_fitted(settings, base, plain, part, fitted, everything, inputs)
    return FitReport(
        bundle=bundle.name,
        fingerprint=bundle.fingerprint,
        dimension=bundle.dimension,
        base=base.name,
        fitted=fitted,
        users=len(holdout.dev),
        items=len(texts),
        seconds=perf_counter() - began,
        images=held.facts,
    )
