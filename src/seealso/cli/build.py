"""``seealso build``: everything from files to the best lists in one command."""

from typing import TYPE_CHECKING

import click
from rich.console import Group

from seealso import api
from seealso.cli import tables
from seealso.cli.built import describe_build, describe_plan
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.cli.fit import report_table
from seealso.cli.options import allow_unmatched, dry_run, on_error
from seealso.cli.train import report_table as trained_table
from seealso.cli.users import describe_written

if TYPE_CHECKING:
    from seealso.api.building import CompleteBuild, CompleteBuildPlan
    from seealso.choices import OnError


@click.command(cls=Command)
@on_error
@dry_run
@allow_unmatched
@click.option(
    "--train",
    is_flag=True,
    help="Fine-tune the model of [training] as well, where events have changed. Its bundle is used "
    "only if that makes the lists better on dev.",
)
@pass_context
def build(
    context: Context, on_error: "OnError", dry_run: bool, allow_unmatched: bool, train: bool
) -> None:
    """Go from files to the best lists, once and every night.

    Exports the default model if there is none, fits behaviour and texts where the events suffice
    and have changed, builds an index beside the live one, verifies it, compares its NDCG@10 on
    dev with that of the live one, and moves the alias unless it is worse beyond chance (then the
    exit code is 9). The users index follows where users.enabled. A run that was killed is continued
    by the next one.
    """
    if dry_run:
        plan = api.plan_build(
            context.settings, on_error=on_error, allow_unmatched=allow_unmatched, train=train
        )
        context.show(plan, lambda: tables.facts(_describe_plan(plan)))
        return
    report = api.build(
        context.settings, on_error=on_error, allow_unmatched=allow_unmatched, train=train
    )
    context.show(report, lambda: _describe(report))


def _describe_plan(plan: "CompleteBuildPlan") -> dict[str, object]:
    exports = {} if plan.exports is None else {"would export": plan.exports}
    index = {} if plan.index is None else describe_plan(plan.index)
    trains = {} if plan.train is None else {"fine-tuning": plan.train}
    return {**exports, **trains, "fit": plan.fit, **index}


def _describe(report: "CompleteBuild") -> Group:
    exported = {} if report.exported is None else {"exported": report.exported}
    trained = [] if report.trained is None else [trained_table(report.trained), ""]
    fitted = [] if report.fitted is None else [report_table(report.fitted), ""]
    compared = report.index.verdict is not None
    return Group(
        *trained,
        *fitted,
        describe_build(report.index, compared, {**exported, "fit": report.fit}),
        *([] if report.users is None else ["", describe_written(report.users)]),
    )
