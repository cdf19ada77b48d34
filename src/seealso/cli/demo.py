"""``seealso demo``: the whole product on a real catalogue, from an empty folder to a list."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from seealso import api
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context, stdout, write
from seealso.errors import DataError
from seealso.log import stderr

if TYPE_CHECKING:
    from seealso.cluster import Cluster
    from seealso.config import Settings
    from seealso.plugin import RecommendationList, Recommender
    from seealso.readers import Histories
    from seealso.types import User

REQUEST = Path(".seealso/demo/request.ndjson")
LIKED = 5


@click.command(cls=Command)
@click.option(
    "--user", "user_id", help="Whom to recommend to.  [default: the first who liked something]"
)
@click.option("--item", "item_id", help="What to show related items of.  [default: the last liked]")
@pass_context
def demo(context: Context, user_id: str | None, item_id: str | None) -> None:
    """Start the embedded node, build an index, and recommend.

    Does what `seealso build --on-error skip` does, unless what is live is up to date. The node
    keeps running afterwards (`seealso node stop` ends it).
    """
    from seealso.cluster import connect
    from seealso.plugin import Recommender
    from seealso.plugin.profiles.users import read_histories
    from seealso.readers import Problems

    settings = context.settings
    if settings.cluster.url is None:
        start_node(settings.node_root)
    if api.status(settings).next is None:
        step("what is live is up to date")
    else:
        step("building (model, behaviour and texts, index: minutes the first time)")
        step(api.build(settings, on_error="skip").fit)
    api.install_templates(settings)
    cluster = connect(settings)
    # what is left out of the events was reported already
    known = read_histories(cluster, settings, None, Problems("skip"))
    if known is None or not len(known):
        raise DataError("the demo needs events", hint="set events.path in the settings file")
    recommender = Recommender(cluster, settings, known)
    user = recommender.user(user_id) if user_id else first_with_taste(known)
    if not user.history:
        raise DataError(f"user {user.user_id!r} liked nothing", hint="choose another --user")
    show_history(cluster, recommender, user)
    found = recommender.recommend(user.user_id)
    title_field = settings.catalogue.text[0]
    write(found.table(title_field, title=f"\nRecommended to user {user.user_id}"))
    chosen = item_id or user.history[0].item_id
    related = recommender.related(chosen)
    title = titles(cluster, recommender.live.name, [chosen], settings)[chosen]
    write(related.table(title_field, title=f"\nRelated to {title}"))
    show_curl(cluster, recommender, user, found)
    if settings.service.playground:
        show_page(settings)


def start_node(root: Path) -> None:
    """Start the embedded node, and say whether it runs already."""
    from seealso.cluster.node import Node

    node = Node(root)
    running = node.status()
    # a download of its packages shows lines of its own
    step("starting OpenSearch" if running is None else f"OpenSearch runs at {running.url}")
    node.start()


def first_with_taste(known: "Histories") -> "User":
    """Return the first user, by id, who liked something."""
    for user_id in known.users():
        user = known.user(user_id)
        if user is not None and user.history:
            return user
    raise DataError(
        "no user liked anything",
        hint="lower events.positive, or check events.value in the settings",
    )


def step(text: str) -> None:
    """Say on stderr what comes next."""
    stderr.print(Text(f"· {text}", style="bold"))


def titles(cluster: "Cluster", index: str, ids: list[str], settings: "Settings") -> dict[str, str]:
    """Return the first text field of each item."""
    from seealso.cluster import fetch

    name = settings.catalogue.text[0]
    found = fetch(cluster, index, ids, source=[name])
    return {item_id: str(hit["_source"].get(name, item_id)) for item_id, hit in found.items()}


def show_history(cluster: "Cluster", recommender: "Recommender", user: "User") -> None:
    """Print what the user liked last."""
    liked = [entry.item_id for entry in user.history[:LIKED]]
    names = titles(cluster, recommender.live.name, liked, recommender.settings)
    stdout.print(Text(f"\nUser {user.user_id} liked last", style="bold"))
    for entry in user.history[:LIKED]:
        day = f"{entry.time:%Y-%m-%d}" if entry.time else ""
        line = f"  {day}  {entry.value:g}  {names.get(entry.item_id, entry.item_id)}"
        stdout.print(Text(line))


def show_curl(
    cluster: "Cluster", recommender: "Recommender", user: "User", found: "RecommendationList"
) -> None:
    """Print the line that gets the same items without this package, after trying it."""
    body = recommender.stored_request(user)
    REQUEST.parent.mkdir(parents=True, exist_ok=True)
    REQUEST.write_bytes(body)
    answer = cluster.request("POST", "/_msearch/template", body)
    got = [hit["_id"] for one in answer["responses"] for hit in one["hits"]["hits"]]
    if missing := [item_id for item_id in found.ids if item_id not in got]:
        raise DataError(f"the stored templates do not give {', '.join(missing)}")
    stdout.print(Text("\nThe same from the cluster alone, by its stored templates", style="bold"))
    click.echo(
        f"  curl -s -H 'Content-Type: application/x-ndjson' --data-binary @{REQUEST} \\\n"
        f"    '{cluster.url}/_msearch/template?filter_path=responses.hits.hits._id,"
        "responses.hits.hits._score'"
    )
    searches = len(answer["responses"])
    note = "in order" if searches == 1 else f"from {searches} searches that the list above merges"
    stdout.print(Text(f"  (tried just now: the same items, {note})", style="dim"))


def show_page(settings: "Settings") -> None:
    """Print where lists can be looked at, once the service runs."""
    host, port = settings.service.host, settings.service.port
    stdout.print(Text("\nTo look at lists in a browser, with sliders and reasons", style="bold"))
    stdout.print(Text("  make serve          or: seealso serve, with the same settings"))
    stdout.print(Text(f"  http://{host}:{port}/"))
