"""Changes a live index in place: items that are new, changed or gone from the catalogue."""

from collections.abc import Collection
from dataclasses import dataclass

from seealso.cluster import BulkWriter, Cluster, indices, scan_ids
from seealso.config import Settings
from seealso.encoder import ImageVectors, ItemText
from seealso.errors import DataError, MappingMismatch
from seealso.indexer.deletions import Deletions, find_deletions, leave_out, left_out_notes
from seealso.indexer.documents import DocumentMaker, digests
from seealso.indexer.images import images_for
from seealso.indexer.inputs import Inputs, event_notes
from seealso.indexer.lifecycle import build_lock
from seealso.indexer.live import LiveIndex, live_index
from seealso.indexer.rereading import Reread, read_again
from seealso.indexer.rewriting import rewriting
from seealso.indexer.writing import find_changed, write_catalogue
from seealso.log import progress
from seealso.readers import describe_unmatched

MOST_DELETED = 0.05
"""Share of an index that an update deletes unless it is allowed more."""


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
        found = _compare(cluster, settings, source, delete, delete_missing=delete_missing)
        live, read, deletions = found.live, found.read, found.deletions
        if refusal := deletions.refusal(live.name, most_deleted):
            raise refusal
        maker = DocumentMaker.of_index(
            live.meta, live.bundle, settings, read.importance, found.images
        )
        with rewriting(cluster, live.name) as run:
            with progress("updating", len(read.ids)) as tick:
                done = write_catalogue(
                    cluster,
                    live.name,
                    found.source.items(),
                    maker,
                    settings.index,
                    tick,
                    fresh=False,
                )
            with BulkWriter(cluster, live.name) as writer:
                for item_id in deletions.ids:
                    writer.delete(item_id)
            indices.refresh(cluster, live.name)
            run.lost = done.written > 0
            run.meta["items"] = indices.count(cluster, live.name)
    return UpdateReport(
        live.name, done.written, done.unchanged, len(deletions.ids), notes=found.notes
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
    found = _compare(cluster, settings, source, delete, delete_missing=delete_missing)
    live, text, number = found.live, ItemText(found.live.text), len(found.read.ids)
    write = 0
    with progress("comparing", number) as tick:
        for batch in found.source.items():
            keys = digests(batch, text, live.fingerprint, found.images)
            write += len(find_changed(cluster, live.name, keys))
            tick(len(batch))
    return UpdateReport(
        live.name,
        write,
        number - write,
        len(found.deletions.ids),
        refusal=found.deletions.refusal(live.name, most_deleted),
        notes=found.notes,
    )


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The live index, and what is to become of it; nothing is written yet.

    Attributes
    ----------
    live
        The index.
    source, images
        Items that are not to be deleted, and the images that take part.
    read
        What the inputs say, read to the end: a broken last row must change nothing.
    deletions
        What goes.
    notes
        What was guessed or left out, a sentence each.
    """

    live: LiveIndex
    source: Inputs
    images: ImageVectors | None
    read: Reread
    deletions: Deletions
    notes: tuple[str, ...]


def _compare(
    cluster: Cluster,
    settings: Settings,
    source: Inputs,
    delete: Collection[str],
    *,
    delete_missing: bool,
) -> _Comparison:
    live = live_index(cluster, settings)
    refuse_other(live, settings)
    source, left_out = leave_out(source, delete)
    images = images_for(live.bundle, source.images)
    read = read_again(source, live.meta["importance"], settings)
    deletions = find_deletions(cluster, live, delete, read if delete_missing else None)
    notes = (
        *left_out_notes(left_out, len(set(delete))),
        *deletions.notes(),
        *_notes(cluster, live, read, deletions),
    )
    return _Comparison(live, source, images, read, deletions, notes)


def _notes(
    cluster: Cluster, live: LiveIndex, read: Reread, deletions: Deletions
) -> tuple[str, ...]:
    # an event of an item that was just deleted is no surprise
    known = read.ids.union(deletions.ids)
    if not read.named.keys() <= known:
        # what was read may be the changed items alone
        known |= set(scan_ids(cluster, live.name))
    return event_notes(read.events, describe_unmatched(read.named, known, place="the index"))


def refuse_other(live: LiveIndex, settings: Settings) -> None:
    """Refuse an index whose documents are not made by these settings.

    Raises
    ------
    MappingMismatch
        It was attached, or built for another similarity.
    """
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
