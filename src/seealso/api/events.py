"""``seealso events``: what users do reaches the index as it happens."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from seealso.api.reading import say_notes, say_skipped
from seealso.choices import OnError
from seealso.cluster import Cluster, connect
from seealso.config import Settings
from seealso.errors import ConfigError
from seealso.indexer.events.ingest import Ingester, IngestReport
from seealso.indexer.events.live_indices import LiveIndices
from seealso.indexer.events.running import SourceRun
from seealso.indexer.events.sources import UbiEvents, WholeFile
from seealso.indexer.events.store import EventStore
from seealso.log import progress, say
from seealso.plugin.recommender import Recommender
from seealso.readers import (
    FileSource,
    GrowingFile,
    Problems,
    Pseudonyms,
    Stream,
)

STANDARD_INPUT = Path("-")

File = TypeVar("File", WholeFile, GrowingFile)


@dataclass(frozen=True, slots=True)
class EventsReport:
    """What one call did.

    Attributes
    ----------
    source
        Where the events came from.
    ingested
        What became of them.
    broken
        Rows that were left out.
    seconds
        How long it took.
    """

    source: str
    ingested: IngestReport
    broken: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        more = {"broken": self.broken, "seconds": round(self.seconds, 3)}
        return {"source": self.source, **asdict(self.ingested), **more}


@dataclass(frozen=True, slots=True)
class FollowPlan:
    """Where `follow_events` would continue; `position` is None for the start."""

    source: str
    position: Mapping[str, Any] | None


def ingest_events(
    settings: Settings,
    source: Path | str | None = None,
    *,
    ubi: bool = False,
    on_error: OnError = "stop",
) -> EventsReport:
    """Take in the events of a file, of standard input, or of UBI.

    An event that was ingested before changes nothing, so a call that was killed is simply made
    again.

    Parameters
    ----------
    settings
        Columns are those of ``events``; ``live`` says when two events are the same.
    source
        A file, or ``Path("-")`` for JSON lines on standard input.
    ubi
        Read the index of UBI events instead.
    on_error
        What a broken row does; with ``stop``, nothing is written of a file with one.

    Raises
    ------
    ConfigError
        The key of the pseudonyms is missing or another one, or it is not clear what to read.
    DataError
        A row is broken.
    ClusterError
        There is no index of items or users, or the cluster refused.
    """
    started = time.perf_counter()
    names = Pseudonyms.from_environment(os.environ)
    problems = Problems(on_error)
    with connect(settings) as cluster:
        chosen = _source(cluster, settings, source, ubi, _whole_file)
        run = SourceRun(cluster, settings, names, chosen, problems)
        # before an index of events is made: what cannot be read changes nothing
        if isinstance(chosen, WholeFile) and on_error == "stop":
            run.check(chosen.read(None))
        elif not isinstance(chosen, Stream):
            next(chosen.read(None), None)
        with Recommender(cluster, settings) as recommender:
            ingester = Ingester(cluster, settings, names, recommender.user_encoder)
            batches = chosen.read(run.position(ingester.store))
            ingested = IngestReport()
            with progress("taking in") as tick:
                for one in run.ingest(ingester, batches):
                    ingested = ingested.plus(one)
                    tick(one.events)
        notes = _unmatched_notes(ingested, run)
    say_skipped(problems)
    say_notes(notes)
    return EventsReport(chosen.name, ingested, problems.count, time.perf_counter() - started)


def plan_ingest_events(
    settings: Settings,
    source: Path | str | None = None,
    *,
    ubi: bool = False,
    on_error: OnError = "stop",
) -> EventsReport:
    """Say what `ingest_events` would do; nothing is written."""
    started = time.perf_counter()
    names = Pseudonyms.from_environment(os.environ)
    problems = Problems(on_error)
    with connect(settings) as cluster:
        chosen = _source(cluster, settings, source, ubi, _whole_file)
        run = SourceRun(cluster, settings, names, chosen, problems)
        store = EventStore.find(cluster, settings, names)
        ingested = run.plan(store, chosen.read(run.position(store)))
        notes = _unmatched_notes(ingested, run)
    say_skipped(problems)
    say_notes(notes)
    return EventsReport(chosen.name, ingested, problems.count, time.perf_counter() - started)


def follow_events(
    settings: Settings,
    source: Path | str | None = None,
    *,
    ubi: bool = False,
    on_error: OnError = "skip",
    idle: float | None = None,
    each: Callable[[IngestReport], object] = lambda _: None,
) -> EventsReport:
    """Take in what comes to a growing file of JSON lines, to standard input, or to UBI.

    It continues where it stopped, and ends with standard input or after `idle`; otherwise never.

    Parameters
    ----------
    settings, source, ubi, on_error
        As for `ingest_events`.
    idle
        End when nothing came for so many seconds.
    each
        Called with what became of each batch that held events.
    """
    started = time.perf_counter()
    names = Pseudonyms.from_environment(os.environ)
    problems = Problems(on_error)
    ingested, printed = IngestReport(), 0
    with connect(settings) as cluster:
        chosen = _source(cluster, settings, source, ubi, _growing_file)
        run = SourceRun(cluster, settings, names, chosen, problems)
        with Recommender(cluster, settings) as recommender, progress("following") as tick:
            # before an index of events is made: what cannot be read changes nothing
            if not isinstance(chosen, Stream):
                next(chosen.follow(run.position(EventStore.find(cluster, settings, names))), None)
            ingester = Ingester(cluster, settings, names, recommender.user_encoder)
            batches = chosen.follow(run.position(ingester.store))
            for one in _until_idle(run.ingest(ingester, batches), idle):
                ingested = ingested.plus(one)
                tick(one.events)
                if one.events:
                    each(one)
                for message in problems.messages[printed:]:
                    say(message)
                printed = len(problems.messages)
    # each was said as it came
    for headline in problems.headlines:
        say(headline)
    say_notes(problems.notes)
    return EventsReport(chosen.name, ingested, problems.count, time.perf_counter() - started)


def plan_follow_events(
    settings: Settings, source: Path | str | None = None, *, ubi: bool = False
) -> FollowPlan:
    """Return where `follow_events` would continue; nothing is written."""
    names = Pseudonyms.from_environment(os.environ)
    with connect(settings) as cluster:
        chosen = _source(cluster, settings, source, ubi, _growing_file)
        LiveIndices.find(cluster, settings, names)
        run = SourceRun(cluster, settings, names, chosen, Problems("stop"))
        store = EventStore.find(cluster, settings, names)
        return FollowPlan(chosen.name, run.position(store))


def _unmatched_notes(ingested: IngestReport, run: SourceRun) -> list[str]:
    """Return why events name items that the index lacks, if some do."""
    found = run.find_unmatched() if ingested.unknown else None
    return [f"{found}; these events are kept"] if found else []


def _until_idle(run: Iterator[IngestReport], seconds: float | None) -> Iterator[IngestReport]:
    """Yield what `run` yields until there was nothing for so long."""
    last: float | None = None
    for one in run:
        # what is brought up to date before the first batch may take longer than that
        if one.events or last is None:
            last = time.monotonic()
        elif seconds is not None and time.monotonic() - last >= seconds:
            return
        yield one


def _columns(settings: Settings) -> list[str]:
    own = (settings.live.id, settings.live.query_id)
    return [*settings.events.columns, *(name for name in own if name)]


def _whole_file(settings: Settings, file: Path) -> WholeFile:
    chosen, columns = settings.events.format, _columns(settings)
    return WholeFile(FileSource(file, settings.live.batch, chosen, columns, "events"))


def _growing_file(settings: Settings, file: Path) -> GrowingFile:
    live = settings.live
    return GrowingFile(file, live.batch, live.poll_seconds, _columns(settings))


def _source(
    cluster: Cluster,
    settings: Settings,
    source: Path | str | None,
    ubi: bool,
    of_file: Callable[[Settings, Path], File],
) -> File | Stream | UbiEvents:
    """Return where the events come from; `of_file` makes it of a file."""
    if (source is None) != ubi:
        raise ConfigError(
            "where are the events?", hint="give a file, or - for standard input, or ubi"
        )
    live = settings.live
    if source is None:
        return UbiEvents(cluster, settings.ubi, live)
    if Path(source) == STANDARD_INPUT:
        return Stream(sys.stdin.buffer, live.batch, live.poll_seconds, _columns(settings))
    return of_file(settings, Path(source))
