"""Changes some items of the live index: rows that a program hands over, and ids that are gone.

Each document is derived from its row, from what the index has counted of the item, and from its
live events; it is written only if it has not changed since it was read. So importance stays as it
is without the events being read again, and nothing has to be caught up with.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any, Final

from seealso.cluster import BulkWriter, Cluster, fetch, indices
from seealso.cluster.conditional import Change, rewrite
from seealso.config import Settings
from seealso.encoder import ItemText, encode_views
from seealso.errors import Busy
from seealso.indexer.deletions import find_deletions
from seealso.indexer.documents import DocumentMaker, digests, find_bare
from seealso.indexer.events.importance import (
    FIELDS,
    NOTHING,
    Gain,
    derive_changes,
    raise_weight,
    sum_gains,
)
from seealso.indexer.events.store import EventStore
from seealso.indexer.events_index import find_events
from seealso.indexer.images import images_for, open_images
from seealso.indexer.importance import ImportanceTable, stored_importance
from seealso.indexer.inputs import inputs
from seealso.indexer.lifecycle import build_lock
from seealso.indexer.live import LiveIndex, live_index
from seealso.indexer.rereading import read_again
from seealso.indexer.update import MOST_DELETED, refuse_other
from seealso.indexer.writing import find_changed
from seealso.readers import Problem, Problems
from seealso.readers.records import read_records
from seealso.readers.rows import Record
from seealso.types import Item, Vector

PATIENCE_SECONDS: Final = 5.0
"""How long a call waits for another one: each takes about a second, a build much longer."""

LOOK_SECONDS: Final = 0.1
"""Seconds between two looks whether another process is ready."""


@dataclass(frozen=True, slots=True)
class UpsertReport:
    """What became of some rows.

    Attributes
    ----------
    index
        The physical index.
    written, unchanged
        Items.
    problems
        What is broken: rows, and single values of rows that were written without them.
    ignored
        Columns that the settings do not name.
    notes
        What was guessed or left out besides, a sentence each.
    """

    index: str
    written: int
    unchanged: int
    problems: tuple[Problem, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeletionReport:
    """What was deleted; `absent` are ids that the index does not hold."""

    index: str
    deleted: int
    absent: tuple[str, ...]


class ItemChanges:
    """Writes and deletes single items of the live index; safe to share between threads.

    The lock of builds and updates is held meanwhile. Bundle, text templates and the scale of
    importance are those of the index, whatever the settings say by now.

    Parameters
    ----------
    cluster, settings
        Where and how: ``catalogue`` says what the columns are.
    """

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._one_at_a_time = Lock()

    def upsert(self, rows: Mapping[int, Record]) -> UpsertReport:
        """Write the items that are new or changed; each row is the whole item.

        Parameters
        ----------
        rows
            By their places, with the columns of the catalogue. Whatever a row lacks, the item has
            no more.

        Raises
        ------
        DataError
            An expression gives no importance for an item.
        BundleError
            The bundle of the index cannot be used, or its images are missing.
        Busy
            A build or an update is running.
        ClusterError
            There is no index, it is not one that was built, or the cluster refused.
        """
        problems: list[Problem] = []
        reading = Problems("skip", each=problems.append)
        items, ignored = read_records(rows, self._settings.catalogue, reading)
        with self._changing() as live:
            written = self._write(live, items, reading) if items else 0
        return UpsertReport(
            live.name,
            written,
            len(items) - written,
            tuple(problems),
            ignored,
            reading.notes,
        )

    def delete(self, ids: Sequence[str], *, most_deleted: float = MOST_DELETED) -> DeletionReport:
        """Delete items; an id that the index does not hold is reported.

        Parameters
        ----------
        ids
            Of the items.
        most_deleted
            Share of the index that may be deleted; a few are from an index of any size.

        Raises
        ------
        DataError
            More of the index would be deleted; nothing was.
        Busy, ClusterError
            As for `upsert`.
        """
        with self._changing() as live:
            # OpenSearch refuses to look for an empty one
            named = sorted({*ids} - {""})
            there = fetch(self._cluster, live.name, named, source=["item_id"])
            found = find_deletions(self._cluster, live, list(there), None)
            if refusal := found.refusal(live.name, most_deleted):
                raise refusal
            if found.ids:
                with self._recording(live), BulkWriter(self._cluster, live.name) as writer:
                    for item_id in found.ids:
                        writer.delete(item_id)
        absent = tuple(one for one in dict.fromkeys(ids) if one not in there)
        return DeletionReport(live.name, len(found.ids), absent)

    @contextmanager
    def _changing(self) -> Iterator[LiveIndex]:
        """Give the live index to the block, which alone changes it."""
        alias, ends = self._settings.index.alias, time.monotonic() + PATIENCE_SECONDS
        if not self._one_at_a_time.acquire(timeout=PATIENCE_SECONDS):
            raise Busy(f"{alias}: items are being changed", hint="try again", alias=alias)
        with ExitStack() as entered:
            entered.callback(self._one_at_a_time.release)
            self._take_lock(entered, ends)
            live = live_index(self._cluster, self._settings)
            refuse_other(live, self._settings)
            yield live

    def _take_lock(self, entered: ExitStack, ends: float) -> None:
        """Hold the lock of builds, as soon as no other process does."""
        while True:
            try:
                entered.enter_context(build_lock(self._cluster, self._settings.index.alias))
            except Busy:
                if time.monotonic() >= ends:
                    raise
                time.sleep(LOOK_SECONDS)
            else:
                return

    @contextmanager
    def _recording(self, live: LiveIndex) -> Iterator[None]:
        """Write down after the block, even if it fails, when it was and how many items there are.

        By the time, whoever follows the index knows that something has changed.
        """
        try:
            yield
        finally:
            indices.refresh(self._cluster, live.name)
            count = indices.count(self._cluster, live.name)
            entries = {"items": count, "updated_at": indices.timestamp()}
            indices.put_meta(self._cluster, live.name, entries)

    def _write(self, live: LiveIndex, items: Sequence[Item], problems: Problems) -> int:
        bundle = live.bundle
        images = images_for(bundle, lambda: open_images(self._settings, problems))
        text = ItemText(live.text)
        if bare := find_bare(items, text, images):
            what = f"{len(bare):,} without a text, and so without a vector: {', '.join(bare[:3])}"
            problems.reading("texts", "items").note(what + ", ..." * (len(bare) > 3))
        keys = digests(items, text, live.fingerprint, images)
        changed = find_changed(self._cluster, live.name, keys)
        new = {one.item_id: one for one in items if one.item_id in changed}
        if not new:
            # the model need not be loaded
            return 0
        nothing = stored_importance({}, live.meta["importance"])
        maker = DocumentMaker.of_index(live.meta, bundle, self._settings, nothing, images)
        expressed = self._express(live, list(new.values()))
        texts, vectors = encode_views(maker.encoder, maker.text, list(new.values()), images=images)
        encoded = dict(zip(new, zip(texts, vectors, strict=True), strict=True))
        store, created = self._store(), set[str]()

        def document(name: str, base: ImportanceTable, gain: Gain) -> dict[str, Any]:
            return _document(maker, base, gain, new[name], encoded[name], keys[name])

        def derive(documents: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Change]:
            known = {name: one for name, one in documents.items() if one is not None}
            created.update(documents.keys() - known.keys())
            base = expressed or stored_importance(known, live.meta["importance"])
            gains = {} if store is None else sum_gains(store, list(documents), base.parameters)
            return {
                name: Change("index", document(name, base, gains.get(name, NOTHING)))
                for name in documents
            }

        with self._recording(live):
            written = rewrite(self._cluster, live.name, list(new), FIELDS, derive)
            if store is not None:
                # an event that came just before its item was there has changed nothing
                follow = partial(derive_changes, store, live=live)
                rewrite(self._cluster, live.name, sorted(created), FIELDS, follow)
        return written

    def _store(self) -> EventStore | None:
        """Return the live events; their sums hold nothing of users, so no key is needed."""
        name = find_events(self._cluster, self._settings.index.alias)
        return None if name is None else EventStore(self._cluster, name)

    def _express(self, live: LiveIndex, items: list[Item]) -> ImportanceTable | None:
        """Return the importance of items where an expression gives it; None where none does.

        What the expression is computed from is not in the index, so the events are read again.
        """
        if live.meta["importance"]["kind"] != "expression":
            return None
        source = inputs(self._settings, self._cluster, Problems("skip"))
        source = replace(source, items=lambda: iter([items]))
        return read_again(source, live.meta["importance"], self._settings).importance


def _document(
    maker: DocumentMaker,
    base: ImportanceTable,
    gain: Gain,
    item: Item,
    encoded: tuple[str, Vector],
    key: str,
) -> dict[str, Any]:
    """Return the document of an item with what its live events add."""
    name, (text, vector) = item.item_id, encoded
    if gain == NOTHING:
        return replace(maker, importance=base).document(item, text, vector, key)
    weight, interactions = base.weight(name), base.interactions(name)
    before = {"importance": weight, "interactions": interactions}
    now = {
        "importance": raise_weight(weight, interactions, gain, base.parameters),
        "interactions": interactions + gain.interactions,
    }
    table = stored_importance({name: now}, base.parameters)
    body = replace(maker, importance=table).document(item, text, vector, key)
    return {**body, "counted": before}
