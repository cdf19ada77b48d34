"""The documents of an index of others: they are read as items and get our fields."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seealso.cluster import BulkWriter, scan
from seealso.cluster.fields import vector_fields
from seealso.indexer.attach.obstacles import ANOTHER
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

    owned: Owned
    whole: bool
    unclaimed: dict[str, Record] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"index {self.owned.name}"

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        vectors = vector_fields(self.owned.cluster, self.owned.name)
        # numbers by the hundred: no column of a catalogue, and a burden to whoever derives them
        # from its graph; nothing but a copy has a use for them
        unread = self.owned.own if self.whole else {*self.owned.own, *vectors}
        for hits in scan(self.owned.cluster, self.owned.name, source={"excludes": sorted(unread)}):
            if routed := next((hit["_id"] for hit in hits if "_routing" in hit), None):
                raise self.owned.obstacle(
                    f"document {routed!r} is found by routing, and seealso finds items by id alone",
                    ANOTHER,
                )
            self.unclaimed |= {hit["_id"]: hit["_source"] for hit in hits}
            yield [
                {k: v for k, v in hit["_source"].items() if k not in vectors} | {"_id": hit["_id"]}
                for hit in hits
            ]

    def take(self) -> dict[str, Record]:
        """Return what was handed over since the last call."""
        claimed, self.unclaimed = self.unclaimed, {}
        return claimed


def read_owned(owned: Owned, problems: Problems, *, target: str) -> Iterator[Batch]:
    """Yield every document, read by the ``catalogue`` section.

    Parameters
    ----------
    owned
        What is read, and how.
    problems
        Takes documents that are no items.
    target
        The index that gets the fields: in a copy, documents are needed with their own vectors.

    Raises
    ------
    DataError
        As `read_items` does.
    MappingMismatch
        A document is found by routing.
    """
    source = _Documents(owned, whole=target != owned.name)
    for items in read_items(source, owned.columns, problems):
        yield Batch(items, source.take())
    if unread_items := source.take():
        yield Batch((), unread_items)


def owned_inputs(owned: Owned, problems: Problems) -> Inputs:
    """Return the index as a catalogue, with the events and images that the settings name."""
    named = owned.settings.model_copy(update={"catalogue": owned.columns})

    def items() -> Iterator[list[Item]]:
        for batch in read_owned(owned, problems, target=owned.name):
            if batch.items:
                yield list(batch.items)

    return replace(inputs(named, owned.cluster, problems), items=items)


@dataclass(frozen=True)
class FieldWriter:
    """Gives documents of an index the fields of seealso, in place or in a copy.

    Attributes
    ----------
    owned
        The index.
    target
        The name of the index that gets the fields: the index itself, or the copy.
    maker
        Makes the fields.
    """

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
        bodies = [*self.maker.make(items, changed, tick)] if items else []
        no_vector = np.zeros(self.maker.encoder.bundle.dimension, dtype=np.float32)
        for item_id in sorted(changed.keys() - {item.item_id for item in items}):
            bodies.append(self.maker.document(Item(item_id, {}), "", no_vector, changed[item_id]))
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
        digests = {**dict.fromkeys(batch.documents, ""), **self.maker.digests(batch.items)}
        if not self.in_place:
            digests = {
                item_id: f"{key}:{digest(Item(item_id, batch.documents[item_id]), '', '')}"
                for item_id, key in digests.items()
            }
        stored = fetch_digests(self.owned.cluster, self.target, list(digests))
        if self.in_place:
            stored = {item_id: key.partition(":")[0] for item_id, key in stored.items()}
        return {item_id: key for item_id, key in digests.items() if stored.get(item_id) != key}
