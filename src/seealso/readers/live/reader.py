"""Reads live events: each gets an id, and a time that is not in the future.

By its id an event is recognised when it arrives a second time.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson
import polars as pl

from seealso.config import EventSettings, LiveSettings
from seealso.readers.events import parse_events
from seealso.readers.problems import Problem, Problems
from seealso.readers.rows import Rows
from seealso.readers.values.cells import parse_texts
from seealso.readers.values.columns import ColumnCheck, select_column
from seealso.readers.values.conventions import Conventions
from seealso.readers.values.ids import LONGEST_ID
from seealso.types import to_micros

RESERVED: Final = "seealso:"
"""Prefix of the ids of other documents in the index of events; no event may have such an id."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event as it is kept.

    Attributes
    ----------
    event_id
        Tells it from others.
    user
        The pseudonym of the user; None if unknown.
    item_id, type, value, time
        What it was.
    query_id
        Of the list that it happened in; empty if unknown.
    """

    event_id: str
    user: str | None
    item_id: str
    type: str
    value: float
    time: datetime
    query_id: str = ""

    def body(self) -> dict[str, Any]:
        """Return the document, without the time at which it was written."""
        named = {} if self.user is None else {"user": self.user}
        listed = {"query_id": self.query_id} if self.query_id else {}
        return {
            **named,
            **listed,
            "item": self.item_id,
            "type": self.type,
            "value": self.value,
            "time": self.time.isoformat(),
            "micros": to_micros(self.time),
        }

    @classmethod
    def of(cls, event_id: str, body: Mapping[str, Any]) -> "LiveEvent":
        """Return the event that a document holds."""
        time = datetime.fromisoformat(body["time"])
        return cls(
            event_id,
            body.get("user"),
            body["item"],
            body["type"],
            body["value"],
            time,
            body.get("query_id", ""),
        )


class LiveReader:
    """Reads the rows of one source.

    Parameters
    ----------
    source
        What messages call it.
    columns, live
        Which columns are read, and how far a clock may be ahead.
    name_of
        Gives the pseudonym of a user.
    problems
        Takes the broken rows: those that `read_events` would refuse, those from the future, those
        that have neither time nor id, and those that the index could not hold.

    Attributes
    ----------
    named
        Events read so far, by the item that they name.
    """

    def __init__(
        self,
        source: str,
        columns: EventSettings,
        live: LiveSettings,
        name_of: Callable[[str], str],
        problems: Problems,
    ) -> None:
        self._source = source
        self._columns = columns
        self._live = live
        self._name_of = name_of
        self.named: Counter[str] = Counter()
        self._reading = problems.reading("live events", source)
        # rows come one by one: no other row may tell how one is read, or it would be read in
        # another way, and counted again, when it comes again
        decimal = columns.format.decimal
        self._conventions = Conventions(decimal=lambda: decimal)
        key = (columns.user, columns.item)
        # a stream holds lines of other kinds, too: what lacks a column is a broken row
        self._check = ColumnCheck(source, "events", key, ())

    def read(self, rows: Rows, now: datetime) -> list[LiveEvent]:
        """Return the events of `rows`.

        Parameters
        ----------
        rows
            Of the source.
        now
            The present; an event with an id, but without a time, has this one.

        Raises
        ------
        DataError
            A column is missing, or a row is broken and the problems stop there.
        """
        self._check.see(rows)
        frame, broken, _ = parse_events(rows, self._columns, self._conventions)
        named, lists = (_texts(rows, one) for one in (self._live.id, self._live.query_id))
        limit = now + timedelta(seconds=self._live.future_seconds)
        events = []
        several = frame.select(part=pl.int_range(pl.len()).over("place"))["part"]
        for row, part in zip(frame.iter_rows(named=True), several, strict=True):
            own = named.get(row["place"])
            # items of one row are events of their own
            own = f"{own}/{part}" if own is not None and part else own
            query_id = lists.get(row["place"], "")
            if fault := self._fault(row, own, query_id, limit):
                broken.append(fault)
                continue
            events.append(self._event(row, own, query_id, now))
        self.named.update(one.item_id for one in events)
        self._reading.take(rows, broken)
        self._reading.tally(
            sum(one.user is None for one in events),
            "event has no user: it counts only for importance",
            "events have no user: they count only for importance",
        )
        return events

    def _fault(
        self, row: Mapping[str, Any], own: str | None, query_id: str, limit: datetime
    ) -> Problem | None:
        """Return why a row cannot be kept, which includes all that OpenSearch would refuse."""
        place, time = row["place"], row["time"]
        named = self._columns.time or "time"
        for name, one in ((self._live.id, own), (self._live.query_id, query_id)):
            if one is not None and len(one.encode()) > LONGEST_ID:
                return Problem(place, name or "", f"has more than {LONGEST_ID} bytes")
        if own is not None and own.startswith(RESERVED):
            reason = f"begins with {RESERVED}, which no id of an event may"
            return Problem(place, self._live.id or "", reason)
        if time is None and own is None:
            hint = "an event without either cannot be distinguished from its repetition"
            return Problem(place, named, f"is empty, and there is no id (live.id): {hint}")
        if time is not None and time > limit:
            ahead = f"more than live.future_seconds = {self._live.future_seconds:g}"
            reason = f"is in the future: {time:%Y-%m-%dT%H:%M:%SZ}, {ahead}"
            return Problem(place, named, reason)
        return None

    def _event(
        self, row: Mapping[str, Any], own: str | None, query_id: str, now: datetime
    ) -> LiveEvent:
        user = None if row["user_id"] is None else self._name_of(row["user_id"])
        time, kind, value = row["time"], row["type"], row["value"]
        event_id = own or hash_content(user, row["item_id"], kind, time, value)
        return LiveEvent(event_id, user, row["item_id"], kind, value, time or now, query_id)


def _texts(rows: Rows, column: str | None) -> dict[int, str]:
    """Return the texts of a column by the places of their rows, empty ones left out."""
    if column is None:
        return {}
    texts = parse_texts(select_column(rows.frame, column)).values
    return {p: one for p, one in zip(rows.places, texts, strict=True) if one is not None}


def hash_content(user: str | None, item_id: str, kind: str, time: datetime, value: float) -> str:
    """Return the id of an event without one: a hash of its content."""
    content = orjson.dumps([user, item_id, kind, time, value])
    return sha256(content).hexdigest()[:40]
