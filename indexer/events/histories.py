"""A user as the users index holds them and the live events of the same user become one user."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from seealso.readers import LiveEvent
from seealso.types import HistoryEntry, User

NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""An entry without a time is the oldest."""


def merge_events(
    user: User,
    events: Sequence[LiveEvent],
    *,
    positive: float | None,
    history_items: int,
    seen_items: int,
) -> User:
    """Return `user` with `events` in their history.

    Doing it twice, or in another order of arrival, gives the same: each item is in it once, with
    its newest event.

    Parameters
    ----------
    user
        As the users index holds them.
    events
        Newest first.
    positive
        Events with a value below this are seen, but not part of the history.
    history_items, seen_items
        How much is kept.
    """
    liked = [
        HistoryEntry(one.item_id, one.time, one.value, one.type)
        for one in events
        if positive is None or one.value >= positive
    ]
    history = _newest([*liked, *user.history], history_items)
    seen = list(dict.fromkeys(one.item_id for one in events))
    earlier = [one.item_id for one in user.history] + sorted(user.seen)
    newest_seen = list(dict.fromkeys([*seen, *earlier]))[:seen_items]
    return replace(user, history=history, seen=frozenset(newest_seen))


def _newest(entries: Iterable[HistoryEntry], limit: int) -> tuple[HistoryEntry, ...]:
    # stable: of two at one time, the one that was named first
    ordered = sorted(entries, key=lambda one: one.time or NEVER, reverse=True)
    found: dict[str, HistoryEntry] = {}
    for one in ordered:
        found.setdefault(one.item_id, one)
    return tuple(found.values())[:limit]
