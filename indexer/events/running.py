"""From a source to the ingester: batch after batch, and where to go on is kept behind each."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Protocol

from seealso.cluster import Cluster, fetch, scan_ids
from seealso.config import Settings
from seealso.indexer.events.ingest import NAMED, Ingester, IngestReport
from seealso.indexer.events.live_indices import LiveIndices
from seealso.indexer.events.sources import COLUMNS, UbiEvents, WholeFile, name_client
from seealso.indexer.events.store import EventStore
from seealso.readers import (
    Batch,
    LiveEvent,
    LiveReader,
    Problems,
    Pseudonyms,
    Unmatched,
    describe_unmatched,
)

CATCH_UP_SECONDS: Final = 1.0
"""How often an idle follower looks whether an index was built meanwhile."""


class Source(Protocol):
    """Where events come from."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def key(self) -> str | None:
        """What its position is kept under; None where there is no position."""


def reader_of(
    source: Source, settings: Settings, names: Pseudonyms, problems: Problems
) -> LiveReader:
    """Return what reads the rows of a source.

    Parameters
    ----------
    source
        UBI has columns of its own; all others have those of ``[events]``.
    settings
        Sections ``events`` and ``live`` are used.
    names
        Gives the pseudonyms.
    problems
        Takes the broken rows.
    """
    if not isinstance(source, UbiEvents):
        return LiveReader(source.name, settings.events, settings.live, names.of, problems)
    live = settings.live.model_copy(update={"id": "_id"})
    return LiveReader(source.name, COLUMNS, live, partial(name_client, names), problems)


def position_of(source: Source, store: EventStore | None) -> Mapping[str, Any] | None:
    """Return where a source was left off, or None."""
    return None if store is None or source.key is None else store.position(source.key)


def ingest_batches(
    ingester: Ingester, source: Source, batches: Iterator[Batch], reader: LiveReader, size: int
) -> Iterator[IngestReport]:
    """Take in batch after batch, and yield what was made of each; nothing of an empty one.

    Parameters
    ----------
    ingester
        Takes them in.
    source
        Where the batches are from; its position is kept behind each.
    batches
        Of the source.
    reader
        Makes events of rows.
    size
        Most events at once.

    Raises
    ------
    DataError
        A row is broken, and the reader stops there.
    ClusterError, BulkWriteError
        The cluster refused; the position is that before the batch.
    """
    yield ingester.catch_up()
    looked = time.monotonic()
    for batch in batches:
        if batch.rows is None:
            if time.monotonic() - looked > CATCH_UP_SECONDS:
                yield ingester.catch_up()
                looked = time.monotonic()
            yield IngestReport()
            continue
        events = reader.read(batch.rows, datetime.now(UTC))
        total = IngestReport()
        for some in _chunks(events, size):
            total = total.plus(ingester.ingest(some))
        # behind all that follows from it: who is killed before reads the batch again
        if source.key is not None and batch.position is not None:
            ingester.store.put_position(source.key, batch.position)
        yield total


def plan_ingest(
    cluster: Cluster,
    settings: Settings,
    names: Pseudonyms,
    store: EventStore | None,
    batches: Iterator[Batch],
    reader: LiveReader,
) -> IngestReport:
    """Say what `ingest_batches` would write; nothing is written.

    Parameters
    ----------
    cluster, settings, names
        Where the items are, and the users.
    store
        The events that were taken in, if any.
    batches
        Of the source.
    reader
        Makes events of rows.

    Raises
    ------
    ClusterError, ConfigError, MappingMismatch
        As `LiveIndices.find` raises them.
    """
    live = LiveIndices.find(cluster, settings, names).items
    ids: set[str] = set()
    users: set[str] = set()
    items: set[str] = set()
    events = 0
    for batch in batches:
        if batch.rows is None:
            continue
        found = reader.read(batch.rows, datetime.now(UTC))
        events += len(found)
        ids |= {one.event_id for one in found}
        users |= {one.user for one in found if one.user is not None}
        items |= {one.item_id for one in found}
    known = len(store.present(sorted(ids))) if store else 0
    absent = sorted(items - set(fetch(cluster, live.name, sorted(items), source=["item_id"])))
    written = len(ids) - known
    return IngestReport(
        events=events,
        written=written,
        repeated=events - written,
        users=len(users),
        items=len(items) - len(absent),
        unknown=len(absent),
        unknown_items=tuple(absent[:NAMED]),
    )


def find_unmatched(cluster: Cluster, alias: str, reader: LiveReader) -> Unmatched | None:
    """Return which items of the events read so far the index lacks, and the likely cause.

    Every id of the index is read: for the end of a run that met some which it does not hold.

    Raises
    ------
    ClusterError
        The index cannot be read.
    """
    return describe_unmatched(reader.named, set(scan_ids(cluster, alias)), place="the index")


def check(file: WholeFile, settings: Settings, names: Pseudonyms) -> None:
    """Read a file to its end, so that a broken last line stops before anything is written.

    Raises
    ------
    DataError
        A line is broken.
    """
    reader = reader_of(file, settings, names, Problems("stop"))
    for batch in file.read(None):
        if batch.rows is not None:
            reader.read(batch.rows, datetime.now(UTC))


def _chunks(events: list[LiveEvent], size: int) -> Iterator[list[LiveEvent]]:
    return (events[start : start + size] for start in range(0, len(events), size))
