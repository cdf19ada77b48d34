"""Ingests live events: stores each of them once, then brings users and items up to date with them.

Documents are derived from all stored events, never from their earlier values. So a run that was
killed between two writes is simply repeated, and nothing counts twice.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.errors import Busy, ClusterError
from seealso.indexer.events.effects import DocumentChanges, Effects
from seealso.indexer.events.live_indices import LiveIndices
from seealso.indexer.events.retention import expire
from seealso.indexer.events.store import EventStore
from seealso.indexer.turns import Turn, find_forgotten, take_turn
from seealso.indexer.users.writing import UserEncoder
from seealso.readers import LiveEvent, Pseudonyms

ATTEMPTS: Final = 8
"""Times that documents are brought up to date if the aliases move meanwhile."""

EXPIRE_SECONDS: Final = 3600.0
"""Seconds between two searches for old events."""

NAMED: Final = 5
"""Unknown items, and ids with other content, that are named."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did with some events.

    Attributes
    ----------
    events
        How many there were.
    written
        Of those, stored now for the first time.
    repeated
        Stored before, under the same id.
    differing
        Of those repeated, with another user, item, type or value than the first, which stays.
    users, new_users
        Changes of documents of users, and of these, those that are new. In a sum of batches, a
        user that two of them changed counts twice.
    items
        Changes of documents of items, likewise.
    unknown
        Items that the index does not hold; their events are kept.
    expired
        Old events that were deleted.
    forgotten
        Events that were left out: of users who were forgotten within the last minute, while the
        run that read them was under way.
    differing_ids, unknown_items
        Those of a batch; in a sum, the first few of each.
    """

    events: int = 0
    written: int = 0
    repeated: int = 0
    differing: int = 0
    users: int = 0
    new_users: int = 0
    items: int = 0
    unknown: int = 0
    expired: int = 0
    forgotten: int = 0
    differing_ids: tuple[str, ...] = ()
    unknown_items: tuple[str, ...] = ()

    def plus(self, other: "IngestReport") -> "IngestReport":
        """Return the sum."""
        summed: dict[str, Any] = {
            one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)
        }
        for name in ("differing_ids", "unknown_items"):
            summed[name] = tuple(dict.fromkeys(summed[name]))[:NAMED]
        return IngestReport(**summed)


class Ingester:
    """Ingests events for one alias. Safe to share between threads.

    Parameters
    ----------
    cluster, settings
        Where and how.
    names
        Gives the pseudonyms.
    user_encoder
        As for `Effects`.
    patience
        Seconds to wait while a user is being forgotten; None for as long as it takes.

    Raises
    ------
    ClusterError
        There is no index, or no users index.
    ConfigError
        The users index or the events have another key.
    MappingMismatch
        The users were built with another bundle than the items.
    """

    def __init__(
        self,
        cluster: Cluster,
        settings: Settings,
        names: Pseudonyms,
        user_encoder: Callable[[], UserEncoder],
        *,
        patience: float | None = None,
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._expire_at = 0.0
        self._names = names
        self._patience = patience
        # a missing index is an error before anything is created
        self._find_live()
        self._store = EventStore.open(cluster, settings, names)
        self._effects = Effects(self._store, settings, user_encoder)
        self._forgotten_before = self.find_forgotten()

    @property
    def store(self) -> EventStore:
        """Where the events are kept."""
        return self._store

    def find_forgotten(self) -> Mapping[str, int]:
        """Return who was forgotten lately: events that are read from now on came after that."""
        return find_forgotten(self._cluster, self._store.name)

    def ingest(
        self, events: Sequence[LiveEvent], forgotten_before: Mapping[str, int] | None = None
    ) -> IngestReport:
        """Store events and bring users and items up to date.

        Parameters
        ----------
        events
            What happened.
        forgotten_before
            What `find_forgotten` returned before these events were read; by default, they were
            read after this ingester was made.

        Raises
        ------
        Busy
            A user is being forgotten, for longer than it has patience.
        ClusterError, BulkWriteError
            The cluster refused; ingest the same events again.
        """
        before = self._forgotten_before if forgotten_before is None else forgotten_before
        with take_turn(self._cluster, self._store.name, self._patience) as turn:
            # their events may have been read before they were forgotten
            left_out = dict(turn.forgotten.items() - before.items())
            forgotten = [one for one in events if one.user in left_out]
            events = [one for one in events if one.user not in left_out]
            first: dict[str, LiveEvent] = {}
            for one in events:
                first.setdefault(one.event_id, one)
            known = self._store.add(first.values()) if first else {}
            stored = first | known
            items = sorted({one.item_id for one in stored.values()})
            users = sorted({one.user for one in stored.values() if one.user is not None})
            # after the events were stored: an earlier update of the documents has not read them
            changes = self._update(turn, items, users)
        differing = [one.event_id for one in events if not _alike(one, stored[one.event_id])]
        absent = tuple(sorted({*changes.absent} & {*items}))
        written = len(first) - len(known)
        return IngestReport(
            events=len(events),
            written=written,
            repeated=len(events) - written,
            differing=len(differing),
            users=changes.users,
            new_users=changes.new,
            items=changes.items,
            unknown=len(absent),
            forgotten=len(forgotten),
            differing_ids=tuple(dict.fromkeys(differing)),
            unknown_items=absent,
        )

    def catch_up(self) -> IngestReport:
        """Bring documents up to date, if an index was built or rewritten since the last time.

        Raises
        ------
        ClusterError, BulkWriteError
            The cluster refused; what was written stays right.
        """
        live = self._find_live()
        if not self._effects.find_due(live):
            return IngestReport(expired=self._expire(live))
        with take_turn(self._cluster, self._store.name, self._patience) as turn:
            changes = self._update(turn, (), ())
        return IngestReport(users=changes.users, new_users=changes.new, items=changes.items)

    def _find_live(self) -> LiveIndices:
        return LiveIndices.find(self._cluster, self._settings, self._names)

    def _expire(self, live: LiveIndices) -> int:
        """Delete old events, now and then."""
        if time.monotonic() < self._expire_at:
            return 0
        self._expire_at = time.monotonic() + EXPIRE_SECONDS
        return expire(self._settings, self._store, live)

    def _update(self, turn: Turn, items: Sequence[str], users: Sequence[str]) -> DocumentChanges:
        """Bring documents up to date; again if an alias moves meanwhile."""
        total, alias = DocumentChanges(), self._settings.index.alias
        for _ in range(ATTEMPTS):
            live = self._find_live()
            turn.announce(live.mark_texts)
            # a process that updated a later index before that has not waited for this turn
            if live.moved(self._cluster, alias):
                continue
            try:
                done = self._effects.catch_up(live, turn)
                done = done.plus(self._effects.update_items(live, items))
                done = done.plus(self._effects.update_users(live, users))
            except ClusterError:
                # the index may have been deleted
                if not live.moved(self._cluster, alias):
                    raise
                continue
            total = replace(total.plus(done), absent=done.absent)
            if not live.moved(self._cluster, alias):
                return total
        raise Busy(
            f"{alias}: the alias was moved again and again meanwhile",
            hint="run the same command again once the index is built",
            alias=alias,
        )


def add_live_events(
    cluster: Cluster, settings: Settings, names: Pseudonyms, user_encoder: Callable[[], UserEncoder]
) -> IngestReport:
    """Add live events to a users index that was written from the events of the settings.

    Parameters are those of `Ingester`. Without live events there is nothing to do.
    """
    if EventStore.find(cluster, settings, names) is None:
        return IngestReport()
    return Ingester(cluster, settings, names, user_encoder).catch_up()


def _alike(one: LiveEvent, other: LiveEvent) -> bool:
    # an event without a time has that of its first coming
    return (one.user, one.item_id, one.type, one.value) == (
        other.user, other.item_id, other.type, other.value,
    )  # fmt: skip
