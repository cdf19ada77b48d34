"""Writes the documents of a catalogue to one index, leaving those alone that are right already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seealso.cluster import BulkWriter, Cluster, fetch, indices
from seealso.config import IndexSettings
from seealso.indexer.documents import DocumentMaker
from seealso.log import Tick, progress
from seealso.types import Item


@dataclass(frozen=True, slots=True)
class Written:
    """How many documents were written, how many were right already, and of both with an image."""

    written: int
    unchanged: int
    with_image: int = 0


def write_catalogue(
    cluster: Cluster,
    name: str,
    batches: Iterable[list[Item]],
    maker: DocumentMaker,
    settings: IndexSettings,
    tick: Tick,
    *,
    fresh: bool,
) -> Written:
    """Encode and write `batches` to the index `name`.

    Parameters
    ----------
    cluster, name
        Where to write.
    batches
        The items.
    maker
        Makes the documents.
    settings
        Threads and sizes of the bulk bodies.
    tick
        Called with the number of items done.
    fresh
        Nothing is in the index yet, so nothing is compared.

    Raises
    ------
    BulkWriteError
        Some documents were refused.
    """
    unchanged = with_image = 0
    writer = BulkWriter(cluster, name, threads=settings.threads, chunk_bytes=settings.bulk_bytes)
    with writer:
        for items in batches:
            digests = maker.digests(items)
            to_write = list(zip(items, digests, strict=True))
            if not fresh:
                to_write = changed(cluster, name, to_write)
            same = len(items) - len(to_write)
            unchanged += same
            with_image += maker.count_images(items)
            tick(same)
            if to_write:
                items_changed, keys = zip(*to_write, strict=True)
                for body in maker.make(items_changed, keys, tick):
                    writer.index(body["item_id"], body)
    return Written(writer.written, unchanged, with_image)


def changed(
    cluster: Cluster, name: str, items: Sequence[tuple[Item, str]]
) -> list[tuple[Item, str]]:
    """Return those of `items`, each with its digest, that the index lacks or holds otherwise."""
    stored = fetch_digests(cluster, name, [item.item_id for item, _ in items])
    return [(item, key) for item, key in items if stored.get(item.item_id) != key]


def fetch_digests(cluster: Cluster, name: str, ids: Sequence[str]) -> dict[str, str]:
    """Return the digests of those documents of `ids` that the index holds with one, by id."""
    found = fetch(cluster, name, ids, source=["digest"])
    return {
        key: hit["_source"]["digest"] for key, hit in found.items() if "digest" in hit["_source"]
    }


def finish_loading(cluster: Cluster, name: str, settings: IndexSettings) -> None:
    """Merge a loaded index and give it the settings that it serves with."""
    with progress("merging", 1) as tick:
        indices.finish_loading(
            cluster, name, replicas=settings.replicas, merge=settings.force_merge
        )
        tick()
