"""``seealso personalise``."""

from typing import BinaryIO

import click
import orjson

from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.cli.options import read_json
from seealso.cli.who import recommender_for, require_anybody, spelled, user_for, user_options
from seealso.log import stderr

BODY = 'write a search body, for instance {"query": {"match": {"title": "tent"}}}'


@click.command(cls=Command)
@click.argument("user_id", required=False, callback=spelled)
@click.option(
    "--body",
    type=click.File("rb"),
    required=True,
    help="A JSON file with the search body; - for standard input.",
)
@user_options
@click.option("--weight", type=float, help="How much the preference counts.")
@click.option(
    "--window", type=int, help="Rerank only this many of the best hits, with a rescore clause."
)
@click.option("--send", is_flag=True, help="Send the body to index.alias and print the answer.")
@pass_context
def personalise(
    context: Context,
    user_id: str | None,
    body: BinaryIO,
    history: str | None,
    session: str | None,
    words: str,
    attributes: dict[str, str],
    weight: float | None,
    window: int | None,
    send: bool,
) -> None:
    """Add a user's preference to the scores of a search.

    The new body is printed. Hits, aggregations, highlights, sorting and the rest stay the same;
    only the score of each hit changes. For an unknown user the body is printed unchanged.
    """
    require_anybody(user_id, history, session, words, attributes)
    recommender = recommender_for(context, {user_id} if user_id else ())
    user = user_for(recommender, user_id, history, session, words, attributes)
    search_body = read_json(body, BODY)
    changed = recommender.personalise(search_body, user, weight=weight, window=window)
    if changed == search_body:
        stderr.print("nothing is known about the user: the body is unchanged", style="yellow")
    if send:
        changed = recommender.search(search_body, user, weight=weight, window=window)
    click.echo(orjson.dumps(changed))
