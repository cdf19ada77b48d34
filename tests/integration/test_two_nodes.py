"""A cluster of two nodes, one of which dies: what has replicas goes on as if nothing were."""

import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from seealso.cluster import Cluster, indices, scan
from seealso.cluster import point_in_time as points
from seealso.cluster.node import Node, NodeInfo
from seealso.errors import PartialAnswer, Unavailable
from seealso.indexer import build as building
from seealso.plugin import Recommender
from tests.integration.catalogues import OpenShop, films
from tests.nodes import node_folder

pytestmark = pytest.mark.slow

KEPT = "/_search/point_in_time/_all"

SHARDED = {"shards": 2, "replicas": 1}


@dataclass(frozen=True)
class Pair:
    """Two nodes of one cluster; the second manages nothing."""

    first: NodeInfo
    second: Node

    def whole(self, cluster: Cluster) -> None:
        """Start the second node if it is down, and wait until every shard has its copies."""
        self.second.start(timeout=180)
        params = {"wait_for_status": "green", "wait_for_nodes": "2", "timeout": "60s"}
        answer = cluster.request("GET", "/_cluster/health", params=params, timeout=70)
        assert not answer["timed_out"], answer


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    root = node_folder()
    port = free_port()
    common = {
        "cluster.name": "pair",
        "discovery.seed_hosts": f"127.0.0.1:{port}",
        # what was kept for a reader is gone a second after its time, not a minute, and need not
        # stay for the half minute that a point in time has while it is made
        "search.keep_alive_interval": "1s",
        "point_in_time.init.keep_alive": "1s",
    }
    manager = {
        "node.name": "first",
        "transport.port": str(port),
        "cluster.initial_cluster_manager_nodes": "first",
    }
    plain = {"node.name": "second", "node.roles": "data,ingest"}
    first = Node(root / "first", heap="512m", settings=common | manager)
    second = Node(root / "second", heap="512m", settings=common | plain)
    try:
        # both at once: the second waits for the first, and a start is mostly waiting
        with ThreadPoolExecutor() as pool:
            info, _ = pool.map(lambda node: node.start(timeout=180), (first, second))
        yield Pair(info, second)
    finally:
        second.stop()
        first.stop()
        shutil.rmtree(root, ignore_errors=True)


def fill(cluster: Cluster, name: str) -> None:
    """Make an index with 60 documents on both nodes."""
    settings = {"index": {"number_of_shards": 2, "number_of_replicas": 1}}
    indices.create(cluster, name, {"settings": settings})
    lines = b"".join(b'{"index":{"_id":"%d"}}\n{"n":%d}\n' % (n, n) for n in range(60))
    cluster.request("POST", f"/{name}/_bulk", lines, {"refresh": "true"})


def test_a_node_lost_while_an_index_is_read_costs_no_document(pair: Pair, index_name: str) -> None:
    cluster = Cluster(pair.first.url)
    pair.whole(cluster)
    fill(cluster, index_name)
    try:
        pair.whole(cluster)
        found: list[str] = []
        for place, hits in enumerate(scan(cluster, index_name, batch=7)):
            found += [hit["_id"] for hit in hits]
            if place == 1:
                pair.second.kill()
        assert sorted(set(found)) == sorted(map(str, range(60)))
        assert indices.count(cluster, index_name) == 60
    finally:
        indices.delete(cluster, index_name)


def test_a_page_that_takes_longer_than_the_keep_alive(
    pair: Pair, index_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow model, a paused process: what was kept for the reader has expired."""
    cluster = Cluster(pair.first.url)
    pair.whole(cluster)
    monkeypatch.setattr(points, "KEEP_ALIVES", ("1s",))
    fill(cluster, index_name)
    try:
        found: list[str] = []
        for place, hits in enumerate(scan(cluster, index_name, batch=7)):
            found += [hit["_id"] for hit in hits]
            if place == 1:
                while cluster.request("GET", KEPT, params={"ignore": 404}).get("pits"):
                    time.sleep(0.2)
        assert sorted(found) == sorted(map(str, range(60)))
    finally:
        indices.delete(cluster, index_name)


def test_a_node_lost_during_a_build_costs_the_build_alone(
    pair: Pair, open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is loaded has no replicas yet; what is live has."""
    shop = open_shop(pair.first.url)
    pair.whole(shop.cluster)
    shop.stock(films(24))
    shop.sections = {**shop.sections, "index": {"alias": shop.alias, **SHARDED}}
    first = shop.build().index
    pair.whole(shop.cluster)
    recommender = Recommender(shop.cluster, shop.settings())
    before = [one.item_id for one in recommender.recommend(history=["f1"], size=5).items]
    plain = building.write_catalogue

    def dies(cluster: Cluster, *arguments: Any, **options: Any) -> Any:
        pair.second.kill()
        # whoever builds is patient: for this test, less so
        return plain(cluster.hurry(3.0), *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(building, "write_catalogue", dies)
        with pytest.raises((PartialAnswer, Unavailable)) as caught:
            shop.build()
    assert caught.value.hint
    assert shop.live == first
    fresh = Recommender(shop.cluster, shop.settings())
    for one in (recommender, fresh):
        assert [hit.item_id for hit in one.recommend(history=["f1"], size=5).items] == before
    pair.whole(shop.cluster)
    report = shop.build()
    assert report.resumed
    assert shop.live == report.index != first
