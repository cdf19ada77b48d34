"""Opens what the settings name: the encoder of items, its cache, and whether to whiten."""

from seealso.config import Settings
from seealso.encoder.bundle import Bundle
from seealso.encoder.cache import VectorCache
from seealso.encoder.encoder import Encoder


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


def whitens(bundle: Bundle, settings: Settings) -> bool:
    """Whether a projection fitted for `bundle` whitens: the settings say, or else the bundle."""
    return bundle.whiten if settings.encoder.whiten is None else settings.encoder.whiten
