"""A cluster of three nodes, one of which dies: what has replicas goes on as if nothing were."""

import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any

import pytest

from seealso.cluster import Cluster, indices, scan
from seealso.cluster import point_in_time as points
from seealso.cluster.node import Node, NodeInfo
from seealso.config import IndexSettings
from seealso.errors import PartialAnswer, Unavailable
from seealso.indexer import build as building
from seealso.indexer.memory import plan_memory
from seealso.plugin import Recommender
from tests.integration.catalogues import OpenShop, Shop, films
from tests.nodes import node_folder

pytestmark = pytest.mark.slow

KEPT = "/_search/point_in_time/_all"

SHARDED = {"shards": 3, "replicas": 1}

ASKED = {"history": ["f1", "f5"], "words": "film 3 drama", "tail_share": 0.3, "size": 10}

Places = list[tuple[str, float]]
"""Items of a list, each with its probability."""


@dataclass(frozen=True)
class Trio:
    """Three nodes of one cluster; the second and the third manage nothing."""

    first: NodeInfo
    second: Node
    third: Node

    def whole(self, cluster: Cluster) -> None:
        """Start the second node if it is down, and wait until every shard has its copies."""
        self.second.start(timeout=180)
        params = {"wait_for_status": "green", "wait_for_nodes": "3", "timeout": "60s"}
        answer = cluster.request("GET", "/_cluster/health", params=params, timeout=70)
        assert not answer["timed_out"], answer


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def trio() -> Iterator[Trio]:
    root = node_folder()
    port = free_port()
    common = {
        "cluster.name": "trio",
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
    first = Node(root / "first", heap="512m", settings=common | manager)
    second, third = (
        Node(root / name, heap="512m", settings=common | plain(name))
        for name in ("second", "third")
    )
    every = (first, second, third)
    try:
        # all at once: the others wait for the first, and a start is mostly waiting
        with ThreadPoolExecutor() as pool:
            info, *_ = pool.map(lambda node: node.start(timeout=180), every)
        yield Trio(info, second, third)
    finally:
        for node in reversed(every):
            node.stop()
        shutil.rmtree(root, ignore_errors=True)


def plain(name: str) -> dict[str, str]:
    """Return the settings of a node that holds documents and manages nothing."""
    return {"node.name": name, "node.roles": "data,ingest"}


def fill(cluster: Cluster, name: str) -> None:
    """Make an index with 60 documents on all nodes."""
    settings = {"index": {"number_of_shards": 3, "number_of_replicas": 1}}
    indices.create(cluster, name, {"settings": settings})
    lines = b"".join(b'{"index":{"_id":"%d"}}\n{"n":%d}\n' % (n, n) for n in range(60))
    cluster.request("POST", f"/{name}/_bulk", lines, {"refresh": "true"})


def test_the_memory_of_one_machine_counts_once(trio: Trio) -> None:
    cluster = Cluster(trio.first.url)
    trio.whole(cluster)
    nodes = cluster.request("GET", "/_nodes/stats/os,jvm")["nodes"].values()
    heaps = sum(one["jvm"]["mem"]["heap_max_in_bytes"] for one in nodes)
    machine = next(iter(nodes))["os"]["mem"]["total_in_bytes"]
    planned = plan_memory(cluster, 1000, 32, IndexSettings())
    assert (len(nodes), planned.available) == (3, machine - heaps)


def test_a_node_lost_while_an_index_is_read_costs_no_document(trio: Trio, index_name: str) -> None:
    cluster = Cluster(trio.first.url)
    trio.whole(cluster)
    fill(cluster, index_name)
    try:
        trio.whole(cluster)
        found: list[str] = []
        for place, hits in enumerate(scan(cluster, index_name, batch=7)):
            found += [hit["_id"] for hit in hits]
            if place == 1:
                trio.second.kill()
        assert sorted(set(found)) == sorted(map(str, range(60)))
        assert indices.count(cluster, index_name) == 60
    finally:
        indices.delete(cluster, index_name)


def test_a_page_that_takes_longer_than_the_keep_alive(
    trio: Trio, index_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow model, a paused process: what was kept for the reader has expired."""
    cluster = Cluster(trio.first.url)
    trio.whole(cluster)
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
    trio: Trio, open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is loaded has no replicas yet; what is live has."""
    shop = open_shop(trio.first.url)
    trio.whole(shop.cluster)
    shop.stock(films(24))
    shop.sections = {**shop.sections, "index": {"alias": shop.alias, **SHARDED}}
    first = shop.build().index
    trio.whole(shop.cluster)
    recommender = Recommender(shop.cluster, shop.settings())
    before = [one.item_id for one in recommender.recommend(history=["f1"], size=5).items]
    write = building.write_catalogue

    def dies(cluster: Cluster, *arguments: Any, **options: Any) -> Any:
        trio.second.kill()
        # whoever builds is patient: for this test, less so
        return write(cluster.hurry(3.0), *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(building, "write_catalogue", dies)
        with pytest.raises((PartialAnswer, Unavailable)) as caught:
            shop.build()
    assert caught.value.hint
    assert shop.live == first
    fresh = Recommender(shop.cluster, shop.settings())
    for one in (recommender, fresh):
        assert [hit.item_id for hit in one.recommend(history=["f1"], size=5).items] == before
    trio.whole(shop.cluster)
    report = shop.build()
    assert report.resumed
    assert shop.live == report.index != first


def test_a_node_lost_while_lists_are_made_costs_no_list(trio: Trio, open_shop: OpenShop) -> None:
    shop = sharded(trio, open_shop)
    recommender = Recommender(shop.cluster, shop.settings())
    before = placed(recommender)
    lists: list[Places] = []
    over = Event()

    def ask_on() -> None:
        while not over.is_set():
            lists.append(placed(recommender))

    def wait_for(more: int) -> None:
        enough, ends = len(lists) + more, time.monotonic() + 60
        while len(lists) < enough and time.monotonic() < ends:
            time.sleep(0.05)

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask_on) for _ in range(4)]
        try:
            wait_for(10)
            trio.second.kill()
            wait_for(30)
        finally:
            over.set()
        for one in asking:
            one.result()
    assert len(lists) >= 40
    for one in lists:
        check_same(one, before)


def test_lists_from_shards_on_three_nodes_are_those_of_one_shard(
    trio: Trio, open_shop: OpenShop
) -> None:
    several = sharded(trio, open_shop)
    whole = open_shop(trio.first.url)
    whole.stock(films(120))
    whole.build()
    found, expected = (placed(Recommender(one.cluster, one.settings())) for one in (several, whole))
    check_same(found, expected)
    assert len(found) == ASKED["size"]


def sharded(trio: Trio, open_shop: OpenShop) -> Shop:
    """Return a shop whose index lies on all nodes, each shard twice."""
    shop = open_shop(trio.first.url)
    trio.whole(shop.cluster)
    shop.stock(films(120))
    shop.sections = {**shop.sections, "index": {"alias": shop.alias, **SHARDED}}
    shop.build()
    trio.whole(shop.cluster)
    return shop


def placed(recommender: Recommender) -> Places:
    """Return a list as items and their probabilities; nothing may be missing from it."""
    found = recommender.recommend(**ASKED)
    assert not found.note, found.note
    return [(one.item_id, one.probability or 0.0) for one in found]


def check_same(found: Places, expected: Places) -> None:
    """Check that a list is another one; a node that is warm adds in another order: 3e-8 apart."""
    assert [item for item, _ in found] == [item for item, _ in expected]
    assert [p for _, p in found] == pytest.approx([p for _, p in expected], abs=1e-6)
