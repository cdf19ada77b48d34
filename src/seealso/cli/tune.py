"""``seealso tune``: search the training settings that rank best."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.text import Text

from seealso import api
from seealso.cli import tables
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.cli.options import dry_run, on_error
from seealso.errors import ConfigError
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.choices import OnError
    from seealso.training.tuning.report import TuneReport
    from seealso.training.tuning.tune import TunePlan

LISTED = 10
"""Trials in the table; the page has all of them."""


@click.command(cls=Command)
@on_error
@dry_run
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Number of finished trials in total, including those of earlier calls.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Minutes after which this call stops.  [default: none]",
)
@click.option("--write", is_flag=True, help="Write the best settings to seealso.local.toml.")
@pass_context
def tune(
    context: Context,
    on_error: "OnError",
    dry_run: bool,
    trials: int,
    timeout: float | None,
    write: bool,
) -> None:
    """Search the settings of [training] that rank best on dev.

    The first trial uses the settings of the file. Trials that do worse than half of the others are
    stopped early. To continue a search that was killed, interrupted or out of time, give the same
    command again. Test is not used: `seealso train` uses it once, with the settings that are
    printed.
    """
    local = _local_file()
    if write and local.exists():
        raise ConfigError(
            f"{local}: already exists", hint="leave --write out and paste what is printed"
        )
    if dry_run:
        plan = api.plan_tune(context.settings, on_error=on_error, trials=trials)
        context.show(plan, lambda: describe_plan(plan))
        return
    report = api.tune(context.settings, on_error=on_error, trials=trials, timeout=timeout)
    if write:
        local.write_text(report.toml, encoding="utf-8")
    context.show(report, lambda: _report_table(report))


def _local_file() -> Path:
    config = click.get_current_context().find_root().params.get("config")
    return (config or Path("seealso.toml")).with_suffix(".local.toml")


def describe_plan(plan: "TunePlan") -> RenderableType:
    """Return what a search would do, and between which limits, as a person reads it."""
    facts = {
        "method": plan.method,
        "users": plan.users,
        "asked about": f"{format_count(plan.dev_users, 'user')} of dev",
        "trials": f"{plan.trials:,} in total, {plan.finished:,} of them finished",
        "folder": plan.folder,
    }
    return Group(
        tables.facts(facts), "", tables.rows(("setting", "values to try"), plan.space.items())
    )


def _report_table(report: "TuneReport") -> RenderableType:
    lines = [
        (one.number, one.state, one.value if one.value is None else f"{one.value:.4f}",
         f"{one.minutes:.1f}", *(str(one.choice.get(name, "-")) for name in report.choice))
        for one in report.trials[:LISTED]
    ]  # fmt: skip
    names = [name.partition(".")[2] for name in report.choice]
    columns = ("trial", "state", "ndcg@10", "minutes", *names)
    facts = {
        "ndcg@10 on dev": f"{report.best:.4f}"
        + (f" ({report.before:.4f} with the settings as they are)" if report.before else ""),
        "what mattered": [f"{name} {share:.0%}" for name, share in report.importances.items()],
        "plots": report.page,
    }
    return Group(
        tables.rows(columns, lines, numbers=" ".join({*columns} - {"state"})),
        "",
        tables.facts(facts),
        "",
        Text(report.toml.rstrip()),
    )
