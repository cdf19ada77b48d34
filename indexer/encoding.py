"""Binds a base bundle to a catalogue, and turns the items into documents with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seealso.config import Settings
from seealso.encoder import (
    Bundle,
    BundleStore,
    Encoder,
    ImageVectors,
    ItemText,
    VectorCache,
    bind,
    encode_views,
    fit_projection,
    item_encoder,
    whitens,
)
from seealso.errors import BundleError
from seealso.indexer.documents import digest, document
from seealso.indexer.importance import ImportanceTable
from seealso.log import progress
from seealso.types import Item, Space

Tick = Callable[[int], None]


def bind_to_catalogue(
    base: Bundle,
    sample: Sequence[Item],
    settings: Settings,
    cache: VectorCache | None,
) -> Bundle:
    """Fit the projection on a sample of the catalogue and keep it, with the texts, in a bundle.

    A bundle that has a projection of its own keeps it; so does one where neither whitening nor
    a shorter vector is asked for.

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
    whiten = whitens(base, settings)
    if projection is None and (whiten or settings.encoder.dimension):
        text = ItemText(settings.text)
        rendered = [text.render(item.fields) for item in sample]
        with progress("fitting projection", len(rendered)) as tick:
            raw = item_encoder(base, settings, cache).raw_items(rendered, tick=tick)
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


def digests(
    items: Sequence[Item], text: ItemText, fingerprint: str, images: ImageVectors | None
) -> list[str]:
    """Return the digest of the document that each item becomes with these texts and bundle."""
    seen = ["" if images is None else images.digest(item.item_id) for item in items]
    return [
        digest(item, text.render(item.fields), fingerprint, image)
        for item, image in zip(items, seen, strict=True)
    ]


@dataclass(frozen=True)
class DocumentMaker:
    """Turns batches of items into documents, encoding only those that changed.

    Attributes
    ----------
    encoder, text, importance, space, images
        What the documents are made with.
    """

    encoder: Encoder
    text: ItemText
    importance: ImportanceTable
    space: Space
    images: ImageVectors | None = None

    def pictured(self, items: Sequence[Item]) -> int:
        """Return how many of the items have an image that takes part."""
        return 0 if self.images is None else sum(item.item_id in self.images for item in items)

    def digests(self, items: Sequence[Item]) -> list[str]:
        """Return the digest of the document that each item would become."""
        return digests(items, self.text, self.encoder.bundle.fingerprint, self.images)

    def make(
        self, items: Sequence[Item], digests: Sequence[str], tick: Tick
    ) -> Iterator[Mapping[str, Any]]:
        """Encode `items` and yield their documents, in order."""
        texts, vectors = encode_views(self.encoder, self.text, items, images=self.images, tick=tick)
        for item, text, vector, key in zip(items, texts, vectors, digests, strict=True):
            yield document(
                item,
                text=text,
                vector=vector,
                importance=self.importance.weight(item.item_id),
                interactions=self.importance.interactions(item.item_id),
                tail=self.importance.is_tail(item.item_id),
                digest=key,
                space=self.space,
            )
