"""The documents of an index of others: they are read as items and get our fields."""

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
class FieldWriter:
    """Gives documents of an index the fields of seealso, in place or in a copy.

    Attributes
    ----------
    cluster, owned
        The index.
    target
        The name of the index that gets the fields: the index itself, or the copy.
    maker
        Makes the fields.
    """

    cluster: Cluster
    owned: Owned
    target: str
    maker: DocumentMaker

    @property
    def in_place(self) -> bool:
        """Whether the index itself gets the fields."""
        return self.target == self.owned.name

    def write(self, batch: Batch, writer: BulkWriter, tick: Tick) -> int:
        """Write those of a batch whose fields are not as they should be; return how many.

        A document that is no item is kept, without a vector.
        """
        changed = self._find_changed(batch)
        tick(len(batch.documents) - len(changed))
        items = [item for item in batch.items if item.item_id in changed]
        digests = [changed.pop(item.item_id) for item in items]
        bodies = [*self.maker.make(items, digests, tick)] if items else []
        no_vector = np.zeros(self.maker.encoder.bundle.dimension, dtype=np.float32)
        for item_id, key in changed.items():
            bodies.append(self.maker.document(Item(item_id, {}), "", no_vector, key))
            tick(1)
        for body in bodies:
            item_id = body["item_id"]
            own_fields = {name: body.get(name) for name in self.owned.own}
            if self.in_place:
                writer.update(item_id, {"doc": own_fields})
            else:
                values = {name: value for name, value in own_fields.items() if value is not None}
                writer.index(item_id, {**batch.documents[item_id], **values})
        return len(bodies)

    def _find_changed(self, batch: Batch) -> dict[str, str]:
        """Return the digests of the documents that the target lacks or holds otherwise, by id.

        The digest covers what the vector depends on. In a copy, a digest of the whole document
        follows it, so that whatever the owner changed in the original is noticed.
        """
        keys = zip(batch.items, self.maker.digests(batch.items), strict=True)
        digests = {**dict.fromkeys(batch.documents, ""), **{one.item_id: key for one, key in keys}}
        if not self.in_place:
            digests = {
                item_id: f"{key}:{digest(Item(item_id, batch.documents[item_id]), '', '')}"
                for item_id, key in digests.items()
            }
        stored = fetch_digests(self.cluster, self.target, list(digests))
        if self.in_place:
            stored = {item_id: key.partition(":")[0] for item_id, key in stored.items()}
        return {item_id: key for item_id, key in digests.items() if stored.get(item_id) != key}
