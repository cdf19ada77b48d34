"""The index of live events as the rooms of the indexer know it: its name, whether it is ours."""

from collections.abc import Mapping
from typing import Any, Final

from seealso.cluster import Cluster

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
