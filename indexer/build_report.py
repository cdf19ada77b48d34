"""What a build did, and what it would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seealso.indexer.event_summary import EventSummary
from seealso.indexer.verification import Verification
from seealso.readers import Unmatched


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did; `verdict` is what the judge returned, if there was one."""

    index: str
    alias: str
    fingerprint: str
    bundle: str
    items: int
    written: int
    unchanged: int
    tail: int
    seconds: float
    resumed: bool
    swapped: bool
    previous: str | None
    verification: Verification
    events: EventSummary
    unmatched: Unmatched | None = None
    """Events that name items which the catalogue does not have."""
    verdict: object | None = None
    memory: str = ""
    """What the graph needs, and what the nodes have."""
    with_image: int = 0
    """Items whose image takes part."""
    unmatched_images: int = 0
    """Images of items that the catalogue does not have."""
    notes: tuple[str, ...] = ()
    """What was guessed, left out or degraded, a sentence each."""
    broken_rows: int = 0
    broken_values: int = 0
    """What was left out of catalogue, events and images."""


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What a build would do; made by ``--dry-run`` without writing anything."""

    alias: str
    live: str | None
    bundle: str
    items: int
    tail: int
    importance: Mapping[str, Any]
    half_built: tuple[str, ...]
    """Indices of builds that did not end: one of the same build is continued, others deleted."""
    events: EventSummary
    unmatched: Unmatched | None = None
    memory: str = ""
    """What its graph would take, and what the nodes have."""
    notes: tuple[str, ...] = ()
    """What was guessed or left out, a sentence each."""
    gate: str | None = None
    """Whom the gate would ask about; None without a gate."""


def textless_notes(items: int) -> tuple[str, ...]:
    """Return the note that so many items have no text; none for none."""
    if items <= 0:
        return ()
    have = "item has" if items == 1 else "items have"
    return (f"{items:,} {have} no text, and so no vector",)
