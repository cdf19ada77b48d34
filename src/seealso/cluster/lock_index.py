"""The index ``<alias>-locks``: hidden, so that no wildcard meets it, and behind no alias."""

from collections.abc import Mapping
from typing import Any, Final

from seealso.cluster.client import Cluster
from seealso.cluster.foreign import find_templates, shield
from seealso.cluster.indices import ALREADY_THERE
from seealso.errors import ClusterError

BODY: Final[Mapping[str, Any]] = {
    "settings": {
        "index": {
            "hidden": True,
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            "default_pipeline": "_none",
            "final_pipeline": "_none",
        }
    },
    "mappings": {
        "dynamic": False,
        "_source": {"enabled": True},
        "_meta": {"seealso": {"kind": "locks"}},
    },
}
"""Of the index: spelt out, as index templates of others may match its name."""


def lock_index_name(alias: str) -> str:
    """Return the name of the index in which the locks of `alias` are."""
    return f"{alias}-locks"


def create_index(cluster: Cluster, alias: str) -> None:
    """Create the index for locks, unless another process does so just now.

    Raises
    ------
    ClusterError
        The name belongs to an index or alias that seealso did not make.
    """
    name = lock_index_name(alias)
    try:
        # of several that create it at once, the first ends its shield when the index is there
        with shield(cluster, name, find_templates(cluster, name)):
            cluster.request("PUT", f"/{name}", BODY)
    except ClusterError as exc:
        if ALREADY_THERE not in exc.message:
            # an error with a hint of its own is raised as it is
            if exc.hint is not None:
                raise
            raise ClusterError(
                f"{name}: the index for locks cannot be created: {exc.message}",
                hint="seealso records there which process is building: allow it, or choose "
                "another index.alias",
                index=name,
            ) from exc
    require_ours(cluster, alias)


def require_ours(cluster: Cluster, alias: str) -> None:
    """Make sure that the index for locks is one, and that no alias points to it.

    Raises
    ------
    ClusterError
        The name belongs to an index or alias that seealso did not make.
    """
    name = lock_index_name(alias)
    found = cluster.request("GET", f"/{name}").get(name)
    kind = found and found["mappings"].get("_meta", {}).get("seealso", {}).get("kind")
    if kind != "locks":
        raise ClusterError(
            f"{name}: seealso needs that name for locks, but this index was not made by seealso",
            hint="choose another index.alias",
            index=name,
        )
    # a template that the account may not read may have added some
    for other in found["aliases"]:
        cluster.request("DELETE", f"/{name}/_alias/{other}", params={"ignore": 404})
