"""Takes live events in: writes them down once, then brings users and items in step with them.

What follows from an event is worked out anew from all events that are kept, never added to what
was there. So whoever is killed between two writes begins again, and nothing counts twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from seealso.cluster import Cluster
from seealso.cluster.conditional import Change, rewrite
from seealso.config import Settings
from seealso.indexer.events.histories import with_events
from seealso.indexer.events.importance import FIELDS, NOTHING, change_of, gains, newer
from seealso.indexer.events.store import EventStore
from seealso.indexer.live import LiveIndex, live_index
from seealso.indexer.users.documents import READ, digest_of, user_document, user_of
from seealso.indexer.users.live import LiveUsers, live_users
from seealso.indexer.users.writing import Profiler
from seealso.interactions import LiveEvent, Pseudonyms
from seealso.types import Space, User

EFFECTS: Final = "effects"
"""What the state of users and items is kept under, beside the positions."""

NAMED: Final = 5
"""Unknown items, and ids with other content, that are named."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was made of some events.

    Attributes
    ----------
    events
        How many there were.
    written
        Of those, not known before.
    repeated
        Known before: the same id.
    differing
        Of those repeated, with another user, item, type or value than the first, which stays.
    users, new_users
        Documents of users that were changed, and of these, those that are new.
    items
        Documents of items that were changed.
    unknown
        Items that the index does not hold, each once; their events are kept.
    differing_ids, unknown_items
        The first few of each.
    """

    events: int = 0
    written: int = 0
    repeated: int = 0
    differing: int = 0
    users: int = 0
    new_users: int = 0
    items: int = 0
    unknown: int = 0
    differing_ids: tuple[str, ...] = ()
    unknown_items: tuple[str, ...] = ()

    def plus(self, other: "Taken") -> "Taken":
        """Return the sum; an unknown item of both counts once, as far as it is named."""
        summed: dict[str, Any] = {
            one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)
        }
        for name in ("differing_ids", "unknown_items"):
            summed[name] = tuple(dict.fromkeys(summed[name]))[:NAMED]
        return Taken(**summed)


class Ingester:
    """Takes in events for one alias.

    Parameters
    ----------
    cluster, settings
        Where and how.
    names
        Gives the pseudonyms.
    profiler
        Makes what makes vectors of users, for the index that is live; asked again when another
        one is.

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
        profiler: Callable[[], Profiler],
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._names = names
        self._open_profiler = profiler
        self._profiler: tuple[str, Profiler] | None = None
        # what lacks is said before anything is made
        self._look()
        self._store = EventStore.open(cluster, settings, names)

    @property
    def store(self) -> EventStore:
        """Where the events are kept."""
        return self._store

    def take(self, events: Sequence[LiveEvent]) -> Taken:
        """Write events down and bring users and items in step.

        Raises
        ------
        ClusterError, BulkWriteError
            The cluster refused; take the same events again.
        """
        first: dict[str, LiveEvent] = {}
        for one in events:
            first.setdefault(one.event_id, one)
        known = self._store.present(sorted(self._store.add(first.values()))) if first else {}
        kept = first | known
        others = [one.event_id for one in events if not _alike(one, kept[one.event_id])]
        live, users = self._look()
        changed = self._settled(live, users)
        unknown = self._step_items(live, sorted({one.item_id for one in kept.values()}))
        new, moved = self._step_users(live, users, sorted({one.user for one in kept.values()}))
        written = len(first) - len(known)
        return Taken(
            events=len(events),
            written=written,
            repeated=len(events) - written,
            differing=len(others),
            users=moved + changed.users,
            new_users=new + changed.new_users,
            items=unknown.changed + changed.items,
            unknown=len(unknown.absent),
            differing_ids=tuple(dict.fromkeys(others))[:NAMED],
            unknown_items=unknown.absent[:NAMED],
        )

    def settle(self) -> Taken:
        """Bring an index that was built, or written again, since the last look in step.

        Raises
        ------
        ClusterError, BulkWriteError
            The cluster refused; what was written stays right.
        """
        return self._settled(*self._look())

    def _settled(self, live: LiveIndex, users: LiveUsers) -> Taken:
        state = {
            "items": f"{live.name} {live.meta.get('counted_at', '')}",
            "users": f"{users.name} {users.meta.get('changed_at', '')}",
        }
        before = self._store.position(EFFECTS) or {}
        if state == before:
            return Taken()
        total = Taken()
        if state["items"] != before.get("items"):
            for items in self._store.all_of("item", newer(live.meta["importance"])):
                total = total.plus(Taken(items=self._step_items(live, items).changed))
        if state["users"] != before.get("users"):
            for some in self._store.all_of("user", {"exists": {"field": "user"}}):
                new, moved = self._step_users(live, users, some)
                total = total.plus(Taken(users=moved, new_users=new))
        self._store.put_position(EFFECTS, state)
        return total

    def _look(self) -> tuple[LiveIndex, LiveUsers]:
        live = live_index(self._cluster, self._settings)
        users = live_users(self._cluster, self._settings, self._names)
        users.require(live.fingerprint)
        return live, users

    def _step_items(self, live: LiveIndex, items: Sequence[str]) -> "Stepped":
        parameters = live.meta["importance"]
        found = gains(self._store, items, parameters)
        weigh = live.space is Space.COSINE
        absent: set[str] = set()

        def derive(documents: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Change]:
            changes = {}
            for item_id, document in documents.items():
                # an owner may have written an item since the index was attached
                if document is None or "importance" not in document:
                    absent.add(item_id)
                    continue
                gain = found.get(item_id, NOTHING)
                if change := change_of(document, gain, parameters, weigh=weigh):
                    changes[item_id] = change
            return changes

        alias = self._settings.index.alias
        changed = rewrite(self._cluster, alias, items, FIELDS, derive)
        return Stepped(changed, tuple(sorted(absent)))

    def _step_users(
        self, live: LiveIndex, users: LiveUsers, some: Sequence[str]
    ) -> tuple[int, int]:
        """Bring documents of users in step; return how many are new, and changed in all."""
        events = self._store.of_users(some)
        profiler = self._profiler_of(live)
        kept = {name: int(users.meta[name]) for name in ("history_items", "seen_items")}
        positive = self._settings.events.positive
        new: set[str] = set()

        def derive(documents: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Change]:
            stale: dict[str, tuple[User, str]] = {}
            for name, document in documents.items():
                user = user_of(name, document) if document else User(name)
                user = with_events(user, events[name], positive=positive, **kept)
                if not document:
                    new.add(name)
                key = digest_of(user, profiler.made_with)
                if not document or document.get("digest") != key:
                    stale[name] = user, key
            vectors = profiler.vectors([user for user, _ in stale.values()])
            return {
                name: Change("index", user_document(user, vector, key))
                for (name, (user, key)), vector in zip(stale.items(), vectors, strict=True)
            }

        alias = users.meta["alias"]
        moved = rewrite(self._cluster, alias, some, [*READ, "digest"], derive)
        return len(new), moved

    def _profiler_of(self, live: LiveIndex) -> Profiler:
        if self._profiler is None or self._profiler[0] != live.name:
            self._profiler = live.name, self._open_profiler()
        return self._profiler[1]


def add_live_events(
    cluster: Cluster, settings: Settings, names: Pseudonyms, profiler: Callable[[], Profiler]
) -> Taken:
    """Bring a users index that was written from the settings' events in step with live ones.

    Parameters are those of `Ingester`. Without live events there is nothing to do.
    """
    if EventStore.find(cluster, settings, names) is None:
        return Taken()
    return Ingester(cluster, settings, names, profiler).settle()


@dataclass(frozen=True, slots=True)
class Stepped:
    """Items that were changed, and those that the index does not hold."""

    changed: int
    absent: tuple[str, ...]


def _alike(one: LiveEvent, other: LiveEvent) -> bool:
    # an event without a time has that of its first coming
    return (one.user, one.item_id, one.type, one.value) == (
        other.user, other.item_id, other.type, other.value,
    )  # fmt: skip
