"""What became of what a caller has sent."""

from dataclasses import dataclass


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
