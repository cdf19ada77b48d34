"""Documents of an attached index, read as the items that a catalogue of them would give."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from seealso.config import CatalogueSettings
from seealso.readers import Problems, read_items
from seealso.types import Item


@dataclass(frozen=True)
class _InMemoryRows:
    """Rows that are at hand."""

    name: str
    records: list[dict[str, Any]]

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        yield self.records


def read_stored_items(
    documents: Mapping[str, Mapping[str, Any]], columns: CatalogueSettings, index: str
) -> dict[str, Item]:
    """Return the items that documents of an attached index are read as, by id."""
    old = {new: old for old, new in columns.rename.items()}
    named = (*columns.text, *columns.keywords, *columns.lists, *columns.numbers)
    # of few documents, none may have a column that others have
    empty = dict.fromkeys(old.get(name, name) for name in named)
    records = [{**empty, **source, "_id": item_id} for item_id, source in documents.items()]
    source = _InMemoryRows(f"index {index}", records)
    read = read_items(source, columns.model_copy(update={"id": "_id"}), Problems("skip"))
    return {item.item_id: item for batch in read for item in batch}
