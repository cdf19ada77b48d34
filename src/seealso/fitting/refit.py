"""The same recipe on other knowledge: what an exam asks must not have been learnt."""

from dataclasses import replace
from typing import Any

from seealso.config import Settings
from seealso.encoder import Bundle, BundleStore, bind
from seealso.evaluation.exams import Sitting
from seealso.fitting.fit import bare, read
from seealso.fitting.recipe import Recipe, collaborative, learn
from seealso.training.data.material import Items

EXAMINED = "examined"
"""Folder of bundles that were made for an exam, beside the store."""


def refitted(settings: Settings, sitting: Sitting, items: Items) -> Settings:
    """Return settings whose bundle knows what may be known in `sitting`, and no more.

    A bundle without a collaborative part, or with one that was fitted on this very knowledge,
    stays what it is.

    Parameters
    ----------
    settings
        ``encoder.bundle`` is examined.
    sitting
        What may be known.
    items
        Gives the batches of the catalogue.

    Raises
    ------
    BundleError
        The bundle is not in the store, or is damaged.
    MissingExtraError
        The extra ``evaluate`` is not installed.
    """
    bundle = BundleStore(settings.encoder.store).find(settings.encoder.bundle)
    lineage = bundle.origin.get("fit")
    if bundle.collaborative is None or lineage is None:
        return settings
    if lineage["data"] == sitting.material.signature and not sitting.cold.any():
        return settings
    beside = settings.encoder.store.parent / EXAMINED
    encoder = settings.encoder.model_copy(update={"store": beside, "bundle": bundle.name})
    own = settings.model_copy(update={"encoder": encoder})
    _refit(own, bundle, lineage, sitting, items)
    return own


def _refit(
    settings: Settings, bundle: Bundle, lineage: dict[str, Any], sitting: Sitting, items: Items
) -> None:
    recipe = Recipe.of(lineage["recipe"])
    plain, texts = read(settings, bare(bundle), items, sitting.material)
    learnt = learn(sitting.material, recipe)
    bind(
        replace(plain, fitted=bundle.fitted),
        text=settings.text,
        projection=plain.projection,
        collaborative=collaborative(sitting.material.catalogue.ids, learnt, texts, recipe),
        calibration=bundle.calibration,
        store=BundleStore(settings.encoder.store),
        name=bundle.name,
    )
