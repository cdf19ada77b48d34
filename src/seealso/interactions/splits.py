"""Cuts behaviour by time into what a model may learn from and what it is asked about.

Nothing that happened later than a question, in the same history, is known when it is asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from seealso.errors import DataError

FEWEST_EVENTS = 3
"""Users with fewer events train only: one to learn from, one for dev and one for test."""


@dataclass(frozen=True, slots=True)
class Case:
    """Which item does this user choose next.

    Attributes
    ----------
    user_id
        Whose history it is.
    history
        Items of the profile before the question, newest first.
    target
        The item chosen next.
    seen
        Every item met before the question, disliked ones too: left out of the ranking.
    """

    user_id: str
    history: tuple[str, ...]
    target: str
    seen: frozenset[str]


@dataclass(frozen=True, slots=True)
class Split:
    """Behaviour cut into training, dev and test.

    Attributes
    ----------
    train
        Items of each user, oldest first, each once.
    dev, test
        One case a user at most.
    """

    train: Mapping[str, tuple[str, ...]]
    dev: tuple[Case, ...]
    test: tuple[Case, ...]


def leave_one_out(events: Iterable[pl.DataFrame], *, positive: float | None) -> Split:
    """Keep each user's last item for test and the one before for dev.

    Parameters
    ----------
    events
        Event frames, as `read_events` yields them. Among events of one time, or without any,
        the later row is the newer one.
    positive
        Events with a value below this are seen, but neither learnt nor asked about.

    Raises
    ------
    DataError
        No user has enough events for a question.
    """
    train: dict[str, tuple[str, ...]] = {}
    dev: list[Case] = []
    test: list[Case] = []
    for user_id, chosen, met in _sequences(events, positive):
        items = [item for item, _ in chosen]
        if len(items) < FEWEST_EVENTS:
            train[user_id] = tuple(items)
            continue
        train[user_id] = tuple(items[:-2])
        for cases, place in ((dev, len(items) - 2), (test, len(items) - 1)):
            cases.append(_case(user_id, chosen, met, place))
    return _checked(train, dev, test)


def temporal(
    events: Iterable[pl.DataFrame], *, positive: float | None, dev_share: float, test_share: float
) -> Split:
    """Cut at two moments: all that is earlier trains, each user's first choice after it is asked.

    Parameters
    ----------
    events, positive
        As in `leave_one_out`; events without a time count as the oldest.
    dev_share, test_share
        Shares of all events that lie between the two moments, and after the second one.

    Raises
    ------
    DataError
        There are no times, or nobody chose anything on both sides of a moment.
    """
    told = list(_sequences(events, positive))
    times = sorted(time for _, chosen, _ in told for _, time in chosen if time is not None)
    if not times or times[0] == times[-1]:
        raise DataError(
            "a split at a moment needs events with different times",
            hint="set events.time, or training.split = 'leave-one-out'",
        )
    first = times[int(len(times) * (1 - dev_share - test_share))]
    second = times[int(len(times) * (1 - test_share))]
    train: dict[str, tuple[str, ...]] = {}
    dev: list[Case] = []
    test: list[Case] = []
    for user_id, chosen, met in told:
        early = _count_before(chosen, first)
        late = _count_before(chosen, second)
        train[user_id] = tuple(item for item, _ in chosen[:early])
        if 0 < early < late:
            dev.append(_case(user_id, chosen, met, early))
        if 0 < late < len(chosen):
            test.append(_case(user_id, chosen, met, late))
    return _checked(train, dev, test)


_Timed = list[tuple[str, datetime | None]]


def _sequences(
    events: Iterable[pl.DataFrame], positive: float | None
) -> Iterable[tuple[str, _Timed, _Timed]]:
    """Yield user, items chosen and items met, both oldest first, each item at its newest place."""
    frames = [frame.select("user_id", "item_id", "value", "time") for frame in events]
    if not frames:
        raise DataError("there are no events to learn from", hint="set events.path")
    rows = pl.concat(frames).with_row_index("row")
    ordered = rows.sort("user_id", "time", "row", nulls_last=False)
    newest = ordered.unique(["user_id", "item_id"], keep="last", maintain_order=True)
    liked = ordered if positive is None else ordered.filter(pl.col("value") >= positive)
    chosen = liked.unique(["user_id", "item_id"], keep="last", maintain_order=True)
    met_by = _by_user(newest)
    for user_id, pairs in _by_user(chosen).items():
        yield user_id, pairs, met_by[user_id]


def _by_user(rows: pl.DataFrame) -> dict[str, _Timed]:
    grouped = rows.group_by("user_id", maintain_order=True).agg("item_id", "time")
    return {
        user: list(zip(items, times, strict=True)) for user, items, times in grouped.iter_rows()
    }


def _case(user_id: str, chosen: _Timed, met: _Timed, place: int) -> Case:
    target = chosen[place][0]
    # positions and not times decide: events may share a moment, or have none
    met_items = [item for item, _ in met]
    seen = frozenset(met_items[: met_items.index(target)])
    history = tuple(item for item, _ in reversed(chosen[:place]))
    return Case(user_id, history, target, seen | set(history))


def _count_before(chosen: _Timed, moment: datetime) -> int:
    return sum(time is None or time < moment for _, time in chosen)


def _checked(train: dict[str, tuple[str, ...]], dev: list[Case], test: list[Case]) -> Split:
    if not dev or not test:
        raise DataError(
            f"of {len(train):,} users none can be asked about in {'dev' if not dev else 'test'}",
            hint=f"users with at least {FEWEST_EVENTS} events are needed; check events.positive",
        )
    return Split({user: items for user, items in train.items() if items}, tuple(dev), tuple(test))
