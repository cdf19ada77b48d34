"""Options and steps that the commands share which read a catalogue and its events."""

import click

from seealso.cli.context import Context
from seealso.indexer.inputs import Inputs, inputs
from seealso.interactions import Problems
from seealso.log import stderr

on_error = click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What a broken row of catalogue or events does.",
)
dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done, write nothing.")


def read_inputs(context: Context, on_error: str) -> tuple[Inputs, Problems]:
    """Return the inputs that the settings name, and what takes their broken rows."""
    problems = Problems(on_error)  # type: ignore[arg-type]
    needs_cluster = context.settings.catalogue.index or context.settings.events.index
    cluster = context.cluster() if needs_cluster else None
    return inputs(context.settings, cluster, problems), problems


def say_skipped(problems: Problems) -> None:
    """Say on stderr how many rows were left out, and why the first one was."""
    if problems.count:
        stderr.print(problems.summary(), markup=False)
