"""What stands in the way of `attach`: a dry run says it, and the run stops before it writes."""

import shutil
from collections.abc import Iterator, Mapping
from time import monotonic, sleep
from typing import Any

import orjson
import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError, MappingMismatch, PartialAnswer, SeeAlsoError
from seealso.indexer.attach.obstacles import fields_of
from seealso.indexer.attach.running import attach, plan_attach
from seealso.readers import Problems
from tests.integration.catalogues import OpenShop, Shop, films

FIELDS: Mapping[str, Any] = {
    "title": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
    "description": {"type": "text"},
    "stock": {"properties": {"shelf": {"type": "keyword"}}},
    "shelf": {"type": "alias", "path": "stock.shelf"},
    "kind": {"type": "keyword"},
    "price": {"type": "double"},
}

IN_PLACE = {"knn": True, "knn.derived_source.enabled": False}


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Iterator[Shop]:
    """A shop without an index of ours, and room for one of its owner's, `owned-<alias>`."""
    made = open_shop(opensearch.url)
    made.sections["catalogue"] = {"path": None, "index": made.alias}
    yield made
    indices.delete(made.cluster, owned(made))


def owned(shop: Shop) -> str:
    return f"owned-{shop.alias}"


def found(shop: Shop, settings: Mapping[str, Any], count: int = 12) -> str:
    """Make the owner's index, which `index.alias` points to."""
    name = owned(shop)
    body = {
        "settings": {"index": {"number_of_replicas": 0, **settings}},
        "mappings": {"properties": FIELDS},
        "aliases": {shop.alias: {}},
    }
    shop.cluster.request("PUT", f"/{name}", body)
    lines = b"".join(
        orjson.dumps({"index": {"_id": film.pop("item_id")}}) + b"\n" + orjson.dumps(film) + b"\n"
        for film in films(count)
    )
    shop.cluster.request("POST", f"/{name}/_bulk", lines, {"refresh": "true"})
    return name


def refused(shop: Shop, said: str, hint: str, kind: type[SeeAlsoError] = MappingMismatch) -> None:
    """See that a dry run and a run say the same, and that nothing of ours is there."""
    lines = set()
    for run in (plan, run_attach):
        with pytest.raises(kind, match=said) as told:
            run(shop)
        assert hint in (told.value.hint or "")
        lines.add(told.value.message)
    assert len(lines) == 1
    assert shop.names == []


def plan(shop: Shop) -> None:
    plan_attach(shop.cluster, shop.settings(), shop.alias, Problems("stop"))


def run_attach(shop: Shop) -> None:
    attach(shop.cluster, shop.settings(), shop.alias, Problems("stop"))


def test_the_limit_of_fields(shop: Shop) -> None:
    """OpenSearch counts 8 fields and ours make 17: one more than it may have, then as many."""
    name = found(shop, {**IN_PLACE, "mapping.total_fields.limit": 16})
    assert fields_of({"properties": FIELDS}) == 8
    refused(shop, r"would have 17 fields, and may have 16 \(index\.mapping", "--copy")
    mapped = shop.cluster.request("GET", f"/{name}/_mapping")[name]["mappings"]["properties"]
    assert set(mapped) == set(FIELDS)
    limit = {"index.mapping.total_fields.limit": 17}
    shop.cluster.request("PUT", f"/{name}/_settings", limit)
    assert attach(shop.cluster, shop.settings(), shop.alias, Problems("stop")).written == 12


def test_a_copy_has_room_for_its_fields(shop: Shop) -> None:
    found(shop, {"mapping.total_fields.limit": 8})
    report = attach(shop.cluster, shop.settings(), shop.alias, Problems("stop"))
    assert report.plan.way == "copy"
    settings = shop.cluster.request("GET", f"/{report.index}/_settings")[report.index]["settings"]
    assert settings["index"]["mapping"]["total_fields"]["limit"] == "17"


@pytest.mark.parametrize("block", ["write", "read_only"])
def test_a_blocked_index(shop: Shop, block: str) -> None:
    name = found(shop, IN_PLACE)
    shop.cluster.request("PUT", f"/{name}/_settings", {f"index.blocks.{block}": True})
    refused(shop, rf"is blocked by index\.blocks\.{block}", "lift the block: PUT")
    shop.cluster.request("PUT", f"/{name}/_settings", {f"index.blocks.{block}": None})


def test_a_copy_is_made_of_an_index_that_is_not_written_to(shop: Shop) -> None:
    name = found(shop, {})
    shop.cluster.request("PUT", f"/{name}/_settings", {"index.blocks.write": True})
    assert attach(shop.cluster, shop.settings(), shop.alias, Problems("stop")).written == 12


def test_a_closed_index(shop: Shop) -> None:
    name = found(shop, IN_PLACE)
    shop.cluster.request("POST", f"/{name}/_close")
    refused(shop, "is closed", f"POST {name}/_open")


def test_a_narrow_window(shop: Shop) -> None:
    found(shop, {"max_result_window": 100})
    refused(shop, "answers with 100 hits at most", "index.max_result_window")


def test_a_data_stream(shop: Shop) -> None:
    cluster, alias = shop.cluster, shop.alias
    template = {"index_patterns": [alias], "data_stream": {}}
    cluster.request("PUT", f"/_index_template/{alias}", template)
    cluster.request("PUT", f"/_data_stream/{alias}")
    try:
        for run in (plan, run_attach):
            with pytest.raises(ClusterError, match=f"part of the data stream {alias}"):
                run(shop)
    finally:
        cluster.request("DELETE", f"/_data_stream/{alias}")
        cluster.request("DELETE", f"/_index_template/{alias}")


def test_a_missing_shard_costs_a_copy_no_document(
    opensearch_latest: NodeInfo, open_shop: OpenShop
) -> None:
    """A second run while a shard of the original is away: the live copy stays whole."""
    made = open_shop(opensearch_latest.url)
    made.sections["catalogue"] = {"path": None, "index": made.alias}
    name = found(made, {"number_of_shards": 2}, count=40)
    try:
        report = attach(made.cluster, made.settings(), made.alias, Problems("skip"))
        lose_a_shard(opensearch_latest, made.cluster, name)
        patient = Cluster(made.url, retries=1, timeout=150)
        started = monotonic()
        for run in (plan_attach, attach):
            with pytest.raises(PartialAnswer, match="1 of 2 shards"):
                run(patient, made.settings(), name, Problems("skip"))
        # nobody waited for the shard to come back
        assert monotonic() - started < 20
        assert indices.count(made.cluster, made.alias) == 40
        assert indices.resolve_alias(made.cluster, made.alias) == [report.index]
    finally:
        indices.delete(made.cluster, name)


def lose_a_shard(node: NodeInfo, cluster: Cluster, name: str) -> None:
    """Delete the files of one of two shards, as a lost disk does: it stays unassigned."""
    cluster.request("POST", f"/{name}/_flush", params={"force": "true"})
    cluster.request("POST", f"/{name}/_close")
    uuid = cluster.request("GET", f"/{name}/_settings")[name]["settings"]["index"]["uuid"]
    (folder,) = node.data.rglob(f"indices/{uuid}/1")
    # the node may still be writing what it closes
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)
    cluster.request("POST", f"/{name}/_open", params={"wait_for_active_shards": "0"})
    deadline = monotonic() + 30
    while monotonic() < deadline:
        rows = cluster.request("GET", f"/_cat/shards/{name}", params={"format": "json"})
        if sorted(row["state"] for row in rows) == ["STARTED", "UNASSIGNED"]:
            return
        sleep(0.1)
    raise AssertionError(rows)
