"""The index of live events as the rooms of the indexer know it: its name, whether it is ours."""

from typing import Final

from seealso.cluster import Cluster
from seealso.errors import MappingMismatch

KIND: Final = "events"
"""What ``_meta.seealso.kind`` says of an index of events."""


def events_name(alias: str) -> str:
    """Return the name of the index of events beside the alias of the items."""
    return f"{alias}-events"


def find_events(cluster: Cluster, alias: str) -> str | None:
    """Return the name of the index of events; None where there is none, or one of somebody else.

    A shop that calls its own log ``<alias>-events`` has no live events.
    """
    name = events_name(alias)
    answer = cluster.request("GET", f"/{name}", params={"ignore": 404})
    meta = answer.get(name, {}).get("mappings", {}).get("_meta", {})
    return name if meta.get("seealso", {}).get("kind") == KIND else None


def require_free(cluster: Cluster, alias: str) -> None:
    """Make sure that nothing else has the name of the index of events.

    Raises
    ------
    MappingMismatch
        Something else has.
    """
    name = events_name(alias)
    if cluster.exists(f"/{name}") and find_events(cluster, alias) is None:
        raise MappingMismatch(
            f"{name}: is somebody else's, and live events of {alias} would be kept under that name",
            hint="set another index.alias, or give that index another name",
            index=name,
        )
