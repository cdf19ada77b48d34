"""What became of what a caller has sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that was not written: its place in the request, from 0, and what is wrong."""

    event: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class EventsReport:
    """What became of events.

    Attributes
    ----------
    written
        How many were written.
    repeated
        How many were there already, and changed nothing.
    refused
        Those that were not written, with the reasons.
    unknown
        Items that the index does not hold; their events are kept.
    differing
        Ids of those repeated that say something else than the first, which stays.
    nobody
        How many belong to no user, and count for importance alone.
    forgotten
        How many were left out because their users were forgotten meanwhile.
    degraded
        What does not follow the events, and why.
    """

    written: int
    repeated: int
    refused: tuple[RefusedEvent, ...]
    unknown: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    nobody: int = 0
    forgotten: int = 0
    degraded: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """An item that was not written, or a value of it: its place in the request, and what is wrong.

    The place counts from 0.
    """

    item: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class UpsertedItems:
    """What became of items.

    Attributes
    ----------
    index
        The physical index.
    written
        How many were written.
    unchanged
        How many the index holds as they are.
    refused
        Those that were not written, with the reasons.
    left_out
        Broken values: their items were written without them.
    ignored
        Columns that the settings of the service do not name.
    notes
        What was guessed or left out besides.
    """

    index: str
    written: int
    unchanged: int
    refused: tuple[RefusedItem, ...]
    left_out: tuple[RefusedItem, ...] = ()
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletedItems:
    """How many items were deleted from which physical index; `absent` are those not in it."""

    index: str
    deleted: int
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserExport:
    """All that is kept of a user, by index, under a pseudonym."""

    pseudonym: str
    documents: Mapping[str, tuple[Mapping[str, Any], ...]]


@dataclass(frozen=True, slots=True)
class ForgottenUser:
    """What was deleted of a user.

    Attributes
    ----------
    pseudonym
        Under which it was kept.
    deleted
        Documents, by index.
    remains
        Files and indices from which a later build would read the user again.
    """

    pseudonym: str
    deleted: Mapping[str, int]
    remains: tuple[str, ...]
