"""From settings to what a recommender needs: who its users are, and where lists are logged."""

from collections.abc import Collection, Mapping

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.indexer.inputs import row_source
from seealso.plugin.search.ubi import UbiLog
from seealso.plugin.users_index import UsersIndex
from seealso.readers import Histories, Problems, Pseudonyms, read_events


def open_users(
    cluster: Cluster, settings: Settings, environ: Mapping[str, str]
) -> UsersIndex | None:
    """Return where users are looked up, where ``users.enabled`` says so.

    Raises
    ------
    ConfigError
        `environ` does not hold the key of the pseudonyms.
    """
    if not settings.users.enabled:
        return None
    return UsersIndex(cluster, settings, Pseudonyms.from_environment(environ))


def open_ubi(cluster: Cluster, settings: Settings, environ: Mapping[str, str]) -> UbiLog | None:
    """Return what writes lists down, where ``ubi.enabled`` says so.

    Raises
    ------
    ConfigError
        `environ` does not hold the key of the pseudonyms.
    """
    if not settings.ubi.enabled:
        return None
    return UbiLog(cluster, settings.ubi, Pseudonyms.from_environment(environ))


def read_histories(
    cluster: Cluster, settings: Settings, users: Collection[str] | None, problems: Problems
) -> Histories | None:
    """Return what `users` did, from the events; of all users for None.

    Without events, or where no user is asked for, there is nothing to read.
    """
    if users is not None and not users:
        return None
    # a deadline is for someone who waits; for many at once, the cluster may take its time
    asked = cluster if users is None else cluster.hurry(settings.cluster.deadline)
    source = row_source(settings, "events", asked)
    if source is None:
        return None
    frames = read_events(source, settings.events, problems)
    return Histories.from_events(frames, positive=settings.events.positive, users=users)
