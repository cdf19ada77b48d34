"""Where writes go so that they never create an index.

Unless a cluster forbids it, a bulk request to an index that somebody has deleted makes a new one,
with fields that OpenSearch guessed. Bulk requests can demand an alias, not an index, so that each
index of ours has one of its own for this.
"""

from typing import Any

from seealso.cluster.client import Cluster
from seealso.cluster.failures import no_such_index


def write_alias(name: str) -> str:
    """Return the alias through which the index `name` is written to."""
    return f"{name}-writes"


def write_aliases(name: str) -> dict[str, Any]:
    """Return the section ``aliases`` with which the index `name` is created."""
    return {write_alias(name): {"is_hidden": True}}


def write_address(cluster: Cluster, name: str) -> tuple[str, dict[str, str]]:
    """Return what stands in the path of a bulk request to the index `name`, and its parameters.

    An index that others made has no such alias; that it is there is all that can be seen.

    Raises
    ------
    ClusterError
        There is no such index.
    """
    alias = write_alias(name)
    if cluster.exists(f"/{name}/_alias/{alias}"):
        return alias, {"require_alias": "true"}
    if not cluster.exists(f"/{name}"):
        raise no_such_index(name)
    return name, {}
