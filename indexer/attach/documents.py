"""The documents of an index that somebody else made: read as items, and given fields of ours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seealso.cluster import BulkWriter, Cluster, scan
from seealso.cluster.fields import vector_fields
from seealso.config import CatalogueSettings, Settings
from seealso.errors import MappingMismatch
from seealso.indexer.attach.owned import Owned
from seealso.indexer.documents import DocumentMaker, digest
from seealso.indexer.inputs import Inputs, inputs
from seealso.indexer.writing import fetch_digests
from seealso.log import Tick
from seealso.readers import Problems, read_items
from seealso.types import Item

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some documents: those that can be read as items, and all of them as they are, by id."""

    items: Sequence[Item]
    documents: Mapping[str, Record]


@dataclass
class _Documents:
    """A row source that keeps what it has handed over until it is taken."""

    cluster: Cluster
    owned: Owned
    whole: bool
    unclaimed: dict[str, Record] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"index {self.owned.name}"

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        vectors = vector_fields(self.cluster, self.owned.name)
        # numbers by the hundred: no column of a catalogue, and a burden to whoever derives them
        # from its graph; nothing but a copy has a use for them
        unread = self.owned.own if self.whole else {*self.owned.own, *vectors}
        for hits in scan(self.cluster, self.owned.name, source={"excludes": sorted(unread)}):
            for hit in hits:
                _refuse_routed(self.owned.name, hit)
            self.unclaimed |= {hit["_id"]: hit["_source"] for hit in hits}
            yield [
                {k: v for k, v in hit["_source"].items() if k not in vectors} | {"_id": hit["_id"]}
                for hit in hits
            ]

    def take(self) -> dict[str, Record]:
        """Return what was handed over since the last call."""
        claimed, self.unclaimed = self.unclaimed, {}
        return claimed


def _refuse_routed(index: str, hit: Record) -> None:
    if "_routing" in hit:
        raise MappingMismatch(
            f"{index}: document {hit['_id']!r} is found by routing, and seealso finds items by id "
            "alone",
            hint="build an index of its own from the catalogue: `seealso index build`",
            index=index,
        )


def columns_of(owned: Owned, settings: Settings) -> CatalogueSettings:
    """Return how the documents are read as items: the id of an item is that of its document."""
    changes = {"index": owned.name, "path": None, "id": "_id"}
    return settings.catalogue.model_copy(update=changes)


def read_owned(
    cluster: Cluster, owned: Owned, settings: Settings, problems: Problems, *, target: str
) -> Iterator[Batch]:
    """Yield every document, read by the ``catalogue`` section.

    Parameters
    ----------
    cluster, owned, settings, problems
        What is read, and how.
    target
        The index that gets the fields: in a copy, documents are needed with their own vectors.

    Raises
    ------
    DataError
        As `read_items` does.
    MappingMismatch
        A document is found by routing.
    """
    source = _Documents(cluster, owned, whole=target != owned.name)
    for items in read_items(source, columns_of(owned, settings), problems):
        yield Batch(items, source.take())
    if unread_items := source.take():
        yield Batch((), unread_items)


def owned_inputs(cluster: Cluster, owned: Owned, settings: Settings, problems: Problems) -> Inputs:
    """Return the index as a catalogue, with the events and images that the settings name."""
    named = settings.model_copy(update={"catalogue": columns_of(owned, settings)})

    def items() -> Iterator[list[Item]]:
        for batch in read_owned(cluster, owned, settings, problems, target=owned.name):
            if batch.items:
                yield list(batch.items)

    return replace(inputs(named, cluster, problems), items=items)


@dataclass(frozen=True)
class Pending:
    """Documents of one batch whose fields of ours are not, or no longer, as they should be."""

    items: Sequence[Item]
    digests: Sequence[str]
    documents: Mapping[str, Record]
    unreadable: Mapping[str, str]
    """Digests by id of documents that are no items: no vector, but not lost."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.items) + len(self.unreadable)


def pending(
    cluster: Cluster, owned: Owned, target: str, batch: Batch, maker: DocumentMaker
) -> Pending:
    """Compare a batch with what the index `target` holds.

    The digest covers what the vector depends on. In a copy, one of the whole document stands
    behind it, so that whatever the owner changed in the original is noticed.
    """
    keys = dict(
        zip((item.item_id for item in batch.items), maker.digests(batch.items), strict=True)
    )
    digests = {item_id: keys.get(item_id, "") for item_id in batch.documents}
    copied = target != owned.name
    if copied:
        digests = {
            item_id: f"{key}:{digest(Item(item_id, batch.documents[item_id]), '', '')}"
            for item_id, key in digests.items()
        }
    stored = fetch_digests(cluster, target, list(digests))

    def differs(item_id: str, key: str) -> bool:
        known = stored.get(item_id)
        return known is None or (known if copied else known.partition(":")[0]) != key

    changed = {item_id: key for item_id, key in digests.items() if differs(item_id, key)}
    items = [item for item in batch.items if item.item_id in changed]
    return Pending(
        items,
        [changed[item.item_id] for item in items],
        batch.documents,
        {item_id: key for item_id, key in changed.items() if item_id not in keys},
    )


def write_pending(
    writer: BulkWriter, owned: Owned, target: str, found: Pending, maker: DocumentMaker, tick: Tick
) -> None:
    """Give the documents of `found` their fields: in place, or whole into a copy."""
    bodies = [*maker.make(found.items, found.digests, tick)] if found.items else []
    no_vector = np.zeros(maker.encoder.bundle.dimension, dtype=np.float32)
    for item_id, key in found.unreadable.items():
        bodies.append(maker.document(Item(item_id, {}), "", no_vector, key))
        tick(1)
    for body in bodies:
        item_id = body["item_id"]
        own_fields = {name: body.get(name) for name in owned.own}
        if target == owned.name:
            writer.update(item_id, {"doc": own_fields})
        else:
            values = {name: value for name, value in own_fields.items() if value is not None}
            writer.index(item_id, {**found.documents[item_id], **values})
