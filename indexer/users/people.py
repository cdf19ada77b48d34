"""Who is written to the users index: everybody of the events, and of the file of attributes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import polars as pl

from seealso.cluster import Cluster, scan_ids
from seealso.config import Settings, UsersSettings
from seealso.errors import DataError
from seealso.indexer.event_summary import RunningTotal
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

MOST_EVENTS: Final = 10_000_000
"""Events that are held at once; of more, they are read once for each part of the users."""

Frames: TypeAlias = Iterable[pl.DataFrame]


@dataclass(frozen=True)
class People:
    """Everybody that something is known of.

    Attributes
    ----------
    ids
        The ids of all users, sorted.
    attributes
        What they are, by user id.
    limits
        How much of each user is kept.
    counts
        How many events they have.
    portions
        Ids of users whose events are read together, in the order of `ids`.
    read
        Reads what the users of a portion did.
    """

    ids: pl.Series
    attributes: Mapping[str, Attributes]
    limits: UsersSettings
    counts: "_Counts"
    portions: Sequence[pl.Series]
    read: Callable[[pl.Series], Histories]

    def users(self) -> Iterator[User]:
        """Yield what is kept of everybody, in the order of `ids`."""
        for ids in self.portions:
            yield from self._users_of(ids)

    def _users_of(self, ids: pl.Series) -> Iterator[User]:
        # one portion is let go of before the next one is read
        histories = self.read(ids)
        for user_id in ids:
            found = histories.user(user_id, self.limits.seen_items) or User(user_id)
            yield User(
                user_id,
                found.history[: self.limits.history_items],
                found.seen,
                self.attributes.get(user_id, {}),
            )


def read_people(
    settings: Settings,
    cluster: Cluster | None,
    problems: Problems,
    *,
    most_events: int = MOST_EVENTS,
) -> People:
    """Read ``[events]`` and the file of ``[users]``.

    Parameters
    ----------
    settings
        Sections ``events`` and ``users`` are used.
    cluster
        Where an index of events stands; not needed for files.
    problems
        Takes the broken rows.
    most_events
        Events that are held at once, and those of one more user. Where there are more, these are
        counted now, and read once more for each portion of the users.

    Raises
    ------
    DataError
        There are no users, or a file cannot be read.
    """
    source = row_source(settings, "events", cluster)
    positive = settings.events.positive

    def read() -> Frames:
        return read_events(source, settings.events, problems) if source else ()

    def read_portion(ids: pl.Series) -> Histories:
        among = pl.col("user_id").is_between(pl.lit(ids[0]), pl.lit(ids[-1]))
        return Histories.from_events((one.filter(among) for one in read()), positive=positive)

    counts = _Counts()
    with progress("reading") as tick:
        frames = counts.count(read(), tick)
        whole = Histories.from_events(_take(frames, counts, most_events), positive=positive)
        # what is too much to be held is only counted
        for _ in frames:
            pass
    attributes = _read_attributes(settings.users, problems)
    by_user = counts.by_user
    if by_user.is_empty() and not attributes:
        raise DataError(
            "there are no users: no events, and no file of users",
            hint="set events.path (or events.index), or users.path, in seealso.toml",
        )
    known = pl.Series("user_id", [*attributes], dtype=pl.String)
    ids = pl.concat([by_user["user_id"], known]).unique().sort()
    if counts.events <= most_events:
        return People(ids, attributes, settings.users, counts, [ids], lambda _: whole)
    portions = _cut(ids, by_user, most_events)
    return People(ids, attributes, settings.users, counts, portions, read_portion)


def _read_attributes(users: UsersSettings, problems: Problems) -> Mapping[str, Attributes]:
    if users.path is None:
        return {}
    file = FileSource(users.path, format=users.format, columns=users.columns, section="users")
    return read_attributes(file, users, problems)


class _Counts:
    """Counts the events of each user, and those that name each item, as they are read."""

    def __init__(self) -> None:
        self.events = 0
        self._by = {name: _running_total(name) for name in ("user_id", "item_id")}

    def count(self, frames: Frames, tick: Tick) -> Iterator[pl.DataFrame]:
        """Yield the frames, counted."""
        for frame in frames:
            tick(frame.height)
            # an event of nobody is in nobody's history
            rows = frame.drop_nulls("user_id")
            self.events += rows.height
            for name, total in self._by.items():
                total.add(rows.select(name, events=pl.lit(1, dtype=pl.Int64)))
            yield frame

    @property
    def by_user(self) -> pl.DataFrame:
        """The number of ``events`` of each ``user_id``."""
        return self._by["user_id"].total()

    @property
    def by_item(self) -> dict[str, int]:
        """The number of events of each item, by its id."""
        return dict(self._by["item_id"].total().iter_rows())


def _running_total(name: str) -> RunningTotal:
    schema = pl.Schema({name: pl.String(), "events": pl.Int64()})
    return RunningTotal(
        schema, lambda rows: rows.group_by(name, maintain_order=True).agg(pl.sum("events"))
    )


def _take(frames: Frames, counts: _Counts, most: int) -> Iterator[pl.DataFrame]:
    """Yield frames until they have more than `most` events."""
    for frame in frames:
        yield frame
        if counts.events > most:
            return


def _cut(ids: pl.Series, by_user: pl.DataFrame, most: int) -> list[pl.Series]:
    """Cut the users so that a part has `most` events, and those of one more user, at most."""
    sizes = ids.to_frame().join(by_user, on="user_id", how="left", maintain_order="left")
    number = sizes["events"].fill_null(0).cum_sum() // most
    parts = sizes.with_columns(number=number).partition_by("number", maintain_order=True)
    return [part["user_id"] for part in parts]


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
    if events := people.counts.by_item:
        known = set(scan_ids(cluster, settings.index.alias))
        found.append(describe_unmatched(events, known, place="the index"))
        found.append(
            describe_unmatched(
                dict.fromkeys(people.attributes, 1),
                people.counts.by_user["user_id"].to_list(),
                row="rows of the users file",
                id="users",
                place="the events",
                lists="where each row is of one user",
            )
        )
    return tuple(
        str(one.without_ids() if one.id == "users" else one) for one in found if one is not None
    )
