"""The same recipe on less knowledge: what serves has learnt everything, an exam must not."""

from collections.abc import Callable
from dataclasses import replace

from seealso.config import Settings
from seealso.datasets.dataset import Items
from seealso.encoder import ImageVectors, find_serving_bundle
from seealso.evaluation.protocols import Holdout
from seealso.fitting.bundles import read_contents, strip_collaborative, write_joined
from seealso.fitting.lineage import Lineage
from seealso.fitting.recipe import Recipe, learn_collaborative
from seealso.indexer.images import images_for, no_images

FOLDER = "evaluated"
"""Folder of bundles that were fitted for an evaluation, beside the store."""


def refit(
    settings: Settings,
    holdout: Holdout,
    items: Items,
    images: Callable[[], ImageVectors | None] = no_images,
) -> Settings:
    """Return settings whose bundle knows what may be known in `holdout`, and no more.

    A bundle without a collaborative part stays what it is.

    Parameters
    ----------
    settings
        ``encoder.bundle`` is evaluated.
    holdout
        What may be known.
    items
        Gives the batches of the catalogue.
    images
        Reads what the items look like; asked only for a bundle that was fitted with images.

    Raises
    ------
    BundleError
        The bundle is not in the store, is damaged, or was fitted with other images.
    MissingExtraError
        The extra ``evaluate`` is not installed.
    """
    bundle = find_serving_bundle(settings)
    lineage = Lineage.of(bundle)
    if lineage is None:
        return settings
    beside = settings.encoder.store.parent / FOLDER
    encoder = settings.encoder.model_copy(update={"store": beside, "bundle": bundle.name})
    own = settings.model_copy(update={"encoder": encoder})
    base = strip_collaborative(bundle)
    plain, texts = read_contents(own, base, items, holdout.dataset, images_for(base, images))
    part = learn_collaborative(holdout.dataset, texts, Recipe.of(lineage.recipe))
    described = replace(
        plain,
        origin=lineage.as_origin(plain.origin),
        fitted=bundle.fitted,
        calibration=bundle.calibration,
    )
    write_joined(own, described, part, bundle.name)
    return own
