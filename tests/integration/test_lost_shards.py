"""Half of an index is gone: nobody concludes anything from the other half, whatever is asked."""

import json
from collections.abc import Iterator

import pytest

from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.indexer.events.store import events_name
from seealso.indexer.users.live import user_indices
from seealso.indexer.users.mapping import users_alias
from tests.faults import lose_a_shard
from tests.integration.catalogues import OpenShop, Shop, films, write_lines
from tests.integration.complaints import Complain
from tests.live import event, forgotten, ingested
from tests.members import FILMS, built, choices

TWO = {"settings": {"number_of_shards": 2, "number_of_replicas": 0}}


@pytest.fixture
def shop(opensearch_latest: NodeInfo, open_shop: OpenShop, users_key: None) -> Iterator[Shop]:
    """Items and users in two shards each, and an event that was taken in."""
    made = open_shop(
        opensearch_latest.url,
        events={"time": "day", "type": "kind"},
        index={"shards": 2},
        users={"enabled": True},
    )
    made.stock(films(FILMS), choices())
    made.build()
    built(made)
    ingested(made, [event("ann-3", "f1")])
    yield made
    forgotten(made, *(one.name for one in user_indices(made.cluster, made.settings())))


def found_elsewhere(shop: Shop, name: str, rows: list[dict[str, object]]) -> str:
    """Write rows into an index of two shards that is not ours; return its name."""
    name = f"{name}-{shop.alias}"
    indices.create(shop.cluster, name, TWO)
    body = "".join(json.dumps(one) + "\n" for row in rows for one in ({"index": {}}, row))
    shop.cluster.request("POST", f"/{name}/_bulk", body.encode(), {"refresh": "true"})
    return name


def kept(shop: Shop) -> dict[str, int]:
    """Return how many documents each index of the alias holds, without what is lost."""
    found = shop.cluster.request("GET", f"/{shop.alias}*/_stats/docs")["indices"]
    return {name: one["primaries"]["docs"]["count"] for name, one in found.items()}


def users_index(shop: Shop) -> list[str]:
    """Return what the alias of the users points to."""
    return indices.resolve_alias(shop.cluster, users_alias(shop.alias))


def refuse(shop: Shop, complain: Complain, lost: str, *commands: tuple[str, ...]) -> None:
    """Run commands that need the whole of `lost`: each says so, and no document comes or goes.

    What was begun may stand beside, in the state ``building``: the same command continues it.
    """
    live, users, before = shop.live, users_index(shop), kept(shop)
    for command in commands:
        said = complain(shop, *command)
        assert said.code == 7, (command, said)
        assert lost in said.error, (command, said)
        assert "not all of it could be read" in said.error, (command, said)
        assert "_cat/shards" in said.hint, (command, said)
    assert kept(shop).items() >= before.items()
    assert users_index(shop) == users
    assert shop.live == live


def test_a_catalogue_and_events_in_indices(
    opensearch_latest: NodeInfo, shop: Shop, complain: Complain
) -> None:
    stock = found_elsewhere(shop, "stock", films(FILMS))
    log = found_elsewhere(shop, "log", choices())
    files = {**shop.sections}
    try:
        for name in (stock, log):
            lose_a_shard(opensearch_latest, shop.cluster, name)
        shop.sections["catalogue"] = {"path": None, "index": stock, "id": "item_id"}
        refuse(
            shop,
            complain,
            stock,
            ("index", "build"),
            ("index", "update"),
            ("index", "update", "--delete-missing", "--yes"),
            ("index", "update", "--delete-missing", "--yes", "--dry-run"),
        )
        shop.sections = {**files, "events": {**files["events"], "path": None, "index": log}}
        refuse(
            shop,
            complain,
            log,
            ("index", "build"),
            ("index", "importance"),
            ("users", "build"),
            ("users", "update"),
        )
    finally:
        indices.delete(shop.cluster, stock)
        indices.delete(shop.cluster, log)


def test_items_and_users_of_ours(
    opensearch_latest: NodeInfo, shop: Shop, complain: Complain
) -> None:
    live = shop.live
    assert live is not None
    lose_a_shard(opensearch_latest, shop.cluster, live)
    refuse(
        shop,
        complain,
        live,
        ("index", "update"),
        ("index", "update", "--delete-missing", "--yes"),
        ("index", "importance"),
        # a vector of half a history would stay
        ("users", "build"),
    )
    # written down before items and users follow: the same command goes on once the shard is back
    clicks = [event(f"ann-{n}", f"f{n}", n) for n in range(9)]
    file = write_lines(shop.folder / "clicks.jsonl", clicks)
    assert live in complain(shop, "events", "ingest", str(file)).error
    store, events = events_name(shop.alias), {"exists": {"field": "item"}}
    indices.refresh(shop.cluster, store)
    assert indices.count(shop.cluster, store, events) == 10
    (users,) = users_index(shop)
    lose_a_shard(opensearch_latest, shop.cluster, users)
    refuse(
        shop,
        complain,
        users,
        ("users", "update"),
        ("users", "forget", "ann-3", "--yes"),
        ("users", "export", "ann-3"),
    )
