"""``seealso events``: ingest, follow."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import RenderableType

from seealso import api
from seealso.cli import tables
from seealso.cli.commands import CommandGroup
from seealso.cli.context import Context, pass_context
from seealso.cli.options import dry_run, on_error

if TYPE_CHECKING:
    from seealso.api.events import EventsReport
    from seealso.choices import OnError

source = click.argument(
    "source", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True)
)
ubi = click.option("--ubi", is_flag=True, help="Read the index of UBI events instead of a file.")


@click.group(cls=CommandGroup)
def events() -> None:
    """Ingest events; users and items are updated at once.

    Needs the users index; the key of the pseudonyms comes from the environment variable
    SEEALSO_USERS_KEY.
    """


@events.command()
@source
@ubi
@on_error
@dry_run
@pass_context
def ingest(
    context: Context, source: Path | None, ubi: bool, on_error: "OnError", dry_run: bool
) -> None:
    """Ingest the events of SOURCE once.

    SOURCE is a file, or - for JSON lines on standard input. Columns are those of [events]. An event
    that was ingested before changes nothing, so you can run it again after it was killed.
    """
    _check_source(source, ubi)
    run = api.plan_ingest_events if dry_run else api.ingest_events
    report = run(context.settings, source, ubi=ubi, on_error=on_error)
    context.show(report, lambda: _table(report, dry_run=dry_run))


@events.command()
@source
@ubi
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="skip",
    show_default=True,
    help="Stop at a broken row, or skip it.",
)
@click.option(
    "--idle", type=click.FloatRange(min=0), help="End after this many seconds without events."
)
@dry_run
@pass_context
def follow(
    context: Context,
    source: Path | None,
    ubi: bool,
    on_error: "OnError",
    idle: float | None,
    dry_run: bool,
) -> None:
    """Ingest events as they are added to SOURCE.

    SOURCE is a growing file of JSON lines, or - for standard input.

    It continues where it stopped, and ends with Ctrl-C, at the end of standard input, or by --idle.
    With --json, each batch is one line.
    """
    _check_source(source, ubi)
    if dry_run:
        plan = api.plan_follow_events(context.settings, source, ubi=ubi)
        facts = {"source": plan.source, "would continue from": _place(plan.position)}
        context.show(plan, lambda: tables.facts(facts))
        return
    report = api.follow_events(
        context.settings,
        source,
        ubi=ubi,
        on_error=on_error,
        idle=idle,
        each=lambda batch: context.show(batch, lambda: "") if context.json else None,
    )
    if not context.json:
        context.show(report, lambda: _table(report, dry_run=False))


def _check_source(source: Path | None, ubi: bool) -> None:
    if (source is None) != ubi:
        raise click.UsageError("where are the events? Give SOURCE (a file, or -) or --ubi")


def _place(position: Mapping[str, Any] | None) -> str:
    if position is None:
        return "the start"
    return ", ".join(f"{k} {v}" for k, v in position.items() if k not in ("head", "tail"))


def _table(report: "EventsReport", *, dry_run: bool) -> RenderableType:
    ingested, would = report.ingested, "would be " if dry_run else ""
    repeated = f"{ingested.repeated:,}"
    if ingested.differing:
        repeated += f" ({ingested.differing:,} with other content, the first one stays: "
        repeated += f"{', '.join(ingested.differing_ids)})"
    unknown = f"{ingested.unknown:,}"
    if ingested.unknown:
        unknown += f" (their events are kept: {', '.join(ingested.unknown_items)}"
        unknown += ", ...)" if ingested.unknown > len(ingested.unknown_items) else ")"
    users = f"{ingested.users:,}" + (f" ({ingested.new_users:,} new)" if ingested.new_users else "")
    return tables.facts(
        {
            "source": report.source,
            "events": ingested.events,
            f"{would}written": ingested.written,
            "repeated": repeated,
            # each batch may change the same ones again
            "users that would be changed" if dry_run else "changes of users": users,
            "items that would be changed" if dry_run else "changes of items": ingested.items,
            "unknown items": unknown,
            **({"of forgotten users": ingested.forgotten} if ingested.forgotten else {}),
            **({"old ones deleted": ingested.expired} if ingested.expired else {}),
            "broken": report.broken,
            "seconds": f"{report.seconds:.1f}",
        }
    )
