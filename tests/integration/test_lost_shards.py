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


def found_elsewhere(shop: Shop, rows: list[dict[str, object]]) -> str:
    """Write rows into an index of two shards that is not ours; return its name."""
    name = f"theirs-{shop.alias}"
    indices.create(shop.cluster, name, TWO)
    body = "".join(json.dumps(one) + "\n" for row in rows for one in ({"index": {}}, row))
    shop.cluster.request("POST", f"/{name}/_bulk", body.encode(), {"refresh": "true"})
    return name


def kept(shop: Shop) -> dict[str, int]:
    """Return how many documents each index of the alias holds, without what is lost."""
    found = shop.cluster.request("GET", f"/{shop.alias}*/_stats/docs")["indices"]
    return {name: one["primaries"]["docs"]["count"] for name, one in found.items()}


def refuse(shop: Shop, complain: Complain, lost: str, *commands: tuple[str, ...]) -> None:
    """Run commands that need the whole of `lost`: each says so, and no document comes or goes."""
    live, before = shop.live, kept(shop)
    for command in commands:
        said = complain(shop, *command)
        assert said.code == 7, (command, said)
        assert lost in said.error, (command, said)
        assert "not all of it could be read" in said.error, (command, said)
        assert "_cat/shards" in said.hint, (command, said)
    assert kept(shop) == before
    assert shop.live == live


def test_a_catalogue_in_an_index(
    opensearch_latest: NodeInfo, shop: Shop, complain: Complain
) -> None:
    name = found_elsewhere(shop, films(FILMS))
    shop.sections["catalogue"] = {"path": None, "index": name, "id": "item_id"}
    try:
        lose_a_shard(opensearch_latest, shop.cluster, name)
        refuse(
            shop,
            complain,
            name,
            ("index", "build"),
            ("index", "update"),
            ("index", "update", "--delete-missing", "--yes"),
            ("index", "update", "--delete-missing", "--yes", "--dry-run"),
        )
    finally:
        indices.delete(shop.cluster, name)


def test_events_in_an_index(opensearch_latest: NodeInfo, shop: Shop, complain: Complain) -> None:
    name = found_elsewhere(shop, choices())
    shop.sections["events"] |= {"path": None, "index": name}
    try:
        lose_a_shard(opensearch_latest, shop.cluster, name)
        refuse(
            shop,
            complain,
            name,
            ("index", "build"),
            ("index", "importance"),
            ("users", "build"),
            ("users", "update"),
        )
    finally:
        indices.delete(shop.cluster, name)


def test_items_of_ours(opensearch_latest: NodeInfo, shop: Shop, complain: Complain) -> None:
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
        ("users", "build"),
        ("users", "update"),
    )
    # written down before items and users follow: the same command goes on once the shard is back
    clicks = [event(f"ann-{n}", f"f{n}", n) for n in range(9)]
    file = write_lines(shop.folder / "clicks.jsonl", clicks)
    assert live in complain(shop, "events", "ingest", str(file)).error
    store, events = events_name(shop.alias), {"exists": {"field": "item"}}
    indices.refresh(shop.cluster, store)
    assert indices.count(shop.cluster, store, events) == 10


def test_users_of_ours(opensearch_latest: NodeInfo, shop: Shop, complain: Complain) -> None:
    (users,) = indices.standing(shop.cluster, users_alias(shop.alias))
    lose_a_shard(opensearch_latest, shop.cluster, users)
    refuse(
        shop,
        complain,
        users,
        ("users", "update"),
        ("users", "forget", "ann-3", "--yes"),
        ("users", "export", "ann-3"),
    )
