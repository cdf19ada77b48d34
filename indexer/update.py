"""Changes a live index in place: items that are new, changed or gone from the catalogue."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from seealso.cluster import BulkWriter, Cluster, fetch, indices, scan_ids
from seealso.config import Settings
from seealso.encoder import ItemText, item_encoder, open_cache
from seealso.errors import DataError, MappingMismatch
from seealso.indexer.encoding import DocumentMaker, digests
from seealso.indexer.images import images_for
from seealso.indexer.inputs import Inputs, event_notes
from seealso.indexer.lifecycle import build_lock
from seealso.indexer.live import LiveIndex, live_index
from seealso.indexer.rereading import Reread, read_again
from seealso.indexer.rewriting import rewriting
from seealso.indexer.writing import changed, write_catalogue
from seealso.log import progress
from seealso.readers import Unmatched, describe_unmatched
from seealso.readers.matching import EXAMPLES
from seealso.types import Item

MOST_DELETED = 0.05
"""Share of an index that an update deletes without being told that it may delete more."""

FEW = 10
"""So many documents that were named one by one are deleted from an index of any size."""


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What an update changed; a plan holds in `refusal` what the update would raise."""

    index: str
    written: int
    unchanged: int
    deleted: int
    refusal: DataError | None = None
    notes: tuple[str, ...] = ()


def update(
    cluster: Cluster,
    settings: Settings,
    source: Inputs,
    *,
    delete: Collection[str] = (),
    delete_missing: bool = False,
    most_deleted: float = MOST_DELETED,
) -> UpdateReport:
    """Write the items that are new or changed, and delete others, in the live index.

    The bundle, the text templates and the importance parameters are those that the index was
    built with, whatever the settings say by now.

    Parameters
    ----------
    cluster, settings
        Where and how.
    source
        Items to compare with the index (all of them or only changed ones), and events.
    delete
        Ids to delete: none of them is written, even where `source` has it. Later updates do not
        know of them; the catalogue is what counts.
    delete_missing
        Delete what is in the index but not in `source`, which is then the whole catalogue.
    most_deleted
        Share of the index that may be deleted.

    Raises
    ------
    DataError
        More of the index would be deleted, or what is missing from `source` may be among its rows
        that could not be read; nothing was written.
    ClusterError, BundleError, DataError
        As `build` raises them.
    """
    with build_lock(cluster, settings.index.alias):
        live = live_index(cluster, settings)
        _refuse_other(live, settings)
        kept = _Kept(source, frozenset(delete))
        source = kept.inputs()
        bundle = live.bundle
        images = images_for(bundle, source.images)
        # read to the end before anything is written: a broken last row must change nothing
        with progress("reading") as tick:
            read = read_again(source, live.meta["importance"], settings, tick)
        gone = _find_deletions(cluster, live, delete, read if delete_missing else None)
        if refusal := gone.refusal(live.name, most_deleted):
            raise refusal
        maker = DocumentMaker(
            item_encoder(bundle, settings, open_cache(settings)),
            ItemText(live.text),
            read.importance,
            live.space,
            images,
        )
        with rewriting(cluster, live.name) as run:
            with progress("updating", len(read.ids)) as tick:
                done = write_catalogue(
                    cluster,
                    live.name,
                    source.items(),
                    maker,
                    settings.index,
                    tick,
                    fresh=False,
                )
            with BulkWriter(cluster, live.name) as writer:
                for item_id in gone.ids:
                    writer.delete(item_id)
            indices.refresh(cluster, live.name)
            run.lost = done.written > 0
            run.meta["items"] = indices.count(cluster, live.name)
    return UpdateReport(
        live.name,
        done.written,
        done.unchanged,
        len(gone.ids),
        notes=(*kept.notes(), *gone.notes(), *_notes(cluster, live, read, gone)),
    )


def plan_update(
    cluster: Cluster,
    settings: Settings,
    source: Inputs,
    *,
    delete: Collection[str] = (),
    delete_missing: bool = False,
    most_deleted: float = MOST_DELETED,
) -> UpdateReport:
    """Count what `update` would write and delete; nothing is encoded or written."""
    live = live_index(cluster, settings)
    _refuse_other(live, settings)
    kept = _Kept(source, frozenset(delete))
    source = kept.inputs()
    images = images_for(live.bundle, source.images) if live.meta.get("images") else None
    with progress("reading") as tick:
        read = read_again(source, live.meta["importance"], settings, tick)
    text = ItemText(live.text)
    write = 0
    with progress("comparing", len(read.ids)) as tick:
        for batch in source.items():
            keyed = list(zip(batch, digests(batch, text, live.fingerprint, images), strict=True))
            write += len(changed(cluster, live.name, keyed))
            tick(len(batch))
    gone = _find_deletions(cluster, live, delete, read if delete_missing else None)
    return UpdateReport(
        live.name,
        write,
        len(read.ids) - write,
        len(gone.ids),
        refusal=gone.refusal(live.name, most_deleted),
        notes=(*kept.notes(), *gone.notes(), *_notes(cluster, live, read, gone)),
    )


@dataclass(frozen=True, slots=True)
class _Kept:
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


def _notes(cluster: Cluster, live: LiveIndex, read: Reread, gone: "_Deletions") -> tuple[str, ...]:
    # an event of an item that was just deleted is no surprise
    known = read.ids.union(gone.ids)
    if not read.named.keys() <= known:
        # what was read may be the changed items alone
        known |= set(scan_ids(cluster, live.name))
    return event_notes(read.events, describe_unmatched(read.named, known, place="the index"))


@dataclass(frozen=True, slots=True)
class _Deletions:
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


def _find_deletions(
    cluster: Cluster, live: LiveIndex, delete: Collection[str], catalogue: Reread | None
) -> _Deletions:
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
        return _Deletions(sorted(named), 0, documents, 0, absent)
    missing = set(scan_ids(cluster, live.name)) - catalogue.ids - named
    return _Deletions(sorted(named | missing), len(missing), documents, catalogue.unread, absent)


def _refuse_other(live: LiveIndex, settings: Settings) -> None:
    if "attached" in live.meta:
        raise MappingMismatch(
            f"{live.name}: was attached, not built: its documents are its owner's",
            hint=f"`seealso attach {settings.index.alias}` brings it up to date",
            index=live.name,
        )
    if live.space is not settings.index.space:
        raise MappingMismatch(
            f"{live.name}: was built for {live.space}, the settings say {settings.index.space}",
            hint="run `seealso index build`",
            index=live.name,
        )
