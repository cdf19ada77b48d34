"""Clusters as operators set them up: an index is built there, or the setting is named."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.indexer.update import update
from tests.integration.catalogues import OpenShop, Shop, films, views, write_lines
from tests.integration.gateways import Refusal, Request, gateway
from tests.live import START, event, forgotten
from tests.members import run

LIMIT = 100_000
"""Bytes that the gateway of these tests takes at once: what 10 MB are to a shop of a million."""

FORBIDDEN = {
    "search.allow_expensive_queries": False,
    "indices.id_field_data.enabled": False,
    "action.auto_create_index": False,
}


@contextmanager
def hardened(cluster: Cluster, settings: Mapping[str, Any]) -> Iterator[None]:
    """Change settings of the whole cluster while the block runs."""
    cluster.request("PUT", "/_cluster/settings", {"persistent": settings})
    try:
        yield
    finally:
        undone = dict.fromkeys(settings)
        cluster.request("PUT", "/_cluster/settings", {"persistent": undone})


@pytest.mark.alone
def test_an_index_is_built_where_little_is_allowed(
    opensearch: NodeInfo, open_shop: OpenShop
) -> None:
    """No scripts that rank, no ids in memory, no index by writing; two shards, a replica."""
    shop = open_shop(opensearch.url, index={"shards": 2, "replicas": 1, "verify_sample": 8})
    shop.stock(films(40), views({"f1": 5}))
    with hardened(shop.cluster, FORBIDDEN):
        report = shop.build()
        shop.stock(films(39), views({"f1": 5}))
        done = update(shop.cluster, shop.settings(), shop.inputs(), delete_missing=True)
    assert report.verification.recall is None
    assert "search.allow_expensive_queries is false" in report.verification.summary
    assert report.verification.sample == 8
    assert (done.deleted, shop.live) == (1, report.index)
    found = shop.cluster.request("GET", f"/{report.index}/_settings")[report.index]["settings"]
    assert (found["index"]["number_of_shards"], found["index"]["number_of_replicas"]) == ("2", "1")


@pytest.mark.alone
@pytest.mark.usefixtures("users_key")
def test_users_and_their_events_where_little_is_allowed(
    peopled: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    ubi, queries = f"{peopled.alias}-clicks", f"{peopled.alias}-lists"
    peopled.sections["ubi"] = {"events": ubi, "queries": queries}
    peopled.sections["users"] = {"enabled": True}
    click = {"client_id": "ann-3", "action_name": "click", "timestamp": START.isoformat()}
    clicked = {**click, "event_attributes": {"object": {"object_id": "f31"}}}
    peopled.cluster.request("POST", f"/{ubi}/_doc", clicked, {"refresh": "true"})
    file = write_lines(peopled.folder / "new.jsonl", [event("ann-3", "f30", 5)])
    try:
        with hardened(peopled.cluster, FORBIDDEN):
            for command in (
                ("users", "build"),
                ("events", "ingest", str(file)),
                ("events", "ingest", "--ubi"),
                ("users", "update"),
                ("index", "importance"),
                ("users", "neighbours", "ann-3"),
                ("recommend", "ann-3"),
            ):
                assert run(peopled, *command) == 0, (command, capsys.readouterr().err)
            capsys.readouterr()
            assert run(peopled, "users", "export", "ann-3") == 0
            kept = json.loads(capsys.readouterr().out)["documents"]
            (user,) = (found for name, (found, *_) in kept.items() if "-users-" in name)
            assert user["latest"][:2] == ["f30", "f31"]
            assert run(peopled, "users", "forget", "ann-3", "--yes") == 0
            capsys.readouterr()
            assert run(peopled, "users", "export", "ann-3") == 0
            assert json.loads(capsys.readouterr().out)["documents"] == {}
    finally:
        forgotten(peopled, ubi, queries)


def test_a_gateway_that_takes_little_and_waits_shortly(
    opensearch_latest: NodeInfo, open_shop: OpenShop
) -> None:
    """A merge goes on in the cluster when the gateway has lost its patience."""
    shop = open_shop(opensearch_latest.url, index={"bulk_bytes": LIMIT // 2})
    shop.stock(films(300))
    node = shop.cluster

    def admit(request: Request) -> Refusal | None:
        if len(request.body) > LIMIT:
            return 413, b'{"message": "Request size exceeded"}'
        if "_forcemerge" in request.target:
            node.request(
                request.method, request.target.split("?")[0], None, {"max_num_segments": 1}
            )
            return 504, b'{"message": "Gateway Timeout"}'
        return None

    with gateway(shop.url, admit) as running:
        url, shop.url = shop.url, running.url
        report = shop.build()
    shop.url = url
    assert report.verification.documents == 300
    assert max(len(request.body) for request in running.seen) > LIMIT / 4
    rows = node.request("GET", f"/_cat/segments/{report.index}", params={"format": "json"})
    assert len(rows) == 1


@pytest.mark.parametrize("name", ["events", "users"])
def test_names_that_an_operator_uses_are_not_mistaken_for_ours(
    opensearch_latest: NodeInfo, open_shop: OpenShop, name: str
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(12))
    theirs = f"{shop.alias}-{name}"
    shop.cluster.request("PUT", f"/{theirs}/_doc/1", {"user": "ann"}, {"refresh": "true"})
    try:
        assert shop.build().index == shop.live
        update(shop.cluster, shop.settings(), shop.inputs())
        assert indices.count(shop.cluster, theirs) == 1
    finally:
        indices.delete(shop.cluster, theirs)
