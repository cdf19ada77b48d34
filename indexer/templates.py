"""Stores query templates in the cluster, and checks whether the stored ones are current."""

from typing import Literal

from seealso.cluster import Cluster
from seealso.query_templates import names, script_id, source

State = Literal["current", "outdated", "missing"]


def install(cluster: Cluster) -> list[str]:
    """Store the query templates that the cluster lacks or holds otherwise, and return their names.

    Raises
    ------
    ClusterError
        OpenSearch refused.
    """
    behind = [name for name, state in installed(cluster).items() if state != "current"]
    for name in behind:
        script = {"lang": "mustache", "source": source(name)}
        cluster.request("PUT", f"/_scripts/{script_id(name)}", {"script": script})
    return behind


def installed(cluster: Cluster) -> dict[str, State]:
    """Return the state in the cluster of every template.

    Raises
    ------
    ClusterError
        OpenSearch refused or does not answer.
    """
    return {name: _state(cluster, name) for name in names()}


def _state(cluster: Cluster, name: str) -> State:
    answer = cluster.request("GET", f"/_scripts/{script_id(name)}", params={"ignore": 404})
    if not answer.get("found"):
        return "missing"
    stored = answer["script"]
    same = stored.get("lang") == "mustache" and stored.get("source") == source(name)
    return "current" if same else "outdated"
