"""Aliases for writing, so that no write creates an index.

Unless a cluster forbids it, a bulk request to an index that somebody has deleted makes a new one,
with fields that OpenSearch guessed. Bulk requests can demand an alias, not an index, so that each
index of ours has one of its own for this.
"""

from typing import Any

from seealso.cluster.client import Cluster
from seealso.cluster.failures import no_such_index
from seealso.cluster.indices import resolve_alias
from seealso.errors import ClusterError


def write_alias(name: str) -> str:
    """Return the alias through which the index `name` is written to."""
    return f"{name}-writes"


def write_aliases(name: str) -> dict[str, Any]:
    """Return the section ``aliases`` with which the index `name` is created."""
    return {write_alias(name): {"is_hidden": True}}


def write_address(cluster: Cluster, name: str) -> tuple[str, dict[str, str]]:
    """Return the alias for the path of a bulk request to the index `name`, and its parameters.

    An index that others made gets the alias when it is first written to. Hidden, it is met by no
    wildcard of theirs, and it goes when they delete the index.

    Parameters
    ----------
    cluster, name
        The index, by its own name.

    Raises
    ------
    ClusterError
        There is no such index, or its alias belongs to another one.
    """
    alias = write_alias(name)
    if not cluster.exists(f"/{name}/_alias/{alias}"):
        if not cluster.exists(f"/{name}"):
            raise no_such_index(name)
        require_free(cluster, name)
        action = {"add": {"index": name, "alias": alias, "is_hidden": True}}
        cluster.request("POST", "/_aliases", {"actions": [action]})
    return alias, {"require_alias": "true"}


def require_free(cluster: Cluster, name: str) -> None:
    """Make sure that nothing but the index `name` is reached by its alias for writing.

    Raises
    ------
    ClusterError
        Another index bears that name, or the alias points to another one.
    """
    alias = write_alias(name)
    pointed_to = resolve_alias(cluster, alias)
    if pointed_to == [name] or not (pointed_to or cluster.exists(f"/{alias}")):
        return
    raise ClusterError(
        f"{name}: is written to by the alias {alias}, and that is "
        + (f"an alias of {', '.join(pointed_to)}" if pointed_to else "an index"),
        hint=f"give that one another name, or reindex {name} under another",
        index=name,
    )
