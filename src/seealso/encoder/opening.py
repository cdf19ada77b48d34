"""Opens what the settings name: the encoder of items, its cache, and whether to whiten."""

from collections.abc import Iterable
from typing import Final

from seealso.config import Settings
from seealso.encoder.bundle import Bundle
from seealso.encoder.cache import VectorCache
from seealso.encoder.encoder import Encoder

LEAST_TEXTS: Final = 2
"""Texts that whitening needs for each dimension of the model."""


def item_encoder(bundle: Bundle, settings: Settings, cache: VectorCache | None) -> Encoder:
    """Return the encoder that items are written with."""
    return Encoder(
        bundle,
        precision=settings.encoder.precision,
        threads=settings.encoder.threads,
        tokens_per_batch=settings.encoder.tokens_per_batch,
        cache=cache,
    )


def open_cache(settings: Settings) -> VectorCache | None:
    """Return the cache of encoded texts that the settings name, if any."""
    return VectorCache(settings.encoder.cache) if settings.encoder.cache else None


def whitens(bundle: Bundle, settings: Settings, texts: Iterable[str]) -> bool:
    """Whether a projection that is fitted for `bundle` on `texts` whitens.

    The settings say. Where they do not, the bundle does, if there are at least `LEAST_TEXTS`
    different texts to a dimension: fewer leave directions that nothing is known of. A bundle
    that is bound to a catalogue already was asked then.
    """
    if settings.encoder.whiten is not None:
        return settings.encoder.whiten
    return bundle.whiten and bundle.text is None and not too_few_to_whiten(bundle, texts)


def too_few_to_whiten(bundle: Bundle, texts: Iterable[str]) -> bool:
    """Whether `texts` are too few, or too much alike, to fit a whitening on."""
    different = len({text for text in texts if text})
    return different < LEAST_TEXTS * bundle.text_dimension
