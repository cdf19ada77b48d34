"""Whether an alias can be moved to a new index: found out before anything is written for it."""

from collections.abc import Mapping
from typing import Any, Final

from seealso.cluster import Cluster, indices
from seealso.cluster.blocks import Block, describe_cure
from seealso.errors import ClusterError, MappingMismatch

FIXED: Final = ("index.blocks.read_only", "index.blocks.read_only_allow_delete")
"""Blocks under which an index keeps its aliases."""


def require_movable(cluster: Cluster, alias: str, kind: str | None = None) -> None:
    """Make sure that `alias` is free, or stands for what seealso built and may leave.

    Parameters
    ----------
    cluster, alias
        What a build ends with moving.
    kind
        What ``_meta.seealso.kind`` says of the indices that it stands for; None of items.

    Raises
    ------
    ClusterError
        The alias is an index, or a block keeps it where it is.
    MappingMismatch
        It stands for an index that seealso did not build, or that holds something else.
    """
    params = {"flat_settings": "true", "ignore": 404}
    answer = cluster.request("GET", f"/{alias}", params=params)
    standing = {} if "error" in answer else answer
    # raises where it is an index of its own
    if alias in standing:
        indices.find_live(cluster, alias)
    for name, found in standing.items():
        own = found["mappings"].get("_meta", {}).get("seealso")
        if own is None or own.get("kind") != kind:
            holds = "which seealso did not build" if own is None else "which holds something else"
            raise MappingMismatch(
                f"{alias}: is an alias of {name}, {holds}: a build would take it away",
                hint="choose another index.alias, or give that index another alias",
                index=name,
            )
        require_unblocked(name, found["settings"])


def require_unblocked(name: str, settings: Mapping[str, Any]) -> None:
    """Make sure that the index `name` with these flat settings may lose an alias.

    Raises
    ------
    ClusterError
        A block keeps its aliases.
    """
    for block in FIXED:
        if settings.get(block) == "true":
            raise ClusterError(
                f"{name}: is blocked by {block}: no alias can be moved from it",
                hint=describe_cure([Block(block, name)]),
                index=name,
            )
