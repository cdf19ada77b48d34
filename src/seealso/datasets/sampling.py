"""Few enough events to learn from: all of them, or all events of some of the users.

Users are drawn by a hash of their id, so that a user who is in the sample today is in it tomorrow.
The events are read once, and no more of them are held than are wanted, and a quarter.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from itertools import compress
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from seealso.config import Settings
from seealso.log import progress, say
from seealso.types import GroupMembers

SLACK: Final = 0.25
"""Share of the events wanted that are held beyond them, before some are let go."""

_NUMBER: Final = "number"
_NUMBERS: Final = 2.0**64
# multiples of the golden ratio lie evenly between 0 and 1, wherever they end
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)

Numbers = npt.NDArray[np.uint64]

Frames: TypeAlias = Callable[[], Iterable[pl.DataFrame]]
"""Gives the event frames; where they are a `SampledEvents`, these are all that is wanted."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How much of the events is learnt from.

    Attributes
    ----------
    events, of_events
        Events that were drawn, and that there are.
    users, of_users
        Users who were drawn, and about how many there are.
    """

    events: int
    of_events: int
    users: int
    of_users: int

    def __str__(self) -> str:
        return (
            f"{self.events:,} of {self.of_events:,} events: those of {self.users:,} of about "
            f"{self.of_users:,} users (training.most_events)"
        )


@dataclass(frozen=True, eq=False)
class SampledEvents:
    """The frames of the events that are learnt from and asked about.

    Attributes
    ----------
    frames
        The events, in the order they were read in.
    signature
        Hash of all events that were read, and of which of them these are.
    draw
        How much of the events this is; None for all of them.
    limit
        Hash below which the ids of its users lie; None for all of them.
    """

    frames: Sequence[pl.DataFrame]
    signature: str
    draw: Draw | None = None
    limit: int | None = None

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Iterate over the frames."""
        return iter(self.frames)

    def select_groups(self, groups: GroupMembers) -> GroupMembers:
        """Return the groups that were drawn: all members of these are in the sample."""
        if self.limit is None:
            return groups
        drawn = (_hash([*groups]) < self.limit).tolist()
        return dict(compress(groups.items(), drawn))


def sample_events(
    settings: Settings, events: Frames, groups: Callable[[], GroupMembers] = dict
) -> SampledEvents:
    """Read ``training.most_events`` at most as `sample_users` does, and say if these are not all.

    Parameters
    ----------
    settings
        ``training.most_events`` is used.
    events, groups
        As for `sample_users`.
    """
    frames = events()
    if isinstance(frames, SampledEvents):
        return frames
    with progress("reading events") as tick:

        def counted() -> Iterator[pl.DataFrame]:
            for frame in frames:
                tick(frame.height)
                yield frame

        found = sample_users(counted(), settings.training.most_events, groups)
    if found.draw is not None:
        say(f"note: what is learnt and asked comes from {found.draw}")
    return found


def sample_users(
    frames: Iterable[pl.DataFrame],
    most: int,
    groups: Callable[[], GroupMembers] = dict,
) -> SampledEvents:
    """Read the events, and keep all of some users where there are more than `most`.

    Users with the smallest hashes stay: as many as have `most` events together. With more events,
    fewer of them stay, and none comes back. Events without a user are thinned to the same share.

    Parameters
    ----------
    frames
        Event frames.
    most
        Most events.
    groups
        Gives the members of known groups, asked only where users are drawn: members stay where
        one of their groups does.
    """
    state = sha256(pl.__version__.encode())
    sampler = _Sampler(most, groups)
    for frame in frames:
        state.update(hash_rows(frame))
        sampler.add(frame)
    kept, draw = sampler.finish()
    state.update(str(sampler.limit).encode())
    return SampledEvents(kept, state.hexdigest(), draw, sampler.limit)


def hash_rows(frame: pl.DataFrame) -> bytes:
    """Return 8 bytes for each row, the same within a version of polars: another costs a fit."""
    return frame.hash_rows().to_numpy().tobytes()


class _Sampler:
    """Takes frames, and lets go of the users with the largest numbers when there are too many."""

    def __init__(self, most: int, groups: Callable[[], GroupMembers]) -> None:
        self.limit: int | None = None
        self._most = most
        self._groups = groups
        self._group_of: Mapping[str, Sequence[str]] | None = None
        self._fresh: list[pl.DataFrame] = []
        self._kept: list[pl.DataFrame] = []
        self._of_nobody = 0
        self._read = 0
        self._held = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Take the next events."""
        self._fresh.append(frame)
        self._read += frame.height
        self._held += frame.height
        if self._held > (1 + SLACK) * self._most:
            self._shrink()

    def finish(self) -> tuple[Sequence[pl.DataFrame], Draw | None]:
        """Return the events that stay, and how much of all events that is."""
        if self._read <= self._most:
            return self._fresh, None
        self._shrink()
        (rows,) = self._kept
        users = rows["user_id"].drop_nulls().n_unique()
        share = self.limit / _NUMBERS if self.limit is not None else 1.0
        draw = Draw(rows.height, self._read, users, round(users / share) if share else 0)
        return [rows.drop(_NUMBER)], draw

    def _shrink(self) -> None:
        """Keep at most as many events as are wanted, of those that came since, too."""
        if self._fresh:
            rows = self._number(pl.concat(self._fresh))
            # those who were let go once are none of the sample
            self._kept.append(rows if self.limit is None else self._below(rows))
            self._fresh = []
        rows = pl.concat(self._kept)
        if rows.height > self._most:
            numbers = rows[_NUMBER].to_numpy()
            self.limit = int(np.partition(numbers, self._most)[self._most])
            rows = self._below(rows)
        self._kept, self._held = [rows], rows.height

    def _below(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.filter(pl.col(_NUMBER) < pl.lit(self.limit, dtype=pl.UInt64))

    def _number(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the events, each with the number of its user."""
        users = rows["user_id"].unique().drop_nulls()
        numbers = pl.Series(self._hash(users.to_list()), dtype=pl.UInt64)
        numbered = rows["user_id"].replace_strict(
            users, numbers, default=None, return_dtype=pl.UInt64
        )
        nobody = numbered.is_null()
        count = int(nobody.sum())
        if count:
            # these have no id: every so many of them stay
            places = np.arange(self._of_nobody, self._of_nobody + count, dtype=np.uint64)
            self._of_nobody += count
            numbered = numbered.scatter(nobody.arg_true(), pl.Series(places * _GOLDEN))
        return rows.with_columns(numbered.alias(_NUMBER))

    def _hash(self, users: Sequence[str]) -> Numbers:
        """Return the number of each user: of a member of groups, the smallest of these groups."""
        if self._group_of is None:
            self._group_of = _invert(self._groups())
        numbers = _hash(users)
        for place, one in enumerate(users if self._group_of else ()):
            if (groups := self._group_of.get(one)) is not None:
                numbers[place] = _hash(groups).min()
        return numbers


def _invert(groups: GroupMembers) -> dict[str, list[str]]:
    """Return the groups of each member."""
    found: dict[str, list[str]] = {}
    for name, members in groups.items():
        for one in members:
            found.setdefault(one, []).append(name)
    return found


def _hash(names: Sequence[str]) -> Numbers:
    digests = (blake2b(one.encode("utf-8", "replace"), digest_size=8).digest() for one in names)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)
