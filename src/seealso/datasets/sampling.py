"""Few enough events to learn from: all of them, or all events of some of the users.

Users are drawn by a hash of their id, so that a user who is in the sample today is in it tomorrow.
The events are read once, and no more of them are held than are wanted, and a quarter. An id that
alone would be most of the sample, a guest or a robot as a rule, is left out of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
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
from seealso.wording import format_count

SLACK: Final = 0.25
"""Share of the events wanted that are held beyond them, before some are let go."""

HEAVY: Final = 0.25
"""Share of the events wanted that one user may have, or the members of one group together."""

_NUMBER: Final = "number"
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
    users
        Users who were drawn.
    heavy
        Users who were left out as each has more than `HEAVY` of the events wanted.
    of_nobody
        Events among those drawn that name no user.
    """

    events: int
    of_events: int
    users: int
    heavy: int = 0
    of_nobody: int = 0

    def __str__(self) -> str:
        whose = f"those of {format_count(self.users, 'user')}"
        if self.of_nobody:
            known = f"{self.events - self.of_nobody:,} of {format_count(self.users, 'user')}"
            whose = f"{known}, {self.of_nobody:,} of nobody"
        of_events = format_count(self.of_events, "event")
        drawn = f"{self.events:,} of {of_events}: {whose} (training.most_events)"
        if not self.heavy:
            return drawn
        return f"{drawn}; {self.heavy:,} with more than {HEAVY:.0%} of that each are left out"


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
    parted
        Groups that are too large to be drawn as one: each member was drawn alone.
    """

    frames: Sequence[pl.DataFrame]
    signature: str
    draw: Draw | None = None
    limit: int | None = None
    parted: Set[str] = frozenset()

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Iterate over the frames."""
        return iter(self.frames)

    def select_groups(self, groups: GroupMembers) -> GroupMembers:
        """Return the groups that were drawn: all members of these are in the sample."""
        if self.limit is None:
            return groups
        whole = {name: members for name, members in groups.items() if name not in self.parted}
        drawn = (_hash([*whole]) < self.limit).tolist()
        return dict(compress(whole.items(), drawn))


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
    fewer of them stay, and none comes back. Events without a user are thinned to the same share. A
    user with more than `HEAVY` of `most` is left out; a group of that size is no longer drawn as
    one.

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
    return SampledEvents(kept, state.hexdigest(), draw, sampler.limit, sampler.parted)


def hash_rows(frame: pl.DataFrame) -> bytes:
    """Return 8 bytes for each row, the same within a version of polars: another costs a fit."""
    return frame.hash_rows().to_numpy().tobytes()


class _Sampler:
    """Takes frames, and lets go of the users with the largest numbers when there are too many."""

    def __init__(self, most: int, groups: Callable[[], GroupMembers]) -> None:
        self.limit: int | None = None
        self.parted: set[str] = set()
        self._heavy: set[str] = set()
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
        known = rows["user_id"].drop_nulls()
        of_nobody = rows.height - len(known)
        draw = Draw(rows.height, self._read, known.n_unique(), len(self._heavy), of_nobody)
        return [rows.drop(_NUMBER)], draw

    def _shrink(self) -> None:
        """Keep at most as many events as are wanted, of those that came since, too."""
        if self._fresh:
            rows = self._number(pl.concat(self._fresh))
            # those who were let go once are none of the sample
            self._kept.append(rows if self.limit is None else self._below(rows))
            self._fresh = []
        rows = pl.concat(self._kept)
        ordered = np.sort(rows[_NUMBER].to_numpy())
        while len(heavy := self._find_heavy(ordered)):
            rows = self._leave_out(rows, heavy)
            ordered = np.sort(rows[_NUMBER].to_numpy())
        if len(ordered) > self._most:
            self.limit = int(ordered[self._most])
            rows = self._below(rows)
        self._kept, self._held = [rows], rows.height

    def _find_heavy(self, ordered: Numbers) -> Numbers:
        """Return the numbers that too many events have."""
        may = int(HEAVY * self._most)
        # in order, what equals the one so many places before has more than those
        later, before = ordered[may:], ordered[: max(0, len(ordered) - may)]
        return np.unique(later[later == before])

    def _leave_out(self, rows: pl.DataFrame, heavy: Numbers) -> pl.DataFrame:
        """Return the events without those of users of these numbers; large groups are parted."""
        too_many = pl.col(_NUMBER).is_in(pl.Series(heavy).implode())
        names = rows.filter(too_many)["user_id"].unique()
        groups = {group for name in names for group in self._groups_of(name)}
        large = [*compress(groups, np.isin(_hash([*groups]), heavy))] if groups else []
        if not large:
            self._heavy.update(names)
            return rows.filter(~too_many)
        self.parted.update(large)
        alone = pl.Series(self._hash(names.to_list()), dtype=pl.UInt64)
        number = pl.col("user_id").replace_strict(
            names, alone, default=pl.col(_NUMBER), return_dtype=pl.UInt64
        )
        parted = rows.with_columns(number.alias(_NUMBER))
        return parted if self.limit is None else self._below(parted)

    def _below(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.filter(pl.col(_NUMBER) < pl.lit(self.limit, dtype=pl.UInt64))

    def _number(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the events, each with the number of its user, without those of heavy users."""
        if self._heavy:
            user = pl.col("user_id")
            rows = rows.filter(user.is_null() | ~user.is_in([*self._heavy]))
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
            if groups := self._groups_of(one):
                numbers[place] = _hash(groups).min()
        return numbers

    def _groups_of(self, user: str) -> list[str]:
        """Return the groups that a user is drawn with."""
        known = (self._group_of or {}).get(user, ())
        return [one for one in known if one not in self.parted]


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
