"""``seealso explain``: why an item has its value for a user."""

import click

from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context, stdout
from seealso.cli.who import recommender_for, spelled, user_for, user_options
from seealso.log import stderr


@click.command(cls=Command)
@click.argument("user_id", callback=spelled)
@click.argument("item_id")
@user_options
@click.option("--show", metavar="FIELD", help="Catalogue field that names the item.")
@click.option("--most", type=click.IntRange(1), default=10, show_default=True,
              help="Number of reasons to print.")  # fmt: skip
@pass_context
def explain(
    context: Context,
    user_id: str,
    item_id: str,
    history: str | None,
    session: str | None,
    words: str,
    attributes: dict[str, str],
    show: str | None,
    most: int,
) -> None:
    """Say why ITEM_ID has its value for USER_ID.

    The shares of past events, words, attributes, importance and neighbours add up to that value.
    """
    from seealso.api.reading import item_ids

    recommender = recommender_for(context, {user_id})
    user = user_for(recommender, user_id, history, session, words, attributes)
    (chosen,) = item_ids([item_id], context.settings) or [item_id]
    found = recommender.explain(user, chosen)
    name = show or context.settings.catalogue.text[0]
    context.show(found, lambda: found.table(name, most))
    if context.json:
        return
    if found.note:
        stderr.print(found.note, style="yellow", markup=False, soft_wrap=True)
    templates = ", ".join(found.templates) or "none"
    stdout.print(
        f"path {found.path.value}, templates {templates}, index {found.index}",
        style="dim",
        soft_wrap=True,
    )
