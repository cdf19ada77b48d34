"""``seealso users``: people in an index of their own, under pseudonyms."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from seealso.api.reading import say_notes, say_skipped
from seealso.choices import OnError
from seealso.cluster import Cluster, connect
from seealso.config import Settings
from seealso.indexer import privacy
from seealso.indexer.events.ingest import add_live_events
from seealso.indexer.privacy import ForgetReport, UserDocuments
from seealso.indexer.users import build as building
from seealso.indexer.users.build import UsersReport
from seealso.indexer.users.people import read_people, unmatched_notes
from seealso.indexer.users.writing import UsersWriter
from seealso.plugin.neighbours import NeighbourList
from seealso.plugin.profiles.users import read_id
from seealso.plugin.recommender import Recommender
from seealso.plugin.users_index import UsersIndex
from seealso.readers import Problems, Pseudonyms


def build_users(
    settings: Settings, *, on_error: OnError = "stop", new_key: bool = False
) -> UsersReport:
    """Write all users to a new index, and let the alias of the users point to it.

    Parameters
    ----------
    settings
        Users come from ``events``, their attributes from the file of ``users``.
    on_error
        What a broken row does.
    new_key
        The key of the pseudonyms may be another one than before.
    """
    return _run(settings, on_error, partial(building.build_users, new_key=new_key))


def plan_build_users(
    settings: Settings, *, on_error: OnError = "stop", new_key: bool = False
) -> UsersReport:
    """Say what `build_users` would do; nothing is written."""
    return _run(settings, on_error, partial(building.plan_build, new_key=new_key), write=False)


def update_users(settings: Settings, *, on_error: OnError = "stop") -> UsersReport:
    """Write the users that are new or changed, and delete those that are no more.

    Parameters
    ----------
    settings
        As for `build_users`.
    on_error
        What a broken row does.
    """
    return _run(settings, on_error, building.update_users)


def plan_update_users(settings: Settings, *, on_error: OnError = "stop") -> UsersReport:
    """Say what `update_users` would do; nothing is written."""
    return _run(settings, on_error, building.plan_update, write=False)


def _run(
    settings: Settings,
    on_error: OnError,
    run: Callable[[UsersWriter], UsersReport],
    *,
    write: bool = True,
) -> UsersReport:
    """Read the users, let `run` write them, or plan it, and say what was left out and noticed."""
    names = Pseudonyms.from_environment(os.environ)
    problems = Problems(on_error)
    with connect(settings) as cluster:
        report = write_users(cluster, settings, names, problems, run, write=write)
    say_skipped(problems)
    say_notes(report.notes)
    return report


def write_users(
    cluster: Cluster,
    settings: Settings,
    names: Pseudonyms,
    problems: Problems,
    run: Callable[[UsersWriter], UsersReport],
    *,
    write: bool = True,
) -> UsersReport:
    """Read the users, and let `run` write them or plan it.

    Parameters
    ----------
    cluster, settings, names
        Where the users are written, and under which pseudonyms.
    problems
        Takes the broken rows.
    run
        One of the calls of `seealso.indexer.users.build`.
    write
        Whether `run` writes: then live events are added.
    """
    people = read_people(settings, cluster, problems)
    # without a live index there is nothing to make vectors with: a plan says so, too
    user_encoder = Recommender(cluster, settings).user_encoder()
    report = run(UsersWriter(cluster, settings, people, names, user_encoder))
    if write:
        add_live_events(cluster, settings, names, lambda: user_encoder)
    return replace(report, notes=unmatched_notes(cluster, settings, people))


def forget_user(settings: Settings, user_id: str) -> ForgetReport:
    """Delete all that is stored about a user, and search for it again.

    Parameters
    ----------
    settings
        Where the users index, ``<alias>-events`` and the indices of UBI are.
    user_id
        The id itself, not the pseudonym.

    Raises
    ------
    DataError
        It is no id.
    ClusterError
        Something of the user is still there, or could not be looked for.
    """
    user_id = read_id("user_id", user_id)
    names = Pseudonyms.from_environment(os.environ)
    with connect(settings) as cluster:
        return privacy.forget(cluster, settings, names, user_id)


def plan_forget_user(settings: Settings, user_id: str) -> UserDocuments:
    """Return what `forget_user` would delete; nothing is written."""
    return export_user(settings, user_id)


def export_user(settings: Settings, user_id: str) -> UserDocuments:
    """Return all that is stored about a user.

    Parameters
    ----------
    settings
        Where the users index, ``<alias>-events`` and the indices of UBI are.
    user_id
        The id itself, not the pseudonym.

    Raises
    ------
    DataError
        It is no id.
    """
    user_id = read_id("user_id", user_id)
    names = Pseudonyms.from_environment(os.environ)
    with connect(settings) as cluster:
        return privacy.export_user(cluster, settings, names, user_id)


def list_neighbours(settings: Settings, user_id: str, *, size: int = 10) -> NeighbourList:
    """Return the users who are most like a user, under their pseudonyms, by one kNN query.

    Parameters
    ----------
    settings
        Where the users index is.
    user_id
        The id itself, not the pseudonym.
    size
        How many.

    Raises
    ------
    DataError
        Nothing is known of the user.
    """
    names = Pseudonyms.from_environment(os.environ)
    with connect(settings) as cluster:
        index = UsersIndex(cluster, settings, names)
        with Recommender(cluster, settings, users=index) as recommender:
            return recommender.neighbours(recommender.user(user_id), size=size)
