"""``seealso index``: build, update, importance, list, verify, swap, rollback, prune."""

from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.text import Text

from seealso.cli import tables
from seealso.cli.context import Context, pass_context
from seealso.cli.inputs import (
    dry_run,
    ids_in,
    on_error,
    read_inputs,
    say_notes,
    say_skipped,
)
from seealso.indexer import build as building
from seealso.indexer import lifecycle
from seealso.indexer.build_report import BuildPlan, BuildReport
from seealso.indexer.event_summary import EventSummary
from seealso.indexer.live import live_index
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.update import MOST_DELETED, plan_update
from seealso.indexer.update import update as update_index
from seealso.indexer.verify import EXPENSIVE, verify_again
from seealso.plugin.judging.gate import Gate, Verdict

NOTHING_LIVE = "nothing was live: there is nothing to compare with"


@click.group()
def index() -> None:
    """Build, change and switch the index behind the alias."""


@index.command()
@on_error
@dry_run
@click.option("--no-swap", is_flag=True, help="Leave the alias where it is.")
@click.option(
    "--gate",
    is_flag=True,
    help="Go live only if NDCG@10 on dev is not below that of the live index, beyond chance.",
)
@click.option(
    "--test", "asked", flag_value="test", default="dev", help="--gate: ask test, not dev."
)
@click.option(
    "--allow-unmatched",
    is_flag=True,
    help="Build even if most events name items that the catalogue lacks.",
)
@pass_context
def build(
    context: Context,
    on_error: str,
    dry_run: bool,
    no_swap: bool,
    gate: bool,
    asked: str,
    allow_unmatched: bool,
) -> None:
    """Build an index beside the live one, verify it, and move the alias to it.

    With --gate, the live index and the new one are asked which item each dev user chose next.
    If the new one ranks worse, with the 95 % bootstrap interval of the difference below zero, it
    stays beside, ready, and the exit code is 9.
    """
    if asked == "test" and not gate:
        raise click.UsageError("--test belongs to --gate")
    source, problems = read_inputs(context, on_error)
    cluster, settings = context.cluster(), context.settings
    judge = Gate.set_up(cluster, settings, source, asked=asked) if gate else None
    if dry_run:
        plan = building.plan(cluster, settings, source, allow_unmatched=allow_unmatched)
        say_skipped(problems)
        say_notes(plan.notes)
        context.show(plan, lambda: tables.facts(_planned(plan) | _would_ask(gate, judge)))
        return
    report = building.build(
        cluster,
        settings,
        source,
        swap=not no_swap,
        judge=None if judge is None else judge.judge,
        allow_unmatched=allow_unmatched,
    )
    say_skipped(problems)
    say_notes(report.notes)
    context.show(report, lambda: _built(report, gate))


def _planned(plan: BuildPlan) -> dict[str, object]:
    return {
        "would build": f"{plan.items:,} items, {plan.tail:,} of them tail",
        **_events(plan.events),
        "alias": f"{plan.alias} (now {plan.live or 'nothing'})",
        "bundle": plan.bundle,
        "may clear": plan.clears,
        "importance": "by {kind}, from {floor:g} to {ceiling:g}".format(**plan.importance),
    }


def _would_ask(gate: bool, judge: Gate | None) -> dict[str, object]:
    if judge is None:
        return {"gate": NOTHING_LIVE} if gate else {}
    return {"gate": f"would ask {len(judge.questions):,} {judge.asked} users of {judge.live}"}


def _events(events: EventSummary) -> dict[str, object]:
    return {"events": str(events)} if events.events else {}


def _pictured(report: BuildReport) -> str:
    told = f"{report.pictured:,} items have one"
    return f"{told}; {report.strangers:,} of no item" if report.strangers else told


def _built(report: BuildReport, gate: bool) -> RenderableType:
    checked, verdict = report.verification, report.verdict
    facts: dict[str, object] = {
        "index": report.index + (" (resumed)" if report.resumed else ""),
        "alias": f"{report.alias} -> {report.index if report.swapped else report.previous}",
        "bundle": f"{report.bundle} ({report.fingerprint})",
        "items": f"{report.items:,} ({report.written:,} written, {report.tail:,} tail)",
        **_events(report.events),
        **({"images": _pictured(report)} if report.pictured else {}),
        "verified": checked.told,
        **({"gate": verdict or NOTHING_LIVE} if gate else {}),
        "seconds": f"{report.seconds:.1f}",
    }
    notes = verdict.notes if isinstance(verdict, Verdict) else ()
    return Group(tables.facts(facts), *(Text(f"note: {note}", style="yellow") for note in notes))


