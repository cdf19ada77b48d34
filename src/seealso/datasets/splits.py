"""Cuts behaviour by time into training data and questions.

A question knows nothing that happened later in the same history.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

import numpy as np
import numpy.typing as npt
import polars as pl

from seealso.config import Settings
from seealso.errors import DataError, TooFewEvents
from seealso.wording import format_count

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
        Every other item met before the question, disliked ones too: left out of the ranking.
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
    known
        Number of each event row that is older than the user's questions, disliked items and
        repetitions too, and of the events without a user: all that a model or an importance may
        know. In order, from 0.
    """

    train: Mapping[str, tuple[str, ...]]
    dev: tuple[Case, ...]
    test: tuple[Case, ...]
    known: npt.NDArray[np.int64] = field(compare=False)
    unchosen: frozenset[str] = frozenset()


def split_events(settings: Settings, events: Iterable[pl.DataFrame]) -> Split:
    """Cut the events as ``training.split`` says; ``events.positive`` is used."""
    positive, chosen = settings.events.positive, settings.training
    if chosen.split == "temporal":
        return temporal(
            events, positive=positive, dev_share=chosen.dev_share, test_share=chosen.test_share
        )
    return leave_one_out(events, positive=positive)


def leave_one_out(events: Iterable[pl.DataFrame], *, positive: float | None) -> Split:
    """Keep each user's last new item for test and the one before for dev.

    Parameters
    ----------
    events
        Event frames, as `read_events` yields them. Among events of one time, or without any, the
        later row is the newer one. Events without a user are only known.
    positive
        Events with a value below this are seen, but neither learnt nor asked about.

    Raises
    ------
    TooFewEvents
        No user has enough events for a question.
    """
    train: dict[str, tuple[str, ...]] = {}
    dev: list[Case] = []
    test: list[Case] = []
    known: list[int] = []
    rows = number_rows(events)
    known += _of_nobody(rows)["row"].to_list()
    for past in iterate_pasts(rows, positive):
        choices = past.choices
        if len(choices) < FEWEST_EVENTS:
            train[past.user_id] = tuple(item for item, _ in choices)
            known += past.rows
            continue
        train[past.user_id] = tuple(item for item, _ in choices[:-2])
        dev.append(past.case(choices[-2]))
        test.append(past.case(choices[-1]))
        known += past.rows[: choices[-2][1]]
    return _split(rows, train, dev, test, known)


def temporal(
    events: Iterable[pl.DataFrame], *, positive: float | None, dev_share: float, test_share: float
) -> Split:
    """Cut at two moments: earlier events train, each user's first later choice is a question.

    Parameters
    ----------
    events, positive
        As in `leave_one_out`; events without a time count as the oldest.
    dev_share, test_share
        Shares of all events that lie between the two moments, and after the second one.

    Raises
    ------
    DataError
        There are no times, or no user has choices before and after a moment.
    """
    rows = number_rows(events)
    pasts = list(iterate_pasts(rows, positive))
    times = sorted(
        time for past in pasts for _, place in past.choices if (time := past.times[place])
    )
    if not times or times[0] == times[-1]:
        raise DataError(
            "a split at a moment needs events with different times",
            hint="set events.time, or training.split = 'leave-one-out'",
        )
    first, second = _moment(times, dev_share + test_share), _moment(times, test_share)
    train: dict[str, tuple[str, ...]] = {}
    dev: list[Case] = []
    test: list[Case] = []
    earlier = pl.col("time").is_null() | (pl.col("time") < first)
    known: list[int] = _of_nobody(rows).filter(earlier)["row"].to_list()
    for past in pasts:
        known += past.before(first)
        early, late = past.chosen_before(first), past.chosen_before(second)
        train[past.user_id] = tuple(item for item, _ in past.choices[:early])
        if 0 < early < late:
            dev.append(past.case(past.choices[early]))
        if 0 < late < len(past.choices):
            test.append(past.case(past.choices[late]))
    return _split(rows, train, dev, test, known)


def learn_everything(events: Iterable[pl.DataFrame], *, positive: float | None) -> Split:
    """Return the split that keeps nothing back: all events train, and there are no cases.

    Parameters
    ----------
    events, positive
        As in `leave_one_out`.

    Raises
    ------
    TooFewEvents
        There are no events.
    """
    rows = number_rows(events)
    pasts = iterate_pasts(rows, positive)
    train = {past.user_id: tuple(item for item, _ in past.choices) for past in pasts}
    known = np.arange(rows.height)
    return Split(train, (), (), known, _find_unchosen(rows, train, known))


