"""``seealso index``: build, update, importance, list, verify, swap, rollback, prune."""

import click

from seealso.cli import tables
from seealso.cli.asking import confirm
from seealso.cli.build import build
from seealso.cli.context import Context, pass_context
from seealso.cli.inputs import dry_run
from seealso.cli.update import importance, update
from seealso.indexer import lifecycle
from seealso.indexer.live import live_index
from seealso.indexer.verify import EXPENSIVE, verify_again


@click.group()
def index() -> None:
    """Build, change and switch the index behind the alias."""


for command in (build, update, importance):
    index.add_command(command)


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
                    None if one.size_bytes is None else tables.size(one.size_bytes),
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
            confirm(f"Delete {names}?")
        doomed = lifecycle.prune(cluster, settings.alias, keep)
    label = "would delete" if dry_run else "deleted"
    names_shown = [one.name for one in doomed]
    context.show(
        {"deleted" if not dry_run else "would_delete": names_shown},
        lambda: tables.facts({label: names_shown or "nothing"}),
    )