@index.command()
@on_error
@dry_run
@click.option(
    "--items",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the changed items only, in the catalogue's format.",
)
@click.option(
    "--delete",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the ids to delete, one a line.",
)
@click.option("--delete-missing", is_flag=True, help="Delete what the catalogue no longer has.")
@click.option("--yes", is_flag=True, help="Delete more than 5 % of the index, too.")
@pass_context
def update(
    context: Context,
    on_error: str,
    dry_run: bool,
    items: Path | None,
    delete: Path | None,
    delete_missing: bool,
    yes: bool,
) -> None:
    """Write changed items to the live index and delete others."""
    if items and delete_missing:
        raise click.UsageError("--delete-missing needs the whole catalogue, not --items")
    if items:
        catalogue = context.settings.catalogue.model_copy(update={"path": items, "index": None})
        settings = context.settings.model_copy(update={"catalogue": catalogue})
        context = Context(settings, context.json)
    source, problems = read_inputs(context, on_error)
    run = plan_update if dry_run else update_index
    report = run(
        context.cluster(),
        context.settings,
        source,
        delete=ids_in(delete, context.settings) if delete else [],
        delete_missing=delete_missing,
        most_deleted=1.0 if yes else MOST_DELETED,
    )
    say_skipped(problems)
    say_notes(report.notes)
    context.show(
        report,
        lambda: tables.facts(
            {
                "index": report.index,
                "would write" if dry_run else "written": report.written,
                "unchanged": report.unchanged,
                "would delete" if dry_run else "deleted": report.deleted,
                **({"would refuse": report.refusal} if report.refusal else {}),
            }
        ),
    )


@index.command()
@on_error
@dry_run
@pass_context
def importance(context: Context, on_error: str, dry_run: bool) -> None:
    """Recompute importance from the events, without encoding anything."""
    source, problems = read_inputs(context, on_error)
    report = refresh_importance(context.cluster(), context.settings, source, write=not dry_run)
    say_skipped(problems)
    say_notes(report.notes)
    context.show(
        report,
        lambda: tables.facts(
            {
                "index": report.index,
                **_events(report.events),
                "would change" if dry_run else "changed": report.changed,
                "unchanged": report.unchanged,
            }
        ),
    )


@index.command(name="list")
@pass_context
def list_(context: Context) -> None:
    """List the indices of the alias, oldest first."""
    found = lifecycle.listing(context.cluster(), context.settings.index.alias)
    context.show(
        found,
        lambda: tables.rows(
            ["index", "state", "live", "documents", "size", "bundle", "fingerprint"],
            [
                (
                    one.name,
                    one.state,
                    one.live,
                    one.documents,
                    tables.size(one.size_bytes),
                    one.meta.get("bundle"),
                    one.meta.get("fingerprint"),
                )
                for one in found
            ],
            numbers="documents size",
        ),
    )


@index.command()
@click.argument("name", required=False)
@pass_context
def verify(context: Context, name: str | None) -> None:
    """Check an index as a build does.

    NAME is the live index by default; any other index of `seealso index list` can be checked
    before it goes live. Count, bundle, a sample encoded again, a probe query.
    """
    cluster = context.cluster()
    chosen = name or live_index(cluster, context.settings).name
    report = verify_again(cluster, chosen, context.settings)
    context.show(
        report,
        lambda: tables.facts(
            {
                "index": chosen,
                "documents": report.documents,
                "least cosine": report.least_cosine,
                "graph recall": f"not measured: {EXPENSIVE} is false"
                if report.recall is None
                else report.recall,
                **({} if report.user_recall is None else {"for users": report.user_recall}),
            }
        ),
    )


@index.command()
@click.argument("name")
@dry_run
@pass_context
def swap(context: Context, name: str, dry_run: bool) -> None:
    """Let the alias stand for the index NAME."""
    cluster, alias = context.cluster(), context.settings.index.alias
    run = lifecycle.plan_swap if dry_run else lifecycle.swap
    _moved(context, run(cluster, alias, name), dry_run)


@index.command()
@dry_run
@pass_context
def rollback(context: Context, dry_run: bool) -> None:
    """Let the alias stand for the index that was live before."""
    run = lifecycle.plan_rollback if dry_run else lifecycle.rollback
    _moved(context, run(context.cluster(), context.settings.index.alias), dry_run)


def _moved(context: Context, moved: lifecycle.Moved, dry_run: bool) -> None:
    label = "would move" if dry_run else "moved"
    text = f"{moved.alias}: {moved.before or 'nothing'} -> {moved.after}"
    context.show(moved, lambda: tables.facts({label: text}))


@index.command()
@dry_run
@click.option("--keep", type=click.IntRange(min=1), help="Indices to keep, the live one included.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def prune(context: Context, dry_run: bool, keep: int | None, yes: bool) -> None:
    """Delete old and half-built indices."""
    cluster, settings = context.cluster(), context.settings.index
    keep = keep or settings.keep
    doomed = lifecycle.prunable(cluster, settings.alias, keep)
    if doomed and not dry_run:
        names = ", ".join(one.name for one in doomed)
        if not yes:
            click.confirm(f"Delete {names}?", abort=True, err=True)
        doomed = lifecycle.prune(cluster, settings.alias, keep)
    label = "would delete" if dry_run else "deleted"
    names_shown = [one.name for one in doomed]
    context.show(
        {"deleted" if not dry_run else "would_delete": names_shown},
        lambda: tables.facts({label: names_shown or "nothing"}),
    )
