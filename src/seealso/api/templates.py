"""``seealso templates``: the queries that a cluster keeps for clients that are not Python."""

from seealso.cluster import connect
from seealso.config import Settings
from seealso.indexer import templates as stored


def install_templates(settings: Settings) -> list[str]:
    """Store the query templates in the cluster, and return the names of those that were written."""
    with connect(settings) as cluster:
        return stored.install(cluster)


def plan_install_templates(settings: Settings) -> list[str]:
    """Return the names of the templates that `install_templates` would write."""
    states = list_templates(settings)
    return [name for name, state in states.items() if state != "current"]


def list_templates(settings: Settings) -> dict[str, stored.State]:
    """Return the query templates, each with whether the cluster has it."""
    with connect(settings) as cluster:
        return stored.installed(cluster)
