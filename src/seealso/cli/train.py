"""``seealso train``: fine-tune the language model on behaviour."""

from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType

from seealso import api
from seealso.cli import tables
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.cli.options import dry_run, on_error
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.choices import OnError
    from seealso.training.train import TrainPlan, TrainReport


@click.command(cls=Command)
@on_error
@dry_run
@click.option("--force", is_flag=True, help="Replace a bundle of that name.")
@pass_context
def train(context: Context, on_error: "OnError", dry_run: bool, force: bool) -> None:
    """Fine-tune the model of [training] and write its bundle.

    It trains on the events of all users except their last ones, which are used for dev and test. To
    continue a killed or interrupted run, give the same command again. Then `seealso build` fits
    with this model too, and uses it if that makes the lists better. `seealso build --train` does
    both.
    """
    if dry_run:
        plan = api.plan_train(context.settings, on_error=on_error, force=force)
        context.show(plan, lambda: describe_plan(plan))
        return
    report = api.train(context.settings, on_error=on_error, force=force)
    context.show(report, lambda: report_table(report))


def describe_plan(plan: "TrainPlan") -> dict[str, object]:
    """Return what a training would do, by name."""
    return {
        "bundle": plan.bundle,
        "backbone": plan.backbone,
        "method": plan.method,
        "items": f"{plan.items:,}{_without_text(plan.without_text)}",
        "users": plan.users,
        "asked about": f"{format_count(plan.dev_users, 'user')} of dev, "
        f"{plan.test_users:,} of test",
        "checkpoints": plan.checkpoints,
    }


def _without_text(items: int) -> str:
    return f" ({items:,} more {'has' if items == 1 else 'have'} no text)" if items else ""


def report_table(report: "TrainReport") -> RenderableType:
    """Return what a training did, as a person reads it."""
    return Group(tables.facts(_facts(report)), "", _metrics(report))


def _facts(report: "TrainReport") -> dict[str, object]:
    share = report.trained_parameters / report.parameters
    return {
        "bundle": f"{report.bundle} ({report.fingerprint})",
        "learnt from": f"{format_count(report.pairs, 'pair')} of "
        f"{format_count(report.users, 'user')}, {format_count(report.items, 'item')}"
        + _without_text(report.without_text),
        "parameters": f"{report.trained_parameters:,} of {report.parameters:,} learnt "
        f"({share:.1%}, {report.method})",
        "vectors": "whitened by index build" if report.whiten else "as they are, not whitened",
        "time": f"{format_count(report.steps, 'step')}, {_lasted(report.seconds)}",
        **({"tracked": report.tracked} if report.tracked else {}),
        "gain": _gain(report),
        "next": "seealso build",
    }


def _lasted(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.1f} minutes"


def _gain(report: "TrainReport") -> str:
    """Say what test says: dev chose the epoch and the whitening, and so flatters."""
    frozen, tuned = report.frozen_test["ndcg@10"], report.test["ndcg@10"]
    found = f"NDCG@10 on test {tuned:.4f}, frozen {frozen:.4f}"
    if report.gain.high < 0:
        return f"none: {found}, worse beyond chance; stay with the old bundle"
    if report.gain.low <= 0:
        return f"not beyond chance: {found}"
    # of a model that never hit anything there is no multiple
    return f"{found}" + (f": {tuned / frozen:.2f} times as good" if frozen else "")


def _metrics(report: "TrainReport") -> RenderableType:
    names = ("hr@10", "ndcg@10", "hr@20")
    lines = [
        (label, f"{users:,}", *(f"{found[name]:.4f}" for name in names), beside)
        for label, users, found, beside in (
            ("dev, frozen", report.dev_users, report.frozen_dev, ""),
            ("dev, fine-tuned", report.dev_users, report.dev, ""),
            ("test, frozen", report.test_users, report.frozen_test, ""),
            ("test, fine-tuned", report.test_users, report.test, tables.interval(report.gain)),
        )
    ]
    columns = ("full ranking", "users", *names, "ndcg@10 gain (95 %)")
    return tables.rows(columns, lines, numbers="users hr@10 ndcg@10 hr@20")
