"""``seealso events``: ingest, follow."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import RenderableType

from seealso.cli import tables
from seealso.cli.context import Context, pass_context, plain
from seealso.cli.inputs import dry_run, on_error, say_notes, say_skipped
from seealso.config import Settings
from seealso.indexer.events.ingest import Ingester, IngestReport
from seealso.indexer.events.running import (
    check,
    find_unmatched,
    ingest_batches,
    plan_ingest,
    position_of,
    reader_of,
    require_live,
)
from seealso.indexer.events.sources import UbiEvents, WholeFile
from seealso.indexer.events.store import EventStore
from seealso.log import progress, say
from seealso.plugin import Recommender
from seealso.readers import FileSource, GrowingFile, Problems, Pseudonyms, Stream

File = TypeVar("File", WholeFile, GrowingFile)

source = click.argument(
    "source", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True)
)
ubi = click.option("--ubi", is_flag=True, help="Read the index of UBI events instead of a file.")


@dataclass(frozen=True, slots=True)
class EventsReport:
    """What one run took in."""

    source: str
    taken: IngestReport
    broken: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        more = {"broken": self.broken, "seconds": round(self.seconds, 3)}
        return {"source": self.source, **plain(self.taken), **more}


@click.group()
def events() -> None:
    """Take in events as they happen: users and items follow at once.

    Needs the users index; the key of the pseudonyms comes from the environment variable
    SEEALSO_USERS_KEY.
    """


@events.command()
@source
@ubi
@on_error
@dry_run
@pass_context
def ingest(context: Context, source: Path | None, ubi: bool, on_error: str, dry_run: bool) -> None:
    """Take in the events of SOURCE, a file, or - for JSON lines on standard input.

    Columns are those of [events]. An event that was taken in before changes nothing, so a run
    that was killed is simply run again.
    """
    started = time.perf_counter()
    names = Pseudonyms.from_environment(os.environ)
    problems = Problems(on_error)  # type: ignore[arg-type]
    cluster, settings = context.cluster(), context.settings
    columns = _columns(settings)
    chosen = _chosen(
        context,
        source,
        ubi,
        lambda file: WholeFile(
            FileSource(file, settings.live.batch, settings.events.format, columns, "events")
        ),
    )
    store = EventStore.find(cluster, settings, names)
    reader = reader_of(chosen, settings, names, problems)
    if dry_run:
        batches = chosen.read(position_of(chosen, store))
        taken = plan_ingest(cluster, settings, names, store, batches, reader)
    else:
        ingester = Ingester(cluster, settings, names, Recommender(cluster, settings).user_encoder)
        if isinstance(chosen, WholeFile) and on_error == "stop":
            check(chosen, settings, names)
        batches = chosen.read(position_of(chosen, ingester.store))
        taken = IngestReport()
        with progress("taking in") as tick:
            for one in ingest_batches(ingester, chosen, batches, reader, settings.live.batch):
                taken = taken.plus(one)
                tick(one.events)
    say_skipped(problems)
    if taken.unknown and (unmatched := find_unmatched(cluster, settings.index.alias, reader)):
        say_notes([f"{unmatched}; these events are kept"])
    report = EventsReport(chosen.name, taken, problems.count, time.perf_counter() - started)
    context.show(report, lambda: _shown(report, dry_run=dry_run))


@events.command()
@source
@ubi
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="skip",
    show_default=True,
    help="What a broken row does.",
)
@click.option(
    "--idle", type=click.FloatRange(min=0), help="End when nothing came for so many seconds."
)
@dry_run
@pass_context
def follow(
    context: Context,
    source: Path | None,
    ubi: bool,
    on_error: str,
    idle: float | None,
    dry_run: bool,
) -> None:
    """Take in what comes to SOURCE, a growing file of JSON lines, or - for standard input.

    It goes on where it was left off, and ends with Ctrl-C, with standard input, or with --idle.
    With --json, every batch is a line.
    """
    started = time.perf_counter()
    names = Pseudonyms.from_environment(os.environ)
    problems = Problems(on_error)  # type: ignore[arg-type]
    cluster, settings = context.cluster(), context.settings
    chosen = _chosen(
        context,
        source,
        ubi,
        lambda file: GrowingFile(
            file, settings.live.batch, settings.live.poll_seconds, _columns(settings)
        ),
    )
    if dry_run:
        require_live(cluster, settings, names)
        store = EventStore.find(cluster, settings, names)
        position = position_of(chosen, store)
        context.show(
            {"source": chosen.name, "position": position},
            lambda: tables.facts({"source": chosen.name, "would go on from": _told(position)}),
        )
        return
    recommender = Recommender(cluster, settings)
    ingester = Ingester(cluster, settings, names, recommender.user_encoder)
    reader = reader_of(chosen, settings, names, problems)
    batches = chosen.follow(position_of(chosen, ingester.store))
    taken, told = IngestReport(), 0
    with progress("following") as tick:
        run = ingest_batches(ingester, chosen, batches, reader, settings.live.batch)
        for one in _until_idle(run, idle):
            taken = taken.plus(one)
            tick(one.events)
            if context.json and one.events:
                context.show(one, lambda: "")
            for message in problems.messages[told:]:
                say(message)
            told = len(problems.messages)
    # each was said as it came
    for headline in problems.headlines:
        say(headline)
    say_notes(problems.notes)
    report = EventsReport(chosen.name, taken, problems.count, time.perf_counter() - started)
    if not context.json:
        context.show(report, lambda: _shown(report, dry_run=False))


def _until_idle(run: Iterator[IngestReport], seconds: float | None) -> Iterator[IngestReport]:
    """Yield what `run` yields until there was nothing for so long."""
    last: float | None = None
    for one in run:
        # what is brought in step before the first batch may take longer than that
        if one.events or last is None:
            last = time.monotonic()
        elif seconds is not None and time.monotonic() - last >= seconds:
            return
        yield one


def _columns(settings: Settings) -> list[str]:
    own = (settings.live.id,) if settings.live.id else ()
    return [*settings.events.columns, *own]


def _chosen(
    context: Context, source: Path | None, ubi: bool, of_file: Callable[[Path], File]
) -> File | Stream | UbiEvents:
    """Return where the events come from; `of_file` makes it of a file."""
    if (source is None) != ubi:
        raise click.UsageError("where are the events? Give SOURCE (a file, or -) or --ubi")
    live = context.settings.live
    if source is None:
        return UbiEvents(context.cluster(), context.settings.ubi, live)
    if str(source) == "-":
        return Stream(sys.stdin.buffer, live.batch, live.poll_seconds, _columns(context.settings))
    return of_file(source)


def _told(position: Mapping[str, Any] | None) -> str:
    if position is None:
        return "the start"
    return ", ".join(f"{k} {v}" for k, v in position.items() if k not in ("head", "tail"))


def _shown(report: EventsReport, *, dry_run: bool) -> RenderableType:
    taken, would = report.taken, "would be " if dry_run else ""
    repeated = f"{taken.repeated:,}"
    if taken.differing:
        repeated += f" ({taken.differing:,} with other content, the first one stays: "
        repeated += f"{', '.join(taken.differing_ids)})"
    unknown = f"{taken.unknown:,}"
    if taken.unknown:
        unknown += f" (their events are kept: {', '.join(taken.unknown_items)}"
        unknown += ", ...)" if taken.unknown > len(taken.unknown_items) else ")"
    users = f"{taken.users:,}" + (f" ({taken.new_users:,} new)" if taken.new_users else "")
    return tables.facts(
        {
            "source": report.source,
            "events": taken.events,
            f"{would}written": taken.written,
            "repeated": repeated,
            # each batch may change the same ones again
            "users that would be changed" if dry_run else "changes of users": users,
            "items that would be changed" if dry_run else "changes of items": taken.items,
            "unknown items": unknown,
            **({"of who was forgotten": taken.forgotten} if taken.forgotten else {}),
            **({"old ones deleted": taken.expired} if taken.expired else {}),
            "broken": report.broken,
            "seconds": f"{report.seconds:.1f}",
        }
    )
