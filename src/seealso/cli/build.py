"""``seealso index build``."""

import click
from rich.console import Group, RenderableType
from rich.text import Text

from seealso.cli import tables
from seealso.cli.context import Context, pass_context
from seealso.cli.inputs import dry_run, on_error, read_inputs, say_notes, say_skipped
from seealso.indexer import build as building
from seealso.indexer.build_report import BuildPlan, BuildReport
from seealso.judging.gate import Gate, Verdict

NOTHING_LIVE = "nothing was live: there is nothing to compare with"


@click.command()
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
        **tables.events(plan.events),
        "alias": f"{plan.alias} (now {plan.live or 'nothing'})",
        "bundle": plan.bundle,
        "may clear": plan.clears,
        "importance": "by {kind}, from {floor:g} to {ceiling:g}".format(**plan.importance),
    }


def _would_ask(gate: bool, judge: Gate | None) -> dict[str, object]:
    if judge is None:
        return {"gate": NOTHING_LIVE} if gate else {}
    return {"gate": f"would ask {len(judge.questions):,} {judge.asked} users of {judge.live}"}


def _pictured(report: BuildReport) -> str:
    told = f"{report.pictured:,} items have one"
    return f"{told}; {report.strangers:,} of no item" if report.strangers else told


def _built(report: BuildReport, gate: bool) -> RenderableType:
    checked, verdict = report.verification, report.verdict
    live = report.index if report.swapped else report.previous or "nothing"
    facts: dict[str, object] = {
        "index": report.index + (" (resumed)" if report.resumed else ""),
        "alias": f"{report.alias} -> {live}",
        "bundle": f"{report.bundle} ({report.fingerprint})",
        "items": f"{report.items:,} ({report.written:,} written, {report.tail:,} tail)",
        **tables.events(report.events),
        **({"images": _pictured(report)} if report.pictured else {}),
        "verified": checked.summary,
        **({"gate": verdict or NOTHING_LIVE} if gate else {}),
        "seconds": f"{report.seconds:.1f}",
    }
    notes = verdict.notes if isinstance(verdict, Verdict) else ()
    return Group(tables.facts(facts), *(Text(f"note: {note}", style="yellow") for note in notes))
