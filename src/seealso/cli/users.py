"""``seealso users``: build, update, forget, export, neighbours."""

import os
from collections.abc import Mapping
from dataclasses import replace

import click
from rich.console import Group, RenderableType
from rich.text import Text

from seealso.cli import tables
from seealso.cli.asking import confirm
from seealso.cli.context import Context, pass_context, stdout
from seealso.cli.inputs import dry_run, on_error, say_notes, say_skipped
from seealso.cli.who import spelled
from seealso.indexer.events.ingest import add_live_events
from seealso.indexer.privacy import ForgetReport, export_user
from seealso.indexer.privacy import forget as forget_user
from seealso.indexer.users import build as building
from seealso.indexer.users.people import People, read_people
from seealso.indexer.users.unmatched import unmatched_notes
from seealso.plugin import Recommender
from seealso.plugin.users_index import UsersIndex
from seealso.readers import Problems, Pseudonyms

user_id = click.argument("user_id", callback=spelled)


@click.group()
def users() -> None:
    """Keep users in an index, under pseudonyms, beside the items.

    The key of the pseudonyms comes from the environment variable SEEALSO_USERS_KEY.
    """


@users.command()
@on_error
@dry_run
@click.option("--new-key", is_flag=True, help="The key may be another one than before.")
@pass_context
def build(context: Context, on_error: str, dry_run: bool, new_key: bool) -> None:
    """Write all users to a new index, and let the alias of the users stand for it.

    Users come from [events], their attributes from the file of [users]. A killed build is gone
    on with. The index before is deleted.
    """
    names = Pseudonyms.from_environment(os.environ)
    people, problems = read(context, on_error)
    cluster, settings = context.cluster(), context.settings
    # without a live index there is nothing to make vectors with: a dry run says so, too
    user_encoder = Recommender(cluster, settings).user_encoder()
    if dry_run:
        report = building.plan_build(cluster, settings, people, names, new_key=new_key)
    else:
        report = building.build_users(
            cluster, settings, people, names, user_encoder, new_key=new_key
        )
        add_live_events(cluster, settings, names, lambda: user_encoder)
    say_skipped(problems)
    report = replace(report, notes=unmatched_notes(cluster, settings, people))
    say_notes(report.notes)
    context.show(report, lambda: shown(report, dry_run=dry_run))


@users.command()
@on_error
@dry_run
@pass_context
def update(context: Context, on_error: str, dry_run: bool) -> None:
    """Write the users that are new or changed, and delete those that are no more."""
    names = Pseudonyms.from_environment(os.environ)
    people, problems = read(context, on_error)
    cluster, settings = context.cluster(), context.settings
    user_encoder = Recommender(cluster, settings).user_encoder()
    run = building.plan_update if dry_run else building.update_users
    report = run(cluster, settings, people, names, user_encoder)
    if not dry_run:
        add_live_events(cluster, settings, names, lambda: user_encoder)
    say_skipped(problems)
    report = replace(report, notes=unmatched_notes(cluster, settings, people))
    say_notes(report.notes)
    context.show(report, lambda: shown(report, dry_run=dry_run))


@users.command()
@user_id
@dry_run
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def forget(context: Context, user_id: str, dry_run: bool, yes: bool) -> None:
    """Delete all that is held of USER_ID, and search for it again.

    That is the document in the users index, the events of the user in the index ALIAS-events, and
    the rows in ubi_events and ubi_queries, where there are such indices.
    """
    names = Pseudonyms.from_environment(os.environ)
    cluster, settings = context.cluster(), context.settings
    found = export_user(cluster, settings, names, user_id)
    if dry_run:
        context.show(
            {"pseudonym": found.pseudonym, "would_delete": found.counts},
            lambda: _told(found.pseudonym, "would delete", found.counts),
        )
        return
    if found.documents and not yes:
        total = sum(found.counts.values())
        confirm(f"Delete what is held of this user ({total:,})?")
    done = forget_user(cluster, settings, names, user_id)
    context.show(done, lambda: _forgotten(done))


@users.command()
@user_id
@pass_context
def export(context: Context, user_id: str) -> None:
    """Print all that is held of USER_ID, as JSON."""
    names = Pseudonyms.from_environment(os.environ)
    found = export_user(context.cluster(), context.settings, names, user_id)
    Context(context.settings, json=True).show(found, Text)


@users.command()
@user_id
@click.option("--size", type=click.IntRange(1, 1000), default=10, show_default=True)
@pass_context
def neighbours(context: Context, user_id: str, size: int) -> None:
    """List the users who are most like USER_ID, by one kNN query.

    They have pseudonyms: nobody can tell from the list who they are.
    """
    names = Pseudonyms.from_environment(os.environ)
    cluster, settings = context.cluster(), context.settings
    index = UsersIndex(cluster, settings, names)
    recommender = Recommender(cluster, settings, users=index)
    found = recommender.neighbours(recommender.user(user_id), size=size)
    context.show(found, found.table)
    if not (context.json or len(found)):
        stdout.print("nobody else has a vector", style="yellow")
    if found.note and not context.json:
        stdout.print(found.note, style="yellow", markup=False)


def read(context: Context, on_error: str) -> tuple[People, Problems]:
    """Return everybody that the settings name, and what took the broken rows."""
    problems = Problems(on_error)  # type: ignore[arg-type]
    cluster = context.cluster() if context.settings.events.index else None
    return read_people(context.settings, cluster, problems), problems


def shown(report: building.UsersReport, *, dry_run: bool) -> RenderableType:
    """Return what was done, or would be, as a person reads it."""
    would = "would be " if dry_run else ""
    return tables.facts(
        {
            "index": report.index + (" (resumed)" if report.resumed else ""),
            "users": report.users,
            f"{would}written": f"{report.written:,}"
            + (f" ({report.vectorless:,} without a vector)" if report.vectorless else ""),
            "unchanged": report.unchanged,
            f"{would}deleted": report.deleted,
            "seconds": f"{report.seconds:.1f}",
        }
    )


def _forgotten(done: ForgetReport) -> RenderableType:
    facts = _told(done.pseudonym, "deleted", done.deleted)
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


def _told(pseudonym: str, what: str, counts: Mapping[str, int]) -> RenderableType:
    told = [f"{count:,} of {index}" for index, count in counts.items()]
    return tables.facts({"user": pseudonym, what: told or "nothing is held of this user"})
