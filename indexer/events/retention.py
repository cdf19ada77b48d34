"""Deletes old events that nothing is derived from any more."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from seealso.cluster import indices
from seealso.config import Settings
from seealso.indexer.events.live_indices import LiveIndices
from seealso.indexer.events.store import EventStore
from seealso.types import to_micros

AT_ONCE: Final = "10000"
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
    query = {"range": {"micros": {"lte": until}}}
    batch = partial(
        indices.delete_by_query, store.cluster, store.name, query, max_docs=AT_ONCE, refresh="true"
    )
    return sum(iter(batch, 0))
