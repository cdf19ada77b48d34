"""Deletes old events that nothing is derived from any more."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from seealso.cluster import indices
from seealso.config import Settings
from seealso.indexer.events.live_indices import LiveIndices
from seealso.indexer.events.store import EventStore
from seealso.readers.live.reader import to_micros

AT_ONCE: Final = 10_000
"""Events of one deletion: answered well within the time-out."""


def expire(settings: Settings, store: EventStore, live: LiveIndices) -> int:
    """Delete events that are older than ``live.keep_days``, and return how many.

    Those that an index has not counted stay, however old they are: of the live one, and of
    every other that the alias can be rolled back to. What users have of them, they keep.

    Parameters
    ----------
    settings
        How long events are kept.
    store
        The events; users and items are up to date with them.
    live
        What is live.
    """
    if settings.live.keep_days is None:
        return 0
    metas = (one.meta for one in indices.list_indices(store.cluster, settings.index.alias))
    counted = [meta["importance"]["as_of"] for meta in (live.items.meta, *metas)]
    if None in counted:
        return 0
    old = datetime.now(UTC) - timedelta(days=settings.live.keep_days)
    until = min(to_micros(old), *(to_micros(datetime.fromisoformat(one)) for one in counted))
    query: dict[str, Any] = {"range": {"micros": {"lte": until}}}
    total = 0
    while True:
        answer = store.cluster.request(
            "POST",
            f"/{store.name}/_delete_by_query",
            {"query": query},
            params={"conflicts": "proceed", "max_docs": AT_ONCE, "refresh": "true"},
        )
        total += int(answer["deleted"])
        if not answer["deleted"]:
            return total
