"""What an update deletes: what was named, what the catalogue no longer has, and what bars it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from seealso.cluster import Cluster, fetch, indices, scan_ids
from seealso.errors import DataError
from seealso.indexer.inputs import Inputs
from seealso.indexer.live import LiveIndex
from seealso.indexer.rereading import Reread
from seealso.readers import Unmatched, describe_unmatched
from seealso.readers.matching import EXAMPLES
from seealso.types import Item

FEW: Final = 10
"""So many documents that were named one by one are deleted from an index of any size."""


@dataclass(frozen=True, slots=True)
class Undeleted:
    """Inputs without the items that are to be deleted.

    Attributes
    ----------
    source
        Where they may still be.
    deleted
        Ids that are named.
    met
        Of those, the ones that `source` was seen to have.
    """

    source: Inputs
    deleted: frozenset[str]
    met: set[str] = field(default_factory=set)

    def inputs(self) -> Inputs:
        """Return the inputs with other items only."""
        return replace(self.source, items=self._items) if self.deleted else self.source

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, in a sentence."""
        if not self.met:
            return ()
        few = ", ".join(map(repr, sorted(self.met)[:EXAMPLES]))
        return (
            f"{len(self.met):,} of the {len(self.deleted):,} ids to delete are still in the "
            f"catalogue, such as {few}: the next build, or update without --delete, brings them "
            "back; take them out of it",
        )

    def _items(self) -> Iterator[list[Item]]:
        for batch in self.source.items():
            kept = [item for item in batch if item.item_id not in self.deleted]
            self.met.update(item.item_id for item in batch if item.item_id in self.deleted)
            if kept:
                yield kept


@dataclass(frozen=True, slots=True)
class Deletions:
    """What is to be deleted from an index.

    Attributes
    ----------
    ids
        Of documents that are in the index.
    missing
        How many of them nobody named: the catalogue does not have them.
    documents
        Of the index.
    unread
        Rows of the catalogue that could not be read, and may be those that are missing.
    absent
        Ids that were named and are not in the index.
    """

    ids: list[str]
    missing: int
    documents: int
    unread: int
    absent: Unmatched | None

    def notes(self) -> tuple[str, ...]:
        """Return what is not deleted, as it is not there, in a sentence."""
        return () if self.absent is None else (str(self.absent),)

    def refusal(self, name: str, most: float) -> DataError | None:
        """Return why they are not deleted, where they are not."""
        if self.missing and self.unread:
            return DataError(
                f"{name}: the catalogue lacks {self.missing:,} of {self.documents:,} items, and "
                f"{self.unread:,} of its rows could not be read: they may be the same",
                hint="correct those rows, or name what is gone with --delete FILE",
                index=name,
            )
        allowed = most * self.documents
        if len(self.ids) > (allowed if self.missing else max(allowed, FEW)):
            return DataError(
                f"{name}: {len(self.ids):,} of {self.documents:,} items would be deleted, more "
                f"than {most:.0%}",
                hint="if they are gone indeed, say --yes",
                index=name,
            )
        return None


def find_deletions(
    cluster: Cluster, live: LiveIndex, delete: Collection[str], catalogue: Reread | None
) -> Deletions:
    """Find what is to be deleted: the ids named, and where there is a whole catalogue the rest."""
    named = set(fetch(cluster, live.name, sorted(delete), source=["item_id"]))
    documents = indices.count(cluster, live.name)
    absent = None
    if not named.issuperset(delete):
        absent = describe_unmatched(
            dict.fromkeys(delete, 1),
            [*scan_ids(cluster, live.name)],
            row="lines of --delete",
            place="the index",
            lists="where each line names one",
        )
    if catalogue is None:
        return Deletions(sorted(named), 0, documents, 0, absent)
    missing = set(scan_ids(cluster, live.name)) - catalogue.ids - named
    return Deletions(sorted(named | missing), len(missing), documents, catalogue.unread, absent)
