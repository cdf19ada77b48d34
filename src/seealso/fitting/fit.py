"""From a text model and behaviour to a bundle that an index is built with, in minutes.

Everything is chosen on dev. Test is left to ``seealso evaluate``, and no factor learns from the
events that dev and test ask about.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import Any

from seealso.config import Settings
from seealso.datasets.dataset import Events, Items
from seealso.encoder import BundleStore, ImageVectors
from seealso.evaluation.protocols import hold_out, known_events
from seealso.fitting.bundles import read_contents, strip_collaborative, write_fitted
from seealso.fitting.fitter import Fitted, Fitter
from seealso.fitting.images import choose_image_weight
from seealso.fitting.importance import read_shares
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
        What dev chose, and what it reached.
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
        told = asdict(self)
        return {**told.pop("fitted"), **told}


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
    # before hours of events are read, should it be missing
    base = strip_collaborative(BundleStore(settings.encoder.store).find(settings.encoder.bundle))
    base = replace(base, images=None, dimension=base.text_dimension)
    with progress("reading"):
        split = settings.training.split
        (holdout,) = hold_out(settings, items, events, names=[split], asked="dev")
        known = known_events(settings, events, holdout)
    plain, texts = read_contents(settings, base, items, holdout.dataset)
    ids = holdout.dataset.catalogue.ids
    held = choose_image_weight(settings, ids, texts, holdout.dev, images)
    plain = replace(plain, images=held.images, dimension=held.vectors.shape[1])
    fitter = Fitter(settings, holdout, held.vectors)
    part, fitted = fitter.fitted(read_shares(settings, items, known, holdout.dataset))
    fitted = replace(fitted, dev=held.beside(fitted.dev), notes=(*held.notes, *fitted.notes))
    bundle = write_fitted(settings, plain, part, fitted, holdout.dataset)
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
