"""``seealso demo``: the whole product on a real catalogue, from an empty folder to a list."""

from pathlib import Path

import click
from rich.text import Text

from seealso.api.reading import say_losses
from seealso.cli.context import Context, pass_context, stdout, write
from seealso.cluster import Cluster, connect, fetch
from seealso.cluster.node import Node
from seealso.config import Settings
from seealso.encoder import BundleStore
from seealso.errors import BundleError, DataError
from seealso.indexer.build import build
from seealso.indexer.inputs import inputs
from seealso.indexer.templates import install
from seealso.log import progress, stderr
from seealso.plugin import RecommendationList, Recommender
from seealso.plugin.profiles.users import read_histories
from seealso.readers import Histories, Problems
from seealso.training import WHEEL_SOURCE, export_new, load_backbone
from seealso.types import User

REQUEST = Path(".seealso/demo/request.ndjson")
LIKED = 5


@click.command()
@click.option(
    "--user", "user_id", help="Whom to recommend to.  [default: the first who liked something]"
)
@click.option("--item", "item_id", help="What to show related items of.  [default: the last liked]")
@pass_context
def demo(context: Context, user_id: str | None, item_id: str | None) -> None:
    """Start the embedded node, build an index, and recommend.

    It can be run again; the node keeps running afterwards (`seealso node stop` ends it).
    """
    settings = context.settings
    step("starting OpenSearch (the first time, its packages are downloaded)")
    cluster = connect_or_start(settings)
    ensure_bundle(settings)
    step("building the index")
    build(cluster, settings, inputs(settings, cluster, Problems("skip")))
    install(cluster)
    problems = Problems("skip")
    known = read_histories(cluster, settings, None, problems)
    say_losses(problems)
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


def first_with_taste(known: Histories) -> User:
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


def connect_or_start(settings: Settings) -> Cluster:
    """Return the cluster of the settings, or the embedded node, started where it does not run."""
    if settings.cluster.url is None:
        Node(settings.node_root).start()
    return connect(settings)


def ensure_bundle(settings: Settings) -> None:
    """Export the default model where the bundle of the settings is not there yet."""
    store = BundleStore(settings.encoder.store)
    try:
        store.find(settings.encoder.bundle)
    except BundleError:
        step(f"exporting {WHEEL_SOURCE} to ONNX, and comparing it with torch")
        with progress("exporting", 3) as tick:
            backbone = load_backbone(WHEEL_SOURCE, pooling="auto", max_length=None)
            export_new(backbone, settings.encoder.bundle, store, tick=tick)


def titles(cluster: Cluster, index: str, ids: list[str], settings: Settings) -> dict[str, str]:
    """Return the first text field of each item."""
    name = settings.catalogue.text[0]
    found = fetch(cluster, index, ids, source=[name])
    return {item_id: str(hit["_source"].get(name, item_id)) for item_id, hit in found.items()}


def show_history(cluster: Cluster, recommender: Recommender, user: User) -> None:
    """Print what the user liked last."""
    liked = [entry.item_id for entry in user.history[:LIKED]]
    names = titles(cluster, recommender.live.name, liked, recommender.settings)
    stdout.print(Text(f"\nUser {user.user_id} liked last", style="bold"))
    for entry in user.history[:LIKED]:
        day = f"{entry.time:%Y-%m-%d}" if entry.time else ""
        line = f"  {day}  {entry.value:g}  {names.get(entry.item_id, entry.item_id)}"
        stdout.print(Text(line))


def show_curl(
    cluster: Cluster, recommender: Recommender, user: User, found: RecommendationList
) -> None:
    """Print the line that gets the same items without this package, after trying it."""
    body = recommender.stored_request(user)
    REQUEST.parent.mkdir(parents=True, exist_ok=True)
    REQUEST.write_bytes(body)
    answer = cluster.request("POST", "/_msearch/template", body)
    got = [hit["_id"] for one in answer["responses"] for hit in one["hits"]["hits"]]
    if missing := [item_id for item_id in found.ids if item_id not in got]:
        raise DataError(f"the stored templates do not give {', '.join(missing)}")
    places = [str(place) for place, item in enumerate(found, 1) if item.source.value == "tail"]
    stdout.print(Text("\nThe same from the cluster alone, by its stored templates", style="bold"))
    click.echo(
        f"  curl -s -H 'Content-Type: application/x-ndjson' --data-binary @{REQUEST} \\\n"
        f"    '{cluster.url}/_msearch/template?filter_path=responses.hits.hits._id,"
        "responses.hits.hits._score'"
    )
    note = f"places {' and '.join(places)} come from the second list" if places else "in order"
    stdout.print(Text(f"  (tried just now: the same items; {note})", style="dim"))
