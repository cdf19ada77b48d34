"""The index of live events as the rooms of the indexer know it: its name, whether it is ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from seealso.cluster import Cluster

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

KIND: Final = "events"
"""What ``_meta.seealso.kind`` says of an index of events."""


def events_name(alias: str) -> str:
    """Return the name of the index of events beside the alias of the items."""
    return f"{alias}-events"


def find_events(cluster: Cluster, alias: str) -> str | None:
    """Return the name of the index of events; None if there is none that seealso made.

    A shop that calls its own log ``<alias>-events`` has no live events.
    """
    name = events_name(alias)
    mapping = find_mapping(cluster, name)
    return name if mapping is not None and holds_events(mapping) else None


def find_mapping(cluster: Cluster, name: str) -> Mapping[str, Any] | None:
    """Return the mapping of an index; None where there is none, an empty one of an alias."""
    answer = cluster.request("GET", f"/{name}", params={"ignore": 404})
    return None if "error" in answer else answer.get(name, {}).get("mappings", {})


def holds_events(mapping: Mapping[str, Any]) -> bool:
    """Tell whether an index with this mapping holds live events."""
    return bool(mapping.get("_meta", {}).get("seealso", {}).get("kind") == KIND)


@dataclass(frozen=True, slots=True)
class LiveEvents:
    """How many live events are stored, and the time of the newest; None where there is none."""

    events: int
    newest: datetime | None


def summarise_live_events(cluster: Cluster, alias: str) -> LiveEvents | None:
    """Return what the index of events beside `alias` holds; None where there is no such index."""
    name = find_events(cluster, alias)
    if name is None:
        return None
    body = {
        "size": 0,
        "track_total_hits": True,
        # positions of sources lie in the index as well
        "query": {"exists": {"field": "micros"}},
        "aggs": {"newest": {"max": {"field": "micros"}}},
    }
    found = cluster.request("POST", f"/{name}/_search", body, whole=True)
    newest = found["aggregations"]["newest"]["value"]
    return LiveEvents(
        events=int(found["hits"]["total"]["value"]),
        newest=None if newest is None else _EPOCH + timedelta(microseconds=newest),
    )
