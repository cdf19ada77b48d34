"""Binds a base bundle to a catalogue: the texts of a sample, and the projection fitted on them."""

from collections.abc import Sequence
from typing import Final

from seealso.config import Settings
from seealso.encoder import (
    LEAST_TEXTS,
    Bundle,
    BundleStore,
    ImageVectors,
    ItemText,
    bind,
    fit_projection,
    item_encoder,
    names_read,
    require_shorter,
    too_few_to_whiten,
    whitens,
)
from seealso.errors import BundleError, DataError
from seealso.log import progress
from seealso.types import Item

LARGEST_TEXTLESS_SHARE: Final = 0.5
"""Share of items without a vector above which an index is of no use."""


def sample_texts(
    sample: Sequence[Item], settings: Settings, images: ImageVectors | None = None
) -> list[str]:
    """Return the texts of a sample of the catalogue; an item that says nothing has an empty one.

    Parameters
    ----------
    sample
        Some items, drawn evenly.
    settings
        ``text``, and for messages ``catalogue``.
    images
        Images that take part: such an item has a vector without any text.

    Raises
    ------
    DataError
        Fewer than half of the items would get a vector; the message says what was looked at.
    """
    text = ItemText(settings.text)
    views = [text.render_views(item.fields) for item in sample]
    textless = sum(
        not any(texts) and (images is None or item.item_id not in images)
        for item, texts in zip(sample, views, strict=True)
    )
    if textless > LARGEST_TEXTLESS_SHARE * len(sample):
        raise _mostly_textless(textless, len(sample), settings)
    return [texts[0] for texts in views]


def _mostly_textless(items: int, of: int, settings: Settings) -> DataError:
    columns = settings.catalogue
    if "item" not in settings.text.model_fields_set:
        read = ", ".join(columns.text) or "no column"
        hint = "name the columns that hold text in catalogue.text"
    else:
        known = {*columns.text, *columns.keywords, *columns.lists, *columns.numbers}
        names = sorted(names_read(settings.text.item))
        read = ", ".join(names) or "no column"
        absent = [name for name in names if name not in known]
        of_which = f"[catalogue] names no column {', '.join(map(repr, absent))}: " if absent else ""
        hint = f"{of_which}correct text.item, or leave it out to read what catalogue.text names"
    return DataError(
        f"{items:,} of {of:,} items have no text and would get no vector: text.item reads {read}",
        hint=hint,
        field="text.item",
    )


def whitening_note(base: Bundle, texts: Sequence[str], settings: Settings) -> str | None:
    """Say that a bundle is not whitened which would be if there were more texts."""
    would_whiten = settings.encoder.whiten is None and base.whiten and base.text is None
    if not would_whiten or not too_few_to_whiten(base, texts):
        return None
    return (
        f"vectors are not whitened: {len(set(texts) - {''}):,} different texts are fewer than "
        f"{LEAST_TEXTS} for each of {base.text_dimension} dimensions"
    )


def bound_dimension(base: Bundle, settings: Settings) -> int:
    """Return the dimension of the bundle that `bind_to_catalogue` would make.

    Raises
    ------
    ConfigError
        The settings want longer vectors than the model has.
    """
    dimension = settings.encoder.dimension
    if dimension is None or base.projection is not None or base.collaborative is not None:
        return base.dimension
    require_shorter(dimension, base.dimension)
    return dimension


def bind_to_catalogue(base: Bundle, texts: Sequence[str], settings: Settings) -> Bundle:
    """Fit the projection on `sample_texts` and keep it, with the templates, in a bundle.

    A bundle that has a projection of its own keeps it; so does one where neither whitening nor a
    shorter vector is requested.

    Raises
    ------
    BundleError
        The bundle was fitted over other texts than those of the settings.
    """
    if base.collaborative is not None and base.text != settings.text:
        raise BundleError(
            f"{base.name}: fitted over other text templates than those of the settings",
            hint="run `seealso fit` again",
            bundle=base.name,
        )
    projection = base.projection
    whiten = whitens(base, settings, texts)
    if projection is None and (whiten or settings.encoder.dimension):
        with progress("fitting projection", len(texts)) as tick:
            raw = item_encoder(base, settings).raw_items(texts, tick=tick)
        projection = fit_projection(
            raw[raw.any(axis=1)],
            whiten=whiten,
            dimension=settings.encoder.dimension,
        )
    return bind(
        base,
        text=settings.text,
        projection=projection,
        collaborative=base.collaborative,
        images=base.images,
        calibration=base.calibration,
        store=BundleStore(settings.encoder.store),
    )
