"""From a source to the ingester, batch after batch; the position is stored behind each."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, Final, Protocol

from seealso.cluster import Cluster, fetch, scan_ids
from seealso.config import Settings
from seealso.indexer.events.ingest import NAMED, Ingester, IngestReport
from seealso.indexer.events.live_indices import LiveIndices
from seealso.indexer.events.sources import COLUMNS, UbiEvents, name_client
from seealso.indexer.events.store import EventStore
from seealso.readers import (
    Batch,
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
        """What its position is stored under; None where there is no position."""


@dataclass(frozen=True)
class SourceRun:
    """One run over a source of live events.

    Attributes
    ----------
    cluster, settings
        Where the items and users are; sections ``events`` and ``live`` are used.
    names
        Gives the pseudonyms.
    source
        UBI has columns of its own; all other sources have those of ``[events]``.
    problems
        Takes the broken rows.
    """

    cluster: Cluster
    settings: Settings
    names: Pseudonyms
    source: Source
    problems: Problems

    @cached_property
    def reader(self) -> LiveReader:
        """Makes events of the rows."""
        name, live = self.source.name, self.settings.live
        if not isinstance(self.source, UbiEvents):
            return LiveReader(name, self.settings.events, live, self.names.of, self.problems)
        live = live.model_copy(update={"id": "_id", "query_id": "query_id"})
        return LiveReader(name, COLUMNS, live, partial(name_client, self.names), self.problems)

    def position(self, store: EventStore | None) -> Mapping[str, Any] | None:
        """Return where an earlier run ended, or None."""
        key = self.source.key
        return None if store is None or key is None else store.position(key)

    def check(self, batches: Iterator[Batch]) -> None:
        """Read all of the source, so that a broken last row stops before anything is written.

        Raises
        ------
        DataError
            A row is broken.
        """
        reader = replace(self, problems=Problems("stop")).reader
        for batch in batches:
            if batch.rows is not None:
                reader.read(batch.rows, datetime.now(UTC))

    def ingest(self, ingester: Ingester, batches: Iterator[Batch]) -> Iterator[IngestReport]:
        """Ingest batch after batch of the source, and yield a report of each, empty ones too.

        Raises
        ------
        DataError
            A row is broken, and `problems` stops there.
        ClusterError, BulkWriteError
            The cluster refused; the position is that before the batch.
        """
        yield ingester.catch_up()
        looked, unknown = time.monotonic(), set[str]()
        for batch in batches:
            if batch.rows is None:
                if time.monotonic() - looked > CATCH_UP_SECONDS:
                    yield ingester.catch_up()
                    looked = time.monotonic()
                yield IngestReport()
                continue
            events = self.reader.read(batch.rows, datetime.now(UTC))
            size, total = self.settings.live.batch, IngestReport()
            for start in range(0, len(events), size):
                done = ingester.ingest(events[start : start + size])
                # each once in a run
                new = tuple(one for one in done.unknown_items if one not in unknown)
                unknown.update(new)
                total = total.plus(replace(done, unknown=len(new), unknown_items=new))
            # behind all that follows from it: who is killed before reads the batch again
            if self.source.key is not None and batch.position is not None:
                ingester.store.put_position(self.source.key, batch.position)
            yield total

    def plan(self, store: EventStore | None, batches: Iterator[Batch]) -> IngestReport:
        """Return what `ingest` would write; nothing is written.

        Raises
        ------
        ClusterError, ConfigError, MappingMismatch
            As `LiveIndices.find` raises them.
        """
        live = LiveIndices.find(self.cluster, self.settings, self.names).items
        ids: set[str] = set()
        users: set[str] = set()
        items: set[str] = set()
        events = 0
        for batch in batches:
            if batch.rows is None:
                continue
            found = self.reader.read(batch.rows, datetime.now(UTC))
            events += len(found)
            ids |= {one.event_id for one in found}
            users |= {one.user for one in found if one.user is not None}
            items |= {one.item_id for one in found}
        known = len(store.present(sorted(ids))) if store else 0
        there = fetch(self.cluster, live.name, sorted(items), source=["item_id"])
        absent = sorted(items - there.keys())
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

    def find_unmatched(self) -> Unmatched | None:
        """Return which items of the events read so far the index lacks, and the likely cause.

        Every id of the index is read: for the end of a run that met some which it does not hold.

        Raises
        ------
        ClusterError
            The index cannot be read.
        """
        known = set(scan_ids(self.cluster, self.settings.index.alias))
        return describe_unmatched(self.reader.named, known, place="the index")
