"""What the events are as a whole: how many, whose, from when to when, and how many of no item.

A file that was read wrongly shows here first: a span of years too long, nobody known, ids that
never meet.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from seealso.wording import format_count

MOST_FRAMES: Final = 64
"""Frames that are kept before they are added up."""

_NUMBERS: Final = pl.Schema(
    {
        **dict.fromkeys(("events", "anonymous", "ahead", "later"), pl.Int64()),
        **dict.fromkeys(("first", "last"), pl.Datetime("us", "UTC")),
    }
)


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
        whose = f"{self.events:,} of {format_count(self.users, 'user')}"
        if self.anonymous:
            whose += f", {self.anonymous:,} of them without a user"
        if self.first is None or self.last is None:
            return f"{whose}, without times"
        return f"{whose}, from {self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC"

    def notes(self) -> Iterator[str]:
        """Yield what was guessed or left out of the count, a sentence each."""
        if self.ahead:
            yield (
                f"{self.ahead:,} of {self.events:,} events are in the future: they count as "
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
                "ingested as live events"
            )


class RunningTotal:
    """Frames that are added up now and then: memory grows with the total, not with the frames.

    Parameters
    ----------
    schema
        Of the frames.
    add_up
        Adds up the rows of several frames; done twice, it gives the same.
    """

    def __init__(self, schema: pl.Schema, add_up: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._frames = [pl.DataFrame(schema=schema)]
        self._add_up = add_up

    def add(self, frame: pl.DataFrame) -> None:
        """Add a frame."""
        self._frames.append(frame)
        if len(self._frames) > MOST_FRAMES:
            self._frames = [self.total()]

    def total(self) -> pl.DataFrame:
        """Return what was added up."""
        return self._add_up(pl.concat(self._frames))


class EventTally:
    """Adds up the events as they are read; memory grows with the items and the users.

    Parameters
    ----------
    latest
        Events after this moment are ahead; none are where it is None.
    until
        Events after this moment are left out of what is counted; none are where it is None.
    """

    def __init__(self, latest: datetime | None, until: datetime | None = None) -> None:
        self._latest, self._until = latest, until
        self._numbers = RunningTotal(_NUMBERS, _add_numbers)
        # a hash takes less room than an id; two of a billion users fall together once in a while
        self._users = RunningTotal(pl.Schema({"user": pl.UInt64()}), pl.DataFrame.unique)
        self._items = RunningTotal(
            pl.Schema({"item_id": pl.String(), "events": pl.Int64()}),
            lambda rows: rows.group_by("item_id").agg(pl.sum("events")),
        )

    def add(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Note the events of a frame, and return those to count, with believable times."""
        frame = (
            frame.with_columns(ahead=_after(self._latest))
            .with_columns(pl.when(~pl.col("ahead")).then("time").alias("time"))
            .with_columns(later=_after(self._until))
        )
        numbers = frame.select(
            events=pl.len(),
            anonymous=pl.col("user_id").null_count(),
            ahead=pl.sum("ahead"),
            later=pl.sum("later"),
            first=pl.min("time"),
            last=pl.max("time"),
        )
        self._numbers.add(numbers.cast(_NUMBERS))
        self._users.add(frame.select(user=pl.col("user_id").drop_nulls().hash()).unique())
        self._items.add(frame.group_by("item_id").agg(events=pl.len().cast(pl.Int64)))
        return frame.filter(~pl.col("later")).drop("ahead", "later")

    def summary(self, uncounted: int = 0) -> EventSummary:
        """Return what was added up."""
        numbers = self._numbers.total().row(0, named=True)
        return EventSummary(users=self._users.total().height, uncounted=uncounted, **numbers)

    def by_item(self) -> dict[str, int]:
        """Return the number of events that name an item, by its id, whatever their type."""
        return dict(self._items.total().iter_rows())


def _after(moment: datetime | None) -> pl.Expr:
    """Return whether an event is known to be after `moment`; none is after None."""
    return pl.lit(value=False) if moment is None else (pl.col("time") > moment).fill_null(False)


def _add_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.sum("events", "anonymous", "ahead", "later"), pl.min("first"), pl.max("last")
    )
