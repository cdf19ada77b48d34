"""Commands that print lists: ``recommend`` and its kin, ``related``, ``popular``, ``rank``."""

from pathlib import Path
from typing import TYPE_CHECKING, Unpack, get_args

import click

from seealso.choices import SeenRule, StrategyName
from seealso.cli import tables
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.cli.lists import (
    item_options,
    list_options,
    print_list,
    print_plan,
    print_with_reasons,
    show,
    user_list_options,
)
from seealso.cli.nothing_left import nothing_left
from seealso.cli.options import no_stream
from seealso.cli.who import (
    all_spelled,
    name_values,
    recommender_for,
    require_anybody,
    spelled,
    split_ids,
    user_for,
    user_options,
)
from seealso.decoding import open_utf8
from seealso.log import progress, say
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.plugin.groups.options import GroupListOptions
    from seealso.plugin.ranking.options import ListOptions, PopularOptions, UserListOptions


@click.command(cls=Command)
@click.argument("user_id", required=False, callback=spelled)
@user_options
@user_list_options
@show
@click.option("--explain", is_flag=True, help="Print below the list why each item is in it.")
@click.option(
    "--dry-run", is_flag=True, help="Print the searches that would be sent; rank nothing."
)
@pass_context
def recommend(
    context: Context,
    user_id: str | None,
    history: str | None,
    session: str | None,
    words: str,
    attributes: dict[str, str],
    show: str | None,
    explain: bool,
    dry_run: bool,
    **options: "Unpack[UserListOptions]",
) -> None:
    """Recommend items to a user.

    Give the id of the user, a history, what the user looks at now, words or attributes, or several
    of these.
    """
    require_anybody(user_id, history, session, words, attributes)
    recommender = recommender_for(context, {user_id} if user_id else ())
    user = user_for(recommender, user_id, history, session, words, attributes)
    if dry_run:
        print_plan(context, recommender.plan_recommend(user, **options))
        return
    (found,) = recommender.recommend_batch([user], **options)
    if explain and (len(found) or context.json):
        print_with_reasons(context, found, recommender.reasons(user, found.ids), show)
        return
    left_out = f"{len(user.seen):,} seen" if user.seen else ""
    print_list(context, found, show, lambda: nothing_left(recommender, left_out, options))


@click.command("recommend-group", cls=Command)
@click.argument("members", nargs=-1, metavar="GROUP | USER_ID...", callback=all_spelled)
@click.option("--words", default="", help="The group's own words.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    callback=name_values,
    help="An attribute of the group, which counts as one more member; may be repeated.",
)
@click.option(
    "--strategy",
    type=click.Choice(get_args(StrategyName)),
    help="How the members' preferences become one order.",
)
@click.option(
    "--seen",
    type=click.Choice(get_args(SeenRule)),
    help="Whose seen items are left out of the list.",
)
@click.option(
    "--own-weight",
    type=float,
    help="What a known group's own history weighs beside its members, from 0 to 1.",
)
@user_list_options
@show
@pass_context
def recommend_group(
    context: Context,
    members: tuple[str, ...],
    words: str,
    attributes: dict[str, str],
    show: str | None,
    **options: "Unpack[GroupListOptions]",
) -> None:
    """Recommend one list of items to several people.

    Give the id of a group of [groups], whose own history counts as well; the ids of its members; or
    --words and --attribute for a group whose members are not known.
    """
    if not (members or words or attributes):
        raise click.UsageError("who is it for? Give GROUP, USER_ID..., --words or --attribute")
    recommender = recommender_for(context, set(members))
    found = recommender.recommend_group(members, words=words, attributes=attributes, **options)
    print_list(
        context,
        found,
        show,
        lambda: nothing_left(recommender, "what they saw", options),
    )


@click.command("recommend-batch", cls=Command)
@click.argument(
    "users",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    callback=no_stream,
)
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), callback=no_stream)
@user_list_options
@pass_context
def recommend_batch(
    context: Context,
    users: Path,
    out: Path,
    **options: "Unpack[UserListOptions]",
) -> None:
    """Write a list for each user of the file USERS to OUT.

    A line of USERS is a user id, or a JSON object with user_id, history, session, words and
    attributes. OUT gets one list on each line, as JSON. To continue a run that was killed, give the
    same command again.
    """
    from seealso.plugin.batch import recommend_file
    from seealso.plugin.ranking.options import RecommendOptions
    from seealso.readers.files.lines import number_lines

    recommender = recommender_for(context, users=None)
    options["fields"] = ()
    chosen = RecommendOptions(**options)
    with users.open("rb") as raw, open_utf8(raw)[0] as lines:
        total = sum(1 for _, line in number_lines(lines) if line and line.strip())
    if not total:
        say(f"note: {users} names no user: {out} gets no list")
    with progress("recommending", total) as tick:
        report = recommend_file(recommender, users, out, chosen, tick)
    if report.by_importance:
        say(
            f"note: nothing is known about {report.by_importance:,} of "
            f"{format_count(report.users, 'user')}, who get lists by importance alone: are the ids "
            f"of {users} those of the events?"
        )
    context.show(
        report,
        lambda: tables.facts(
            {
                "users": report.users,
                "of an earlier run": report.resumed,
                "made again for the blocklist": report.renewed,
                "by importance alone": report.by_importance,
                "without an item": report.empty,
                "written to": report.out,
            }
        ),
    )


@click.command(cls=Command)
@click.argument("item_id")
@list_options
@show
@pass_context
def related(
    context: Context,
    item_id: str,
    show: str | None,
    **options: "Unpack[ListOptions]",
) -> None:
    """List the items that are most related to ITEM_ID."""
    from seealso.api.reading import item_ids

    # no user is looked up: neither events nor the users index are read
    recommender = recommender_for(context, users=())
    item = (item_ids([item_id], context.settings) or [item_id])[0]
    found = recommender.related(item, **options)
    print_list(
        context,
        found,
        show,
        lambda: nothing_left(recommender, f"{item} itself", options),
    )


@click.command(cls=Command)
@item_options
@show
@pass_context
def popular(context: Context, show: str | None, **options: "Unpack[PopularOptions]") -> None:
    """List the most important items, for nobody in particular."""
    # no user is looked up: neither events nor the users index are read
    recommender = recommender_for(context, users=())
    found = recommender.popular(**options)
    print_list(context, found, show, lambda: nothing_left(recommender, "", options))


@click.command(cls=Command)
@click.argument("user_id", required=False, callback=spelled)
@click.option(
    "--items",
    "item_ids",
    required=True,
    help="Ids of the items, separated by commas, as for --history.",
)
@user_options
@show
@pass_context
def rank(
    context: Context,
    user_id: str | None,
    item_ids: str,
    history: str | None,
    session: str | None,
    words: str,
    attributes: dict[str, str],
    show: str | None,
) -> None:
    """Bring items into the order of a user.

    Seen items stay, and rules change nothing. Items that the index does not hold, or that the user
    must not be shown, are named.
    """
    require_anybody(user_id, history, session, words, attributes)
    recommender = recommender_for(context, {user_id} if user_id else ())
    user = user_for(recommender, user_id, history, session, words, attributes)
    found = recommender.rank(user, split_ids("--items", item_ids, context.settings) or [])
    print_list(context, found, show, lambda: "none of these items has a place in the order")
    if not context.json:
        for what, ids in {"not in the index": found.unknown, "blocked": found.blocked}.items():
            if ids:
                say(f"note: {what}: {', '.join(ids)}")
