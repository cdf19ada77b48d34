"""From settings to a recommender: who its users are, and where they are looked up."""

from collections.abc import Collection, Mapping

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.indexer.inputs import row_source
from seealso.plugin.recommender import Recommender
from seealso.plugin.search.ubi import UbiLog
from seealso.plugin.users_index import UsersIndex
from seealso.readers import Histories, Problems, Pseudonyms, read_events


def open_recommender(
    cluster: Cluster,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    users: Collection[str] | None = None,
    problems: Problems | None = None,
) -> Recommender:
    """Return a recommender that looks users up where the settings say.

    That is the users index where ``users.enabled`` says so, else the events.

    Parameters
    ----------
    cluster, settings
        Where, and what of.
    environ
        Holds the key of the pseudonyms, where there is a users index, or lists are written to UBI.
    users
        Read the events of these alone; of all users for None.
    problems
        Takes the broken rows of the events; they are left out by default.

    Raises
    ------
    ConfigError, DataError
        Settings or events cannot be used.
    ClusterError, BundleError
        There is no index, or its bundle is not in the store.
    """
    ubi = open_ubi(cluster, settings, environ)
    if settings.users.enabled:
        names = Pseudonyms.from_environment(environ)
        index = UsersIndex(cluster, settings, names)
        return Recommender(cluster, settings, users=index, ubi=ubi)
    known = read_histories(cluster, settings, users, problems or Problems("skip"))
    return Recommender(cluster, settings, known, ubi=ubi)


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
