"""Opens what the settings name: the bundle of an index, its encoder, its cache, its whitening."""

from collections.abc import Iterable, Mapping
from typing import Final

from seealso.config import Settings
from seealso.encoder.bundle import Bundle
from seealso.encoder.cache import VectorCache
from seealso.encoder.encoder import Encoder
from seealso.encoder.store import BundleStore
from seealso.errors import BundleError

LEAST_INT8_HEAD: Final = 0.995
"""Least mean cosine of int8 with fp32 behind a head, which enlarges what distinguishes items and,
with it, what is lost."""

LEAST_TEXTS: Final = 2
"""Texts that whitening needs for each dimension of the model."""


def find_serving_bundle(settings: Settings) -> Bundle:
    """Return the bundle that an index is built with: the fitted one, once there is one.

    ``encoder.bundle`` names the model that reads texts. The fitted bundle takes its place if it was
    fitted with this model, or with the fine-tuned one because its lists are
    better. If the model is bound to a catalogue already, the fit must name that very bundle.

    Raises
    ------
    BundleError
        The bundle is not in the store, or one of the two is damaged.
    """
    store = BundleStore(settings.encoder.store)
    model = store.find(settings.encoder.bundle)
    if not store.has(settings.fit_name):
        return model
    fitted = store.find(settings.fit_name)
    fit, trained = fitted.origin.get("fit", {}), settings.tuned_name
    if fit.get("base") == trained and fit.get("named") == model.name and store.has(trained):
        fits = fitted.model_fingerprint == store.find(trained).model_fingerprint
    elif model.text is None:
        fits = fitted.model_fingerprint == model.model_fingerprint
    else:
        fits = fit.get("base") == model.name
    return fitted if fits else model


def fit_note(settings: Settings, bundle: Bundle) -> str | None:
    """Say that an index with `bundle` ranks by texts alone, or by the fit of another alias."""
    fitted, alias = settings.fit_name, settings.index.alias
    if bundle.text is not None:
        fit = bundle.origin.get("fit", {})
        if fit.get("alias", alias) == alias:
            return None
        return f"{bundle.name} was fitted for the alias {fit['alias']}, not for {alias}"
    if not BundleStore(settings.encoder.store).has(fitted):
        return f"lists are from texts alone: there is no fitted bundle {fitted}"
    return (
        f"lists are from texts alone: {fitted} was fitted over another model than {bundle.name}; "
        "`seealso build` fits it again"
    )


def item_encoder(bundle: Bundle, settings: Settings) -> Encoder:
    """Return the encoder that items are written with, and the cache that the settings name.

    Raises
    ------
    BundleError
        The model cannot be loaded, or its int8 twin is chosen and loses too much behind a head.
    """
    chosen = settings.encoder
    _check_precision(bundle, chosen.precision, "encoder.precision")
    return Encoder(
        bundle,
        precision=chosen.precision,
        runs=chosen.threads,
        tokens_per_batch=chosen.tokens_per_batch,
        cache=open_cache(settings),
    )


def query_encoder(bundle: Bundle, settings: Settings) -> Encoder:
    """Return the encoder that texts of users are read with, as `item_encoder` does for items."""
    chosen = settings.encoder
    _check_precision(bundle, chosen.query_precision, "encoder.query_precision")
    return Encoder(
        bundle,
        precision=chosen.query_precision,
        threads=chosen.query_threads,
        shared=chosen.shared,
    )


def _check_precision(bundle: Bundle, precision: str, setting: str) -> None:
    """Raise BundleError if `setting` chooses int8, and behind the bundle's head that loses much."""
    if precision != "int8" or _recorded(bundle, "training", "method") != "head":
        return
    measured = _recorded(bundle, "parity", "int8_mean")
    if isinstance(measured, float) and measured >= LEAST_INT8_HEAD:
        return
    raise BundleError(
        f"{setting}: int8 of {bundle.name} has a mean cosine of {measured or '?'} with its fp32 "
        f"model; behind a head, at least {LEAST_INT8_HEAD} is needed",
        hint=f'set {setting} = "fp32", or train the model again with `seealso train --force`: int8 '
        "behind a head loses less now",
        setting=setting,
        bundle=bundle.name,
    )


def _recorded(bundle: Bundle, section: str, name: str) -> object:
    """Return what a bundle says of its origin; one from elsewhere may say anything, or nothing."""
    found = bundle.origin.get(section)
    return found.get(name) if isinstance(found, Mapping) else None


def open_cache(settings: Settings) -> VectorCache | None:
    """Return the cache of encoded texts that the settings name, if any."""
    return VectorCache(settings.encoder.cache) if settings.encoder.cache else None


def whitens(bundle: Bundle, settings: Settings, texts: Iterable[str]) -> bool:
    """Whether a projection that is fitted for `bundle` on `texts` whitens.

    The settings say. Where they do not, the bundle does, if there are at least `LEAST_TEXTS`
    different texts to a dimension: fewer leave directions that nothing is known about. A bundle
    that is bound to a catalogue was whitened, or not, when it was bound.
    """
    if settings.encoder.whiten is not None:
        return settings.encoder.whiten
    return bundle.whiten and bundle.text is None and not too_few_to_whiten(bundle, texts)


def too_few_to_whiten(bundle: Bundle, texts: Iterable[str]) -> bool:
    """Whether `texts` are too few, or too much alike, to fit a whitening on."""
    different = len({text for text in texts if text})
    return different < LEAST_TEXTS * bundle.text_dimension
