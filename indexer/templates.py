"""Query templates into the cluster: store them, and tell whether the stored ones are current."""

from collections.abc import Iterable
from typing import Literal

from seealso.cluster import Cluster
from seealso.query_templates import names as all_names
from seealso.query_templates import script_id, source

State = Literal["current", "outdated", "missing"]


def install(cluster: Cluster, *, names: Iterable[str] | None = None) -> list[str]:
    """Store query templates in the cluster, those that are not there as they should be.

    Parameters
    ----------
    cluster
        Where to.
    names
        Which templates; all of them by default.

    Returns
    -------
    list[str]
        Names of the templates that were written: none if all were current.

    Raises
    ------
    TemplateError
        A name is not that of a template; then nothing is written.
    ClusterError
        OpenSearch refused.
    """
    wanted = {name: source(name) for name in (all_names() if names is None else names)}
    written = []
    for name, text in wanted.items():
        if _state(cluster, name) != "current":
            cluster.put_script(script_id(name), {"script": {"lang": "mustache", "source": text}})
            written.append(name)
    return written


def installed(cluster: Cluster) -> dict[str, State]:
    """Return the state in the cluster of every template.

    Raises
    ------
    ClusterError
        OpenSearch refused or does not answer.
    """
    return {name: _state(cluster, name) for name in all_names()}


def _state(cluster: Cluster, name: str) -> State:
    stored = cluster.get_script(script_id(name))
    if stored is None:
        return "missing"
    same = stored.get("lang") == "mustache" and stored.get("source") == source(name)
    return "current" if same else "outdated"
