"""What a build reads: a catalogue that can be read twice, its events and its images.

The first reading learns what the whole catalogue says (ids, numbers, a sample of texts); the
second writes the documents. Neither holds the catalogue in memory.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import Final

import polars as pl

from seealso.cluster import Cluster, IndexSource
from seealso.config import Settings
from seealso.datasets.sampling import SampledEvents, sample_events, sample_users
from seealso.encoder import ImageVectors
from seealso.errors import ConfigError, DataError
from seealso.indexer.counts import count_events
from seealso.indexer.event_summary import EventSummary
from seealso.indexer.images import no_images, open_images
from seealso.indexer.importance import ImportanceTable, fit_importance
from seealso.log import Tick
from seealso.readers import (
    FileSource,
    Problems,
    RowSource,
    Unmatched,
    describe_unmatched,
    read_events,
    read_items,
    read_known_groups,
)
from seealso.types import GroupMembers, Item

LARGEST_UNMATCHED_SHARE: Final = 0.5
"""Share of events that name no item of the catalogue above which a build stops."""


def no_events() -> SampledEvents:
    """Return no events, for those who learn from none."""
    return sample_users([], 0)


@dataclass(frozen=True)
class Inputs:
    """Catalogue, events and images, each read afresh at every call."""

    items: Callable[[], Iterator[list[Item]]]
    events: Callable[[], Iterable[pl.DataFrame]]
    images: Callable[[], ImageVectors | None] = no_images
    groups: Callable[[], GroupMembers] = dict
    """Members of known groups; none where no file names any."""
    problems: Problems = field(default_factory=Problems)
    """What was left out of all that was read."""
    learnt: Callable[[], SampledEvents] = no_events
    """The events that are learnt from and asked about, read once."""


def inputs(settings: Settings, cluster: Cluster | None, problems: Problems) -> Inputs:
    """Return the inputs that the settings name.

    Parameters
    ----------
    settings
        Their ``catalogue``, ``events`` and ``images`` sections are used.
    cluster
        Where an index named there stands; not needed for files.
    problems
        Takes the broken rows.

    Raises
    ------
    ConfigError
        No catalogue is named.
    """
    catalogue = row_source(settings, "catalogue", cluster)
    if catalogue is None:
        raise ConfigError(
            "no catalogue is named", hint="set catalogue.path (or catalogue.index) in seealso.toml"
        )
    events = row_source(settings, "events", cluster)

    def read() -> Iterable[pl.DataFrame]:
        return read_events(events, settings.events, problems) if events else ()

    def read_groups() -> GroupMembers:
        return read_known_groups(settings.groups, problems)

    return Inputs(
        lambda: read_items(catalogue, settings.catalogue, problems),
        read,
        lambda: open_images(settings, problems),
        read_groups,
        problems,
        cache(lambda: sample_events(settings, read, read_groups)),
    )


def keep_events(source: Inputs) -> Inputs:
    """Return `source` with its events read once, as long as all of them are learnt from.

    Each later step sees the same events, even where more arrive meanwhile. They are held in
    memory, as every split of them is. More than that are read again by each step that needs all.
    """

    def read() -> Iterable[pl.DataFrame]:
        learnt = source.learnt()
        return source.events() if learnt.draw else learnt

    return replace(source, events=read)


def row_source(settings: Settings, section: str, cluster: Cluster | None) -> RowSource | None:
    """Return the file or index that ``[catalogue]`` or ``[events]`` names, or None."""
    chosen = settings.catalogue if section == "catalogue" else settings.events
    if chosen.path is not None and chosen.index is not None:
        raise ConfigError(
            f"{section}: both path and index are set", hint=f"remove one of them from [{section}]"
        )
    if chosen.path is not None:
        return FileSource(
            chosen.path, format=chosen.format, columns=chosen.columns, section=section
        )
    if chosen.index is not None:
        if cluster is None:
            raise ConfigError(f"{section}.index needs a cluster", hint="set cluster.url")
        return IndexSource(cluster, chosen.index)
    return None


@dataclass(frozen=True)
class Survey:
    """What the first reading of a catalogue learned."""

    items: int
    tail: int
    sample: tuple[Item, ...]
    importance: ImportanceTable
    signature: str
    """Hash over all ids and weights in order, to recognise a catalogue and its events."""
    events: EventSummary
    unmatched: Unmatched | None
    """Events that name items which the catalogue does not have."""

    def notes(self) -> tuple[str, ...]:
        """Return what was guessed or left out of the events, a sentence each."""
        return event_notes(self.events, self.unmatched)

    def require_matched(self) -> None:
        """Refuse a catalogue and events that hardly meet.

        Raises
        ------
        DataError
            More than half of the events name items that the catalogue does not have.
        """
        if self.unmatched is not None and self.unmatched.share > LARGEST_UNMATCHED_SHARE:
            raise DataError(
                str(self.unmatched),
                hint="check catalogue.id and events.item, and how both systems write ids; or "
                "continue anyway with --allow-unmatched",
                events=self.unmatched.of,
                unmatched=self.unmatched.rows,
            )


def event_notes(events: EventSummary, unmatched: Unmatched | None) -> tuple[str, ...]:
    """Return what was guessed or left out of the events, a sentence each."""
    return (*(() if unmatched is None else (str(unmatched),)), *events.notes())


def latest_time(settings: Settings) -> datetime:
    """Return the newest time that an event can have whose clock is right."""
    return datetime.now(UTC) + timedelta(seconds=settings.live.future_seconds)


def survey(source: Inputs, settings: Settings, tick: Tick) -> Survey:
    """Read events and catalogue once.

    Parameters
    ----------
    source
        What to read.
    settings
        ``importance``, ``encoder.sample`` and ``live.future_seconds`` are used.
    tick
        Called with the number of items read.

    Returns
    -------
    Survey
        Number of items, a uniform sample of at most ``encoder.sample`` of them (the same one
        for the same catalogue), the importance of each, and what the events are.

    Raises
    ------
    DataError
        The catalogue is empty.
    """
    counts = count_events(source.events(), settings.importance, latest=latest_time(settings))
    sample = _Sample(settings.encoder.sample)
    ids, numbers = read_ids(source, settings, settings.importance.kind, tick, sample.add)
    if not ids:
        raise DataError("the catalogue is empty", hint="check catalogue.path in seealso.toml")
    table = fit_importance(counts, settings.importance, ids, numbers)
    return Survey(
        items=len(ids),
        tail=sum(map(table.is_tail, ids)),
        sample=tuple(sample.items),
        importance=table,
        signature=_signature(ids, table),
        events=counts.summary,
        unmatched=describe_unmatched(counts.named, ids),
    )


def read_ids(
    source: Inputs,
    settings: Settings,
    kind: str,
    tick: Tick,
    note: Callable[[Item], object] = lambda _: None,
) -> tuple[list[str], pl.DataFrame | None]:
    """Read the catalogue, and return the ids of its items and what importance is computed from.

    Parameters
    ----------
    source
        What to read.
    settings
        ``catalogue.numbers`` is used.
    kind
        As ``importance.kind`` has it: only an expression needs numbers.
    tick
        Called with the number of items read.
    note
        Called with each item.

    Returns
    -------
    tuple
        The ids, and their number columns, NaN where an item has none; None without an expression.
    """
    ids: list[str] = []
    rows: list[dict[str, float | str]] = []
    for batch in source.items():
        for item in batch:
            note(item)
            ids.append(item.item_id)
            if kind == "expression":
                names = settings.catalogue.numbers
                values = {name: item.fields.get(name, float("nan")) for name in names}
                rows.append({"item_id": item.item_id, **values})
        tick(len(batch))
    return ids, pl.DataFrame(rows, infer_schema_length=None) if rows else None


class _Sample:
    """A uniform sample of items: algorithm R.

    It is seeded: the same catalogue gives the same sample, and so the same fingerprint.
    """

    def __init__(self, size: int) -> None:
        self.items: list[Item] = []
        self._size = size
        self._seen = 0
        self._random = random.Random(17)  # noqa: S311

    def add(self, item: Item) -> None:
        """Take part in the sample, in place of another item once it is full."""
        self._seen += 1
        if len(self.items) < self._size:
            self.items.append(item)
        elif (place := self._random.randrange(self._seen)) < self._size:
            self.items[place] = item


def _signature(ids: list[str], table: ImportanceTable) -> str:
    state = blake2b(digest_size=16)
    for item_id in ids:
        line = f"{item_id}\t{table.weight(item_id):.6f}\t{table.interactions(item_id)}\n"
        state.update(line.encode())
    return state.hexdigest()
