"""Writes the documents of a catalogue to one index, leaving those alone that are right already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seealso.cluster import BulkWriter, Cluster, fetch, indices
from seealso.config import IndexSettings
from seealso.indexer.documents import DocumentMaker
from seealso.log import Tick, progress
from seealso.types import Item

MERGE_LIMIT: Final = 100_000
"""Documents of a shard up to which it is merged to one segment. Above, a merge takes about as long
as writing, and gains little: the segments that are left are searched beside each other."""


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
            changed = digests.keys() if fresh else find_changed(cluster, name, digests)
            same = len(items) - len(changed)
            unchanged += same
            with_image += maker.count_images(items)
            tick(same)
            if to_write := [item for item in items if item.item_id in changed]:
                for body in maker.make(to_write, digests, tick):
                    writer.index(body["item_id"], body)
    return Written(writer.written, unchanged, with_image)


def find_changed(cluster: Cluster, name: str, digests: Mapping[str, str]) -> set[str]:
    """Return the ids of those documents that the index lacks or holds with another digest."""
    stored = fetch_digests(cluster, name, list(digests))
    return {item_id for item_id, key in digests.items() if stored.get(item_id) != key}


def fetch_digests(cluster: Cluster, name: str, ids: Sequence[str]) -> dict[str, str]:
    """Return the digests of those documents of `ids` that the index holds with one, by id."""
    found = fetch(cluster, name, ids, source=["digest"])
    return {
        key: hit["_source"]["digest"] for key, hit in found.items() if "digest" in hit["_source"]
    }


def finish_loading(cluster: Cluster, name: str, settings: IndexSettings, documents: int) -> None:
    """Merge a loaded index, if its `documents` are few, and give it the settings to serve with."""
    merge = settings.force_merge
    if merge is None:
        merge = documents <= MERGE_LIMIT * settings.shards
    with progress("merging" if merge else "opening", 1) as tick:
        indices.finish_loading(cluster, name, replicas=settings.replicas, merge=merge)
        tick()