@dataclass(frozen=True, slots=True)
class Past:
    """All events of a user, oldest first.

    Attributes
    ----------
    items, liked, times, rows
        Of each event; rows are counted over all frames.
    choices
        Each item that was liked, with the place of the event where it was so first. What
        happens to it later says nothing of what was known then.
    """

    user_id: str
    items: Sequence[str]
    liked: Sequence[bool]
    times: Sequence[datetime | None]
    rows: Sequence[int]
    choices: Sequence[tuple[str, int]]

    def case(self, choice: tuple[str, int]) -> Case:
        """Return the question that stood before the user at this choice."""
        target, place = choice
        history, seen = self.known_by(range(place))
        return Case(self.user_id, history, target, seen - {target})

    def known_by(self, places: Sequence[int]) -> tuple[tuple[str, ...], frozenset[str]]:
        """Return what some of the events tell: the history, newest first, and what was seen.

        Parameters
        ----------
        places
            Of the events, in rising order.
        """
        newest_first = reversed(places)
        history = dict.fromkeys(self.items[one] for one in newest_first if self.liked[one])
        return tuple(history), frozenset(self.items[one] for one in places)

    def chosen_before(self, moment: datetime) -> int:
        """Return how many of the choices are earlier than `moment`."""
        times = (self.times[place] for _, place in self.choices)
        return sum(time is None or time < moment for time in times)

    def before(self, moment: datetime) -> list[int]:
        """Return the rows of the events that are earlier than `moment`."""
        pairs = zip(self.rows, self.times, strict=True)
        return [row for row, time in pairs if time is None or time < moment]


def number_rows(events: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return all events, each with its ``row``."""
    frames = [frame.select("user_id", "item_id", "value", "time") for frame in events]
    if not frames:
        raise TooFewEvents("there are no events to learn from", hint="set events.path")
    return pl.concat(frames).with_row_index("row")


def _of_nobody(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the events without a user, which count only for importance."""
    return rows.filter(pl.col("user_id").is_null())


def iterate_pasts(rows: pl.DataFrame, positive: float | None) -> Iterator[Past]:
    """Yield the events of each user, in the order of user ids, of what `number_rows` gave."""
    liked = pl.lit(True) if positive is None else pl.col("value") >= positive
    by_user = (
        rows.drop_nulls("user_id")
        .with_columns(liked.alias("liked"))
        .sort("user_id", "time", "row", nulls_last=False)
        .group_by("user_id", maintain_order=True)
        .agg("item_id", "liked", "time", "row")
    )
    names: dict[str, str] = {}  # one string for an item, not one for each of its events
    for user_id, read, likes, times, places in by_user.iter_rows():
        items = [names.setdefault(one, one) for one in read]
        first: dict[str, int] = {}
        for place, (item, liked_it) in enumerate(zip(items, likes, strict=True)):
            if liked_it:
                first.setdefault(item, place)
        yield Past(user_id, items, likes, times, places, tuple(first.items()))


def _moment(times: Sequence[datetime], share: float) -> datetime:
    """Return the moment from which on this share of the `times` lies."""
    return times[-max(1, round(share * len(times)))]


def _split(
    rows: pl.DataFrame,
    train: dict[str, tuple[str, ...]],
    dev: list[Case],
    test: list[Case],
    known: list[int],
) -> Split:
    if not dev or not test:
        raise TooFewEvents(
            f"of {format_count(len(train), 'user')} none can be asked about in "
            f"{'dev' if not dev else 'test'}",
            hint=f"users with at least {FEWEST_EVENTS} events are needed; check events.user, "
            "events.positive and training.most_events",
        )
    learnt = {user: items for user, items in train.items() if items}
    numbers = np.sort(np.array(known, dtype=np.int64))
    return Split(learnt, tuple(dev), tuple(test), numbers, _find_unchosen(rows, learnt, numbers))


def _find_unchosen(
    rows: pl.DataFrame, train: Mapping[str, Sequence[str]], known: npt.NDArray[np.int64]
) -> frozenset[str]:
    named = rows[known].drop_nulls("user_id")["item_id"].unique()
    return frozenset(named) - frozenset(chain.from_iterable(train.values()))
