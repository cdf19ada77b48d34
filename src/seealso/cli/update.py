"""``seealso index update`` and ``importance``: the live index is changed in place."""

from dataclasses import replace
from pathlib import Path

import click

from seealso.cli import tables
from seealso.cli.context import Context, pass_context
from seealso.cli.inputs import dry_run, ids_in, on_error, read_inputs, say_notes, say_skipped
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.update import MOST_DELETED, plan_update
from seealso.indexer.update import update as update_index


@click.command()
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
    ids = ids_in(delete, context.settings) if delete else []
    run = plan_update if dry_run else update_index
    report = run(
        context.cluster(),
        context.settings,
        source,
        delete=ids,
        delete_missing=delete_missing,
        most_deleted=1.0 if yes else MOST_DELETED,
    )
    if delete and not ids:
        report = replace(report, notes=(f"{delete}: names no ids", *report.notes))
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
            }
        ),
    )
    if report.refusal:
        raise report.refusal


@click.command()
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
                **tables.events(report.events),
                "would change" if dry_run else "changed": report.changed,
                "unchanged": report.unchanged,
            }
        ),
    )
