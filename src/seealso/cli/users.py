"""``seealso users``: build, update, forget, export, neighbours."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.text import Text

from seealso import api
from seealso.cli import tables
from seealso.cli.asking import confirm
from seealso.cli.commands import CommandGroup
from seealso.cli.context import Context, pass_context, stdout
from seealso.cli.options import dry_run, on_error
from seealso.cli.who import spelled
from seealso.log import stderr

if TYPE_CHECKING:
    from seealso.choices import OnError
    from seealso.indexer.privacy import ForgetReport
    from seealso.indexer.users.build import UsersReport

user_id = click.argument("user_id", callback=spelled)


@click.group(cls=CommandGroup)
def users() -> None:
    """Store users in an index under pseudonyms.

    The key of the pseudonyms comes from the environment variable SEEALSO_USERS_KEY.
    """


@users.command()
@on_error
@dry_run
@click.option("--new-key", is_flag=True, help="Allow another key than before.")
@pass_context
def build(context: Context, on_error: "OnError", dry_run: bool, new_key: bool) -> None:
    """Write all users to a new index, and move their alias to it.

    Users come from [events], their attributes from the file of [users]. A killed build is continued
    by the next one. The old index is deleted.
    """
    run = api.plan_build_users if dry_run else api.build_users
    report = run(context.settings, on_error=on_error, new_key=new_key)
    context.show(report, lambda: describe_written(report, dry_run=dry_run))


@users.command()
@on_error
@dry_run
@pass_context
def update(context: Context, on_error: "OnError", dry_run: bool) -> None:
    """Write new and changed users, and delete missing ones."""
    run = api.plan_update_users if dry_run else api.update_users
    report = run(context.settings, on_error=on_error)
    context.show(report, lambda: describe_written(report, dry_run=dry_run))


@users.command()
@user_id
@dry_run
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@pass_context
def forget(context: Context, user_id: str, dry_run: bool, yes: bool) -> None:
    """Delete all data of USER_ID, and search for it again.

    That is the document in the users index, the events of the user in the index ALIAS-events, and
    the rows in ubi_events and ubi_queries, if these indices exist.
    """
    found = api.plan_forget_user(context.settings, user_id)
    if dry_run:
        context.show(
            {"pseudonym": found.pseudonym, "would_delete": found.counts},
            lambda: _counts(found.pseudonym, "would delete", found.counts),
        )
        return
    if found.documents and not yes:
        total = sum(found.counts.values())
        confirm(f"Delete what is stored about this user ({total:,})?")
    done = api.forget_user(context.settings, user_id)
    context.show(done, lambda: _forgotten(done))


@users.command()
@user_id
@pass_context
def export(context: Context, user_id: str) -> None:
    """Print all stored data of USER_ID, as JSON."""
    replace(context, json=True).show(api.export_user(context.settings, user_id), Text)


@users.command()
@user_id
@click.option(
    "--size", type=click.IntRange(1, 1000), default=10, show_default=True, help="Users to list."
)
@pass_context
def neighbours(context: Context, user_id: str, size: int) -> None:
    """List the users who are most similar to USER_ID.

    It takes one kNN query. Users are listed by pseudonyms, so nobody can find out from the list who
    they are.
    """
    found = api.list_neighbours(context.settings, user_id, size=size)
    context.show(found, found.table)
    if not (context.json or len(found)):
        stdout.print("no other user has a vector", style="yellow")
    if found.note and not context.json:
        stderr.print(found.note, style="yellow", markup=False, soft_wrap=True)


def describe_written(report: "UsersReport", *, dry_run: bool = False) -> RenderableType:
    """Return what was written to the users index, or would be."""
    would = "would be " if dry_run else ""
    return tables.facts(
        {
            "index": report.index + (" (resumed)" if report.resumed else ""),
            "users": report.users,
            f"{would}written": f"{report.written:,}"
            + (f" ({report.vectorless:,} without a vector)" if report.vectorless else ""),
            "unchanged": report.unchanged,
            f"{would}deleted": report.deleted,
            **_graph(report.graph_recall),
            "seconds": f"{report.seconds:.1f}",
        }
    )


def _graph(recall: float | None) -> dict[str, object]:
    return {} if recall is None else {"graph recall": f"{recall:.2f}"}


def _forgotten(done: "ForgetReport") -> RenderableType:
    facts = _counts(done.pseudonym, "deleted", done.deleted)
    if not done.remains:
        return facts
    names = ", ".join(done.remains)
    return Group(
        facts,
        Text(
            f"note: delete the user from {names} as well: the next build or update reads it again",
            style="yellow",
        ),
    )


def _counts(pseudonym: str, what: str, counts: Mapping[str, int]) -> RenderableType:
    found = [f"{count:,} of {index}" for index, count in counts.items()]
    return tables.facts({"user": pseudonym, what: found or "nothing is stored about this user"})
