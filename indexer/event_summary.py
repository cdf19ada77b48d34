"""What the events are as a whole: how many, whose, from when to when, and how many of no item.

A file that was read wrongly shows here first: a span of years too long, nobody known, ids that
never meet.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import polars as pl

# partial sums that are kept before they are added up
_PARTS: Final = 64


@dataclass(frozen=True, slots=True)
class EventSummary:
    """What all events together are.

    Attributes
    ----------
    events
        How many there are, whatever their type.
    users
        How many different users they have.
    anonymous
        Events of no user.
    first, last
        Times of the earliest and the latest one, of those that are not ahead; None without any.
    ahead
        Events from after now: their clock is wrong, and sets no other.
    uncounted
        Events beyond ``importance.per_user``.
    later
        Events that came after the moment up to which they are counted.
    """

    events: int = 0
    users: int = 0
    anonymous: int = 0
    first: datetime | None = None
    last: datetime | None = None
    ahead: int = 0
    uncounted: int = 0
    later: int = 0

    def __str__(self) -> str:
        whose = f"{self.events:,} of {self.users:,} users"
        if self.anonymous:
            whose += f", {self.anonymous:,} of them of no user"
        if self.first is None or self.last is None:
            return f"{whose}, without times"
        return f"{whose}, from {self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC"

    def notes(self) -> Iterator[str]:
        """Yield what was guessed or left out of the count, a sentence each."""
        if self.ahead:
            yield (
                f"{self.ahead:,} of {self.events:,} events are from after now: they count as "
                "events without a time, and decay is not counted from them"
            )
        if self.uncounted:
            yield (
                f"{self.uncounted:,} of {self.events:,} events do not count: they are more than "
                "importance.per_user of one user with one item"
            )
        if self.later:
            yield (
                f"{self.later:,} of {self.events:,} events came after those that the build "
                "counted: `seealso index importance` counts them for every item, or they are "
                "taken in as live events"
            )


@dataclass
class EventTally:
    """Adds up the events as they are read; memory grows with the items and the users.

    Parameters
    ----------
    latest
        Events after this moment are ahead; none are where it is None.
    until
        Events after this moment are left out of what is counted; none are where it is None.
    """

    latest: datetime | None
    until: datetime | None = None
    _events: int = 0
    _anonymous: int = 0
    _ahead: int = 0
    _later: int = 0
    _first: datetime | None = None
    _last: datetime | None = None
    _users: list[pl.DataFrame] = field(default_factory=list, repr=False)
    _items: list[pl.DataFrame] = field(default_factory=list, repr=False)

    def add(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Note the events of a frame, and return those to count, with believable times."""
        if self.latest is not None:
            ahead = frame["time"] > self.latest
            self._ahead += int(ahead.sum())
            frame = frame.with_columns(pl.when(~ahead).then("time").alias("time"))
        self._events += frame.height
        self._anonymous += frame["user_id"].null_count()
        first, last = frame["time"].min(), frame["time"].max()
        if isinstance(first, datetime) and isinstance(last, datetime):
            self._first = first if self._first is None else min(first, self._first)
            self._last = last if self._last is None else max(last, self._last)
        # a hash takes less room than an id; two of a billion users fall together once in a while
        users = frame.select(user=pl.col("user_id").drop_nulls().hash())
        self._users = _shorten([*self._users, users.unique()], _distinct)
        items = frame.group_by("item_id").agg(events=pl.len().cast(pl.Int64))
        self._items = _shorten([*self._items, items], _sum_by_item)
        if self.until is None:
            return frame
        later = (frame["time"] > self.until).fill_null(value=False)
        self._later += int(later.sum())
        return frame.filter(~later)

    def summary(self, uncounted: int = 0) -> EventSummary:
        """Return what was added up."""
        return EventSummary(
            events=self._events,
            users=_distinct(self._users).height if self._users else 0,
            anonymous=self._anonymous,
            first=self._first,
            last=self._last,
            ahead=self._ahead,
            uncounted=uncounted,
            later=self._later,
        )

    def by_item(self) -> dict[str, int]:
        """Return the number of events that name an item, by its id, whatever their type."""
        items = _sum_by_item(self._items) if self._items else pl.DataFrame()
        return dict(items.iter_rows())


def _shorten(
    parts: list[pl.DataFrame], joined: Callable[[list[pl.DataFrame]], pl.DataFrame]
) -> list[pl.DataFrame]:
    return [joined(parts)] if len(parts) > _PARTS else parts


def _distinct(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).unique()


def _sum_by_item(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).group_by("item_id").agg(pl.col("events").sum())
