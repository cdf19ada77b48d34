"""Kill -9 of the indexer and of the node in mid-build: nothing is lost, the next run completes."""

import json
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import DEFAULT_VERSION, Node, NodeInfo
from seealso.indexer.build import plan
from tests.integration.catalogues import OpenShop, Shop, films
from tests.nodes import node_folder

ITEMS = 3000
SLOWLY = {"bulk_bytes": 10_000, "threads": 1}
"""Bulk bodies of a few documents each: hundreds of requests, so that there is a middle."""


def wait_for(what: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def written(shop: Shop) -> int:
    """Return how many documents the index that is being built has received."""
    unfinished = [one for one in shop.names if one != shop.live]
    if not unfinished:
        return 0
    stats = shop.cluster.request("GET", f"/{unfinished[-1]}/_stats/indexing")
    return int(stats["_all"]["primaries"]["indexing"]["index_total"])


def start_and_wait(shop: Shop) -> "subprocess.Popen[str]":
    """Start a build of the whole catalogue and return when a part of it is in."""
    shop.stock(films(ITEMS))
    process = shop.start("index", "build", index=SLOWLY)
    # the last bulk request is counted before OpenSearch has said yes to it
    wait_for(lambda: written(shop) >= 150, process)
    return process


def known_texts(shop: Shop) -> int:
    with closing(sqlite3.connect(shop.cache)) as cache:
        return int(cache.execute("SELECT count(*) FROM vectors").fetchone()[0])


@pytest.mark.slow
def test_a_killed_indexer_goes_on(
    opensearch: NodeInfo, open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(opensearch.url)
    shop.stock(films(30))
    old = shop.build().index
    process = start_and_wait(shop)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert shop.live == old
    half = shop.names[-1]
    assert indices.meta(shop.cluster, half)["state"] == "building"
    encoded = known_texts(shop)
    planned = plan(shop.cluster, shop.settings(), shop.inputs())
    assert planned.half_built == (half,)

    def refuse(*_: object) -> None:
        raise AssertionError("the model was run for a text that it had read")

    with monkeypatch.context() as patched:
        patched.setattr("seealso.encoder.encoder.Encoder._run", refuse)
        report = shop.build()
    assert report.index == half == shop.live
    assert report.resumed is True
    assert report.unchanged >= 100
    assert report.written + report.unchanged == ITEMS
    assert indices.count(shop.cluster, half) == ITEMS
    assert known_texts(shop) == encoded
    assert indices.meta(shop.cluster, half)["state"] == "ready"


def test_another_build_clears_the_killed_one(
    opensearch_latest: NodeInfo, open_shop: OpenShop
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(30))
    old = shop.build().index
    process = start_and_wait(shop)
    process.kill()
    process.communicate()
    half = shop.names[-1]
    # the same catalogue, but another graph: what is there has the wrong mapping
    shop.stock(films(200))
    report = shop.build(index={"m": 8})
    assert report.resumed is False
    assert half not in shop.names
    assert shop.names == [old, report.index]
    assert shop.live == report.index


def test_the_same_items_for_another_graph_are_not_resumed(
    opensearch_latest: NodeInfo, open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(40))

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("seealso.cluster.indices.finish_loading", interrupt)
        with pytest.raises(KeyboardInterrupt):
            shop.build()
    (half,) = shop.names
    assert shop.live is None
    with monkeypatch.context() as patched:
        patched.setattr("seealso.cluster.indices.finish_loading", interrupt)
        with pytest.raises(KeyboardInterrupt):
            shop.build()
    assert shop.names == [half]
    report = shop.build(index={"m": 8})
    assert (report.resumed, shop.names) == (False, [report.index])


@pytest.fixture
def own_node() -> Iterator[Node]:
    """A node that a test may kill."""
    root = node_folder()
    node = Node(root, version=DEFAULT_VERSION, heap="512m")
    yield node
    node.kill()
    shutil.rmtree(root)


@pytest.mark.slow
def test_a_killed_node_loses_nothing(own_node: Node, open_shop: OpenShop) -> None:
    info = own_node.start(timeout=300)
    shop = open_shop(info.url)
    shop.stock(films(30))
    old = shop.build().index
    process = start_and_wait(shop)
    own_node.kill()
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 8
    errors = [line for line in complaint.splitlines() if line.startswith("error: ")]
    assert errors == [f"error: {info.url}: OpenSearch does not answer"]
    assert own_node.start(timeout=300).url == info.url
    ready = {"wait_for_status": "yellow", "timeout": "60s"}
    Cluster(info.url).request("GET", "/_cluster/health", params=ready, timeout=70)
    assert shop.live == old
    half = shop.names[-1]
    assert indices.meta(shop.cluster, half)["state"] == "building"
    again = shop.start("--json", "index", "build")
    result, complaint = again.communicate(timeout=180)
    assert again.returncode == 0, complaint
    report = json.loads(result)
    assert (report["index"], report["resumed"]) == (half, True)
    # what the node had said yes to is still there: OpenSearch writes its log before it answers
    assert report["unchanged"] >= 100
    assert report["written"] + report["unchanged"] == ITEMS
    assert shop.live == half
    assert indices.count(shop.cluster, half) == ITEMS
    shop.clear()
