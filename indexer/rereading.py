"""Reads catalogue and events again, and weighs the items on the scale of an earlier reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seealso.config import Settings
from seealso.indexer.counts import count_events
from seealso.indexer.event_summary import EventSummary
from seealso.indexer.importance import ImportanceTable, apply_importance, settings_of
from seealso.indexer.inputs import Inputs, latest_time, read_ids
from seealso.log import progress


@dataclass(frozen=True, slots=True)
class Reread:
    """What one reading of the inputs gave.

    Attributes
    ----------
    ids
        Of the items.
    unread
        Rows of the catalogue that are left out and whose ids are not known.
    importance
        Of the items, on the scale of the earlier reading.
    events
        What the events are.
    named
        Events that name an item, by its id.
    """

    ids: set[str]
    unread: int
    importance: ImportanceTable
    events: EventSummary
    named: Mapping[str, int]


def read_again(source: Inputs, fitted: Mapping[str, Any], settings: Settings) -> Reread:
    """Read catalogue and events once, and weigh the items on the scale of an earlier reading.

    Events count up to the newest one of that reading, as they do for the items that stay as they
    are: otherwise weights could not be compared, and what is ingested as a live event, too, would
    count twice.

    Parameters
    ----------
    source
        What to read.
    fitted
        The importance parameters that the index records.
    settings
        ``catalogue.numbers`` and ``live.future_seconds`` are used.
    """
    until = datetime.fromisoformat(fitted["as_of"]) if fitted.get("as_of") else None
    latest = latest_time(settings)
    with progress("reading") as tick:
        counts = count_events(source.events(), settings_of(fitted), as_of=until, latest=latest)
        ids, numbers = read_ids(source, settings, fitted["kind"], tick)
    table = apply_importance(counts, fitted, numbers)
    return Reread(set(ids), source.problems.lost("catalogue"), table, counts.summary, counts.named)
