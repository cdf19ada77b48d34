"""Brings documents of items and users up to date with the stored events.

Each document is derived from all events of its item or user. It is written only if it has not
changed since it was read, and to the physical index whose parameters it was derived with. If
another process was faster, it is derived again. A write to an index that is no longer live does no
harm.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from seealso.cluster.conditional import Change, rewrite
from seealso.config import Settings
from seealso.errors import MappingMismatch
from seealso.indexer.events.histories import merge_events
from seealso.indexer.events.importance import FIELDS, derive_changes, is_weighed
from seealso.indexer.events.live_indices import LiveIndices
from seealso.indexer.events.store import EventStore
from seealso.indexer.live import LiveIndex
from seealso.indexer.rewriting import Mark
from seealso.indexer.turns import Turn
from seealso.indexer.users.documents import READ, digest_of, user_document, user_of
from seealso.indexer.users.writing import UserEncoder
from seealso.types import User

EFFECTS: Final = "effects"
"""What the state of users and items is kept under, beside the positions."""

AGAIN_SECONDS: Final = 60.0
"""How often everything is brought up to date again while a run may be rewriting documents: one that
was killed never says that it ended."""


@dataclass(frozen=True, slots=True)
class DocumentChanges:
    """Documents that were changed.

    Attributes
    ----------
    items, users
        How many.
    new
        Of the users, those that are new.
    absent
        Items that the index does not hold.
    """

    items: int = 0
    users: int = 0
    new: int = 0
    absent: tuple[str, ...] = ()

    def plus(self, other: "DocumentChanges") -> "DocumentChanges":
        """Return the sum."""
        return DocumentChanges(
            self.items + other.items,
            self.users + other.users,
            self.new + other.new,
            tuple(sorted({*self.absent, *other.absent})),
        )


class Effects:
    """Brings documents up to date with events. Safe to share between threads.

    Parameters
    ----------
    store
        The stored events.
    settings
        ``events.positive`` is used.
    user_encoder
        Opens the encoder of users for the index that is live; called again when another one is.
    """

    def __init__(
        self, store: EventStore, settings: Settings, user_encoder: Callable[[], UserEncoder]
    ) -> None:
        self._store = store
        self._cluster = store.cluster
        self._settings = settings
        self._open_user_encoder = user_encoder
        self._user_encoder: tuple[str, UserEncoder] | None = None
        self._updated_at: dict[Mark, float] = {}
        self._catching_up = Lock()

    def find_due(self, live: LiveIndices) -> list[str]:
        """Return which documents may be out of date: ``items``, ``users`` or both."""
        in_step = self._store.position(EFFECTS) or {}
        return [key for key, mark in live.marks.items() if self._is_due(mark, in_step.get(key))]

    def _is_due(self, mark: Mark, in_step: str | None) -> bool:
        if mark.text == in_step and not mark.open:
            return False
        last = self._updated_at.get(mark)
        return last is None or time.monotonic() - last > AGAIN_SECONDS

    def catch_up(self, live: LiveIndices, turn: Turn) -> DocumentChanges:
        """Bring all documents up to date, if an index was built or rewritten since.

        All items that ever had a live event are checked: another process may have written any of
        them with earlier parameters. If that can still happen, everything is checked again after
        a while: the index is being rewritten, or another process that has read an earlier index is
        still running. While another thread does it, there is nothing to do here.
        """
        if not self._catching_up.acquire(blocking=False):
            return DocumentChanges()
        try:
            return self._catch_up(live, turn)
        finally:
            self._catching_up.release()

    def _catch_up(self, live: LiveIndices, turn: Turn) -> DocumentChanges:
        total = DocumentChanges()
        for key in self.find_due(live):
            mark = live.marks[key]
            for ids in self._store.all_of(key.removesuffix("s")):
                turn.announce(live.mark_texts)
                update = self.update_items if key == "items" else self.update_users
                total = total.plus(update(live, ids))
            self._updated_at[mark] = time.monotonic()
            if not mark.open and all(mark.text in one for one in turn.others() if one):
                done = {**(self._store.position(EFFECTS) or {}), key: mark.text}
                self._store.put_position(EFFECTS, done)
        return total

    def update_items(self, live: LiveIndices, items: Sequence[str]) -> DocumentChanges:
        """Bring documents of items up to date."""
        absent: set[str] = set()

        def derive(documents: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Change]:
            absent.update(
                item_id for item_id, one in documents.items() if one is None or not is_weighed(one)
            )
            return derive_changes(self._store, documents, live.items)

        changed = rewrite(self._cluster, live.items.name, items, FIELDS, derive)
        return DocumentChanges(items=changed, absent=tuple(sorted(absent)))

    def update_users(self, live: LiveIndices, ids: Sequence[str]) -> DocumentChanges:
        """Bring documents of users up to date; a user without document and events gets none."""
        users = live.users
        user_encoder = self._user_encoder_for(live.items)
        limits = {name: int(users.meta[name]) for name in ("history_items", "seen_items")}
        positive = self._settings.events.positive
        new: set[str] = set()

        def derive(documents: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Change]:
            events = self._store.of_users(list(documents))
            stale: dict[str, tuple[User, str]] = {}
            for name, document in documents.items():
                if document is None and not events[name]:
                    continue
                user = user_of(name, document) if document else User(name)
                user = merge_events(user, events[name], positive=positive, **limits)
                if not document:
                    new.add(name)
                key = digest_of(user, user_encoder.made_with)
                if not document or document.get("digest") != key:
                    stale[name] = user, key
            vectors = user_encoder.vectors([user for user, _ in stale.values()])
            return {
                name: Change("index", user_document(user, vector, key))
                for (name, (user, key)), vector in zip(stale.items(), vectors, strict=True)
            }

        moved = rewrite(self._cluster, users.name, ids, [*READ, "digest"], derive)
        return DocumentChanges(users=moved, new=len(new))

    def _user_encoder_for(self, live: LiveIndex) -> UserEncoder:
        if self._user_encoder is None or self._user_encoder[0] != live.name:
            opened = self._open_user_encoder()
            if opened.fingerprint != live.fingerprint:
                raise MappingMismatch(
                    f"{live.name}: another index is live by now, of another bundle",
                    hint="run the same command again",
                    index=live.name,
                )
            self._user_encoder = live.name, opened
        return self._user_encoder[1]
