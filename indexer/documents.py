"""One item becomes one document: its own fields, text, weighted vector, importance, tail flag."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from seealso.config import Settings, TextSettings
from seealso.encoder import (
    Bundle,
    Encoder,
    ImageVectors,
    ItemText,
    encode_views,
    item_encoder,
)
from seealso.indexer.importance import ImportanceTable
from seealso.log import Tick
from seealso.readers import RESERVED
from seealso.types import Item, Space, Vector


def stored_vector(vector: Vector, importance: float, space: Space) -> Vector | None:
    """Return the vector as it is indexed, or None where the item has none.

    Parameters
    ----------
    vector
        E_i, shape (dimension,), as `Bundle.drop_padding` has it: zeros for an item without text.
    importance
        w_i.
    space
        In cosine space v_i = w_i * E_i, so that importance takes part in exact and in
        approximate search alike; the other spaces keep E_i and weigh by script.
    """
    if not vector.any():
        return None
    return vector * np.float32(importance) if space is Space.COSINE else vector


def item_vector(document: Mapping[str, Any], bundle: Bundle) -> Vector | None:
    """Return E_i, shape (dimension,), of a document read back, or None where it has none."""
    stored = document.get("vector")
    return None if stored is None else bundle.restore(np.asarray(stored, dtype=np.float32))


def item_direction(document: Mapping[str, Any]) -> Vector | None:
    """Return the direction of the vector that a document holds: how alike items are, is told by it.

    Returns
    -------
    Vector or None
        Unit length, shape (dimension,); None where the document has none.
    """
    stored = document.get("vector")
    if stored is None:
        return None
    vector = np.asarray(stored, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def read_item(document: Mapping[str, Any]) -> Item:
    """Return the item that a document of a built index was made of."""
    fields = {name: value for name, value in document.items() if name not in RESERVED}
    return Item(str(document["item_id"]), fields)


def digest(item: Item, text: str, fingerprint: str, image: str = "") -> str:
    """Return 32 hex digits over the content that a document and its vector depend on.

    A document with the same digest need not be encoded and written again. Importance is left
    out: it changes without encoding.

    Parameters
    ----------
    item, text, fingerprint
        The item, its rendered text, and the bundle's fingerprint.
    image
        Digest of its image; empty for an item or a bundle without.
    """
    images = (image,) if image else ()
    return hash_content(item.item_id, dict(item.fields), text, fingerprint, *images)


def hash_content(*parts: Any) -> str:
    """Return 32 hex digits over plain values; the order of names in an object does not count."""
    content = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return blake2b(content, digest_size=16).hexdigest()


def digests(
    items: Sequence[Item], text: ItemText, fingerprint: str, images: ImageVectors | None
) -> dict[str, str]:
    """Return the digest of the document that each item becomes, by id."""
    found = {}
    for item in items:
        image = "" if images is None else images.digest(item.item_id)
        found[item.item_id] = digest(item, text.render(item.fields), fingerprint, image)
    return found


def find_bare(items: Sequence[Item], text: ItemText, images: ImageVectors | None) -> list[str]:
    """Return the ids of the items that have neither a text nor an image, and so no vector."""
    return [
        item.item_id
        for item in items
        if not any(text.render_views(item.fields))
        and (images is None or not images.digest(item.item_id))
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

    @classmethod
    def of_index(
        cls,
        meta: Mapping[str, Any],
        bundle: Bundle,
        settings: Settings,
        importance: ImportanceTable,
        images: ImageVectors | None,
    ) -> "DocumentMaker":
        """Return what makes documents of an index by what it says of itself.

        Parameters
        ----------
        meta
            Its ``_meta.seealso``.
        bundle
            That it was built with.
        settings
            ``encoder`` says how the bundle is run.
        importance, images
            Of the items.
        """
        return cls(
            item_encoder(bundle, settings),
            ItemText(TextSettings.model_validate(meta["text"])),
            importance,
            Space(meta["space"]),
            images,
        )

    def count_images(self, items: Sequence[Item]) -> int:
        """Return how many of the items have an image that takes part."""
        return 0 if self.images is None else sum(item.item_id in self.images for item in items)

    def digests(self, items: Sequence[Item]) -> dict[str, str]:
        """Return the digest of the document that each item would become, by id."""
        return digests(items, self.text, self.encoder.bundle.fingerprint, self.images)

    def make(
        self, items: Sequence[Item], digests: Mapping[str, str], tick: Tick
    ) -> Iterator[Mapping[str, Any]]:
        """Encode `items` and yield their documents, in order; `digests` holds those of all."""
        texts, vectors = encode_views(self.encoder, self.text, items, images=self.images, tick=tick)
        for item, text, vector in zip(items, texts, vectors, strict=True):
            yield self.document(item, text, vector, digests[item.item_id])

    def document(self, item: Item, text: str, vector: Vector, digest: str) -> dict[str, Any]:
        """Return the document of `item` as it is indexed.

        An item without a vector (no text) carries the tail flag, so that search by words and by
        importance still reaches it. One with events is not cold, though the bundle may not have
        met it.
        """
        interactions = self.importance.interactions(item.item_id)
        part = self.encoder.bundle.collaborative
        if part is not None and interactions > 0:
            vector = part.layout.drop_bonus(vector)
        importance = self.importance.weight(item.item_id)
        bare = self.encoder.bundle.drop_padding(vector, self.space)
        stored = stored_vector(bare, importance, self.space)
        body: dict[str, Any] = {
            **item.fields,
            "item_id": item.item_id,
            "text": text,
            "importance": importance,
            "interactions": interactions,
            "tail": stored is None or self.importance.is_tail(item.item_id),
            "digest": digest,
            "updated_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        if stored is not None:
            body["vector"] = stored
        return body
