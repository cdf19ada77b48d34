"""What an update deletes: what was named, what the catalogue no longer has, and what bars it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
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


def leave_out(source: Inputs, ids: Collection[str]) -> tuple[Inputs, set[str]]:
    """Return the inputs without some items, and those of `ids` that they are seen to have.

    Parameters
    ----------
    source
        What is read.
    ids
        Of items to delete.
    """
    deleted = frozenset(ids)
    seen: set[str] = set()

    def items() -> Iterator[list[Item]]:
        for batch in source.items():
            seen.update(item.item_id for item in batch if item.item_id in deleted)
            if remaining := [item for item in batch if item.item_id not in deleted]:
                yield remaining

    return (replace(source, items=items) if deleted else source), seen


def left_out_notes(left_out: Collection[str], deleted: int) -> tuple[str, ...]:
    """Return the note that ids to delete are still in the catalogue; none if none is."""
    if not left_out:
        return ()
    few = ", ".join(map(repr, sorted(left_out)[:EXAMPLES]))
    return (
        f"{len(left_out):,} of the {deleted:,} ids to delete are still in the catalogue, such as "
        f"{few}: the next build, or update without --delete, adds them again; remove them from it",
    )


@dataclass(frozen=True, slots=True)
class Deletions:
    """What is to be deleted from an index.

    Attributes
    ----------
    ids
        Of documents that are in the index.
    missing
        How many of them no file names: they are not in the catalogue.
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
                caller_hint="name what is gone",
                index=name,
            )
        allowed = most * self.documents
        if len(self.ids) > (allowed if self.missing else max(allowed, FEW)):
            return DataError(
                f"{name}: {len(self.ids):,} of {self.documents:,} items would be deleted, more "
                f"than {most:.0%}",
                hint="if they are really gone, give --yes",
                caller_hint='if they are really gone, send "allow": true',
                index=name,
            )
        return None


def find_deletions(
    cluster: Cluster, live: LiveIndex, delete: Collection[str], catalogue: Reread | None
) -> Deletions:
    """Find what is to be deleted: the ids named, and where there is a whole catalogue the rest."""
    named = set(fetch(cluster, live.name, sorted(delete), source=["item_id"]))
    documents = indices.count(cluster, live.name)
    all_there = named.issuperset(delete)
    ids = set() if all_there and catalogue is None else set(scan_ids(cluster, live.name))
    absent = None
    if not all_there:
        absent = describe_unmatched(
            dict.fromkeys(delete, 1),
            ids,
            row="lines of --delete",
            place="the index",
            lists="where each line names one",
        )
    if catalogue is None:
        return Deletions(sorted(named), 0, documents, 0, absent)
    missing = ids - catalogue.ids - named
    return Deletions(sorted(named | missing), len(missing), documents, catalogue.unread, absent)
