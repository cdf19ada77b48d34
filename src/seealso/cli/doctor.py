"""``seealso doctor``: names each problem with its cure."""

import sys
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from seealso import api
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.log import stderr

if TYPE_CHECKING:
    from seealso.plugin.doctor import Finding


@click.command(cls=Command)
@pass_context
def doctor(context: Context) -> None:
    """Check settings, bundle, cluster, index and templates.

    For each problem, a hint says what to do.
    """
    findings = api.doctor(context.settings)
    context.show(findings, lambda: describe_findings(findings))
    wrong = sum(not finding.ok for finding in findings)
    if wrong:
        stderr.print(f"{wrong} of {len(findings)} checks failed", highlight=False)
        sys.exit(1)


def describe_findings(findings: "list[Finding]") -> Table:
    """Return what was checked, as a person reads it."""
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(overflow="fold")
    for finding in findings:
        mark = Text("ok", style="green") if finding.ok else Text("no", style="bold red")
        table.add_row(mark, Text(finding.what), Text(finding.found))
        if finding.cure:
            table.add_row("", "", Text(f"-> {finding.cure}", style="yellow"))
    return table
