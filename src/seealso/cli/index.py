"""``seealso index``: build, update, importance, list, verify, swap, rollback, prune."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seealso import api
from seealso.cli import tables
from seealso.cli.asking import confirm
from seealso.cli.built import describe_build, describe_plan
from seealso.cli.commands import CommandGroup
from seealso.cli.context import Context, pass_context
from seealso.cli.options import allow_unmatched, dry_run, on_error

if TYPE_CHECKING:
    from seealso.choices import Engine, OnError, Split
    from seealso.indexer.lifecycle import AliasMove


@click.group(cls=CommandGroup)
def index() -> None:
    """Build, change and switch the index behind the alias."""


@index.command()
@on_error
@dry_run
@click.option(
    "--no-swap",
    "swap",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Do not move the alias.",
)
@click.option(
    "--gate",
    is_flag=True,
    help="Do not go live if NDCG@10 on dev is lower than that of the live index, beyond chance.",
)
@click.option(
    "--test", "split", flag_value="test", default="dev", help="--gate: use test instead of dev."
)
@allow_unmatched
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Encode texts in this process, or by workers of Ray on all cores.",
)
@click.option(
    "--vectors",
    type=click.Path(path_type=Path, exists=True),
    help="A folder of Parquet files with vectors that Spark, say, has encoded.",
)
@pass_context
def build(
    context: Context,
    on_error: "OnError",
    dry_run: bool,
    swap: bool,
    gate: bool,
    split: "Split",
    allow_unmatched: bool,
    engine: "Engine",
    vectors: Path | None,
) -> None:
    """Build an index, verify it, and move the alias to it.

    It is built beside the live index, which is kept. It uses the bundle of [fit] if there is one
    for the model of encoder.bundle; otherwise lists are from texts alone.

    With --gate, the live index and the new one are compared by the item that each dev user chose
    next. If the new one ranks worse, with the 95 % bootstrap interval of the difference below zero,
    it is kept but does not go live, and the exit code is 9.
    """
    if split == "test" and not gate:
        raise click.UsageError("--test belongs to --gate")
    if dry_run:
        plan = api.plan_build_index(
            context.settings,
            on_error=on_error,
            swap=swap,
            gate=gate,
            split=split,
            allow_unmatched=allow_unmatched,
            engine=engine,
            vectors=vectors,
        )
        context.show(plan, lambda: tables.facts(describe_plan(plan)))
        return
    report = api.build_index(
        context.settings,
        on_error=on_error,
        swap=swap,
        gate=gate,
        split=split,
        allow_unmatched=allow_unmatched,
        engine=engine,
        vectors=vectors,
    )
    context.show(report, lambda: describe_build(report, gate))


@index.command()
@on_error
@dry_run
@click.option(
    "--items",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with only the changed items, in the catalogue's format.",
)
@click.option(
    "--delete",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the ids to delete, one on each line.",
)
@click.option(
    "--delete-missing", is_flag=True, help="Delete items that are no longer in the catalogue."
)
@click.option("--yes", is_flag=True, help="Delete even more than 5 % of the index.")
@pass_context
def update(
    context: Context,
    on_error: "OnError",
    dry_run: bool,
    items: Path | None,
    delete: Path | None,
    delete_missing: bool,
    yes: bool,
) -> None:
    """Write changed items to the live index and delete others."""
    if items and delete_missing:
        raise click.UsageError("--delete-missing needs the whole catalogue, not --items")
    run = api.plan_update_index if dry_run else api.update_index
    report = run(
        context.settings,
        on_error=on_error,
        items=items,
        delete=delete,
        delete_missing=delete_missing,
        yes=yes,
    )
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


@index.command()
@on_error
@dry_run
@pass_context
def importance(context: Context, on_error: "OnError", dry_run: bool) -> None:
    """Recompute importance from the events, without encoding anything."""
    run = api.plan_refresh_importance if dry_run else api.refresh_importance
    report = run(context.settings, on_error=on_error)
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


@index.command(name="list")
@pass_context
def list_(context: Context) -> None:
    """List the indices of the alias, oldest first."""
    found = api.list_indices(context.settings)
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

    NAME is the live index by default; any other index of `seealso index list` can be checked before
    it goes live. Checked are the number of documents, the bundle, a sample that is encoded again,
    and what the graph finds of the best items of some users of the events.
    """
    report = api.verify_index(context.settings, name)
    context.show(
        report,
        lambda: tables.facts(
            {
                "index": report.index,
                "documents": report.documents,
                "least cosine": report.least_cosine,
                "graph recall": report.graph_recall,
                **({"for users": report.user_graph_recall} if report.user_graph_recall else {}),
            }
        ),
    )


@index.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Take an index that its verification rejected, too.")
@dry_run
@pass_context
def swap(context: Context, name: str, force: bool, dry_run: bool) -> None:
    """Move the alias to the index NAME."""
    run = api.plan_swap_index if dry_run else api.swap_index
    _show_move(context, run(context.settings, name, force=force), dry_run)


@index.command()
@dry_run
@pass_context
def rollback(context: Context, dry_run: bool) -> None:
    """Move the alias back to the index that was live before."""
    run = api.plan_rollback_index if dry_run else api.rollback_index
    _show_move(context, run(context.settings), dry_run)


def _show_move(context: Context, moved: "AliasMove", dry_run: bool) -> None:
    label = "would move" if dry_run else "moved"
    text = f"{moved.alias}: {moved.before or 'nothing'} -> {moved.after}"
    context.show(moved, lambda: tables.facts({label: text}))


@index.command()
@dry_run
@click.option("--keep", type=click.IntRange(min=1), help="Indices to keep, including the live one.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@pass_context
def prune(context: Context, dry_run: bool, keep: int | None, yes: bool) -> None:
    """Delete old and half-built indices."""
    doomed = api.plan_prune_indices(context.settings, keep=keep)
    if doomed and not dry_run:
        if not yes:
            confirm(f"Delete {', '.join(one.name for one in doomed)}?")
        doomed = api.prune_indices(context.settings, keep=keep)
    names = [one.name for one in doomed]
    context.show(
        {"would_delete" if dry_run else "deleted": names},
        lambda: tables.facts({"would delete" if dry_run else "deleted": names or "nothing"}),
    )
