"""Who is written to the users index: everybody of the events, and of the file of attributes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from seealso.cluster import Cluster, scan_ids
from seealso.config import Settings, UsersSettings
from seealso.errors import DataError
from seealso.indexer.inputs import row_source
from seealso.log import Tick, progress
from seealso.readers import (
    Attributes,
    FileSource,
    Histories,
    Problems,
    describe_unmatched,
    read_attributes,
    read_events,
)
from seealso.types import User


@dataclass(frozen=True)
class People:
    """Everybody that something is known of.

    Attributes
    ----------
    histories
        What they did.
    attributes
        What they are, by user id.
    limits
        How much of each is kept.
    """

    histories: Histories
    attributes: Mapping[str, Attributes]
    limits: UsersSettings

    @cached_property
    def ids(self) -> list[str]:
        """The ids of all users, sorted."""
        return sorted({*self.histories.users(), *self.attributes})

    def user(self, user_id: str) -> User:
        """Return what is kept of one of them."""
        found = self.histories.user(user_id, self.limits.seen_items) or User(user_id)
        return User(
            user_id,
            found.history[: self.limits.history_items],
            found.seen,
            self.attributes.get(user_id, {}),
        )


def read_people(settings: Settings, cluster: Cluster | None, problems: Problems) -> People:
    """Read ``[events]`` and the file of ``[users]``.

    Parameters
    ----------
    settings
        Sections ``events`` and ``users`` are used.
    cluster
        Where an index of events stands; not needed for files.
    problems
        Takes the broken rows.

    Raises
    ------
    DataError
        There are no users, or a file cannot be read.
    """
    source = row_source(settings, "events", cluster)
    with progress("reading") as tick:
        frames = read_events(source, settings.events, problems) if source else ()
        histories = Histories.from_events(_counted(frames, tick), positive=settings.events.positive)
    users = settings.users
    attributes = {}
    if users.path is not None:
        file = FileSource(users.path, format=users.format, columns=users.columns, section="users")
        attributes = read_attributes(file, users, problems)
    if not (len(histories) or attributes):
        raise DataError(
            "there are no users: no events, and no file of users",
            hint="set events.path (or events.index), or users.path, in seealso.toml",
        )
    return People(histories, attributes, settings.users)


def _counted(frames: Iterable[pl.DataFrame], tick: Tick) -> Iterator[pl.DataFrame]:
    for frame in frames:
        tick(frame.height)
        yield frame


def unmatched_notes(cluster: Cluster, settings: Settings, people: People) -> tuple[str, ...]:
    """Return what events name that the index lacks, and the users' file that the events lack.

    Parameters
    ----------
    cluster, settings
        The live index is the one of ``index.alias``.
    people
        As `read_people` returns them.

    Returns
    -------
    tuple of str
        At most a sentence each; no id of a user is in them.
    """
    found = []
    if events := people.histories.events_by_item():
        known = set(scan_ids(cluster, settings.index.alias))
        found.append(describe_unmatched(events, known, place="the index"))
        found.append(
            describe_unmatched(
                dict.fromkeys(people.attributes, 1),
                people.histories.users(),
                row="rows of the users file",
                id="users",
                place="the events",
                lists="where each row is of one user",
            )
        )
    return tuple(
        str(one.without_ids() if one.id == "users" else one) for one in found if one is not None
    )
