"""What callers of the service see while OpenSearch is gone, stands still or swaps its indices."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import httpx
import pytest

from seealso.cluster import Cluster
from seealso.cluster.circuit_breaker import FAILURES, PAUSE_SECONDS
from seealso.cluster.node import Node, NodeInfo
from seealso.plugin.service.problems import LATER
from tests.integration.catalogues import OpenShop, Shop, films
from tests.integration.test_kill import own_node  # noqa: F401
from tests.members import KEY, built

DEADLINE = 3.0
"""Seconds that the service gives OpenSearch for a list."""

ASKED = {"history": ["f3", "f7"], "size": 3}

RELATED = "/v1/related/f3"


CLICK = {"events": [{"user": "u1", "item": "f5", "time": "2026-01-05T10:00:00Z"}]}


@contextmanager
def a_full_disk(shop: Shop) -> Iterator[None]:
    """Let a node think so little of its disk that it is at flood stage."""
    name = "cluster.routing.allocation.disk"
    stages = [f"{name}.watermark.{stage}" for stage in ("low", "high", "flood_stage")]
    # it looks as often as it may
    looks = {f"{name}.threshold_enabled": "true", "cluster.info.update.interval": "10s"}
    change_settings(shop, {**looks, **dict.fromkeys(stages, "9999tb")})
    wait_for_block(shop, there=True)
    try:
        yield
    finally:
        change_settings(shop, dict.fromkeys(stages))
        wait_for_block(shop, there=False)
        change_settings(shop, dict.fromkeys(looks))


def change_settings(shop: Shop, settings: Mapping[str, str | None]) -> None:
    shop.cluster.request("PUT", "/_cluster/settings", {"persistent": settings})


def wait_for_block(shop: Shop, *, there: bool) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        blocked = shop.cluster.request("GET", "/_cluster/state/blocks")["blocks"]
        # of the indices, and of new ones
        if {*blocked} == ({"global", "indices"} if there else set()):
            return
        time.sleep(0.5)
    pytest.fail("the block did not change")


@contextmanager
def serving(shop: Shop) -> Iterator[httpx.Client]:
    """Run the service of a shop, and ask it."""
    process = shop.start("serve", "--port", "0", cluster={"deadline": DEADLINE})
    assert process.stderr is not None
    first = process.stderr.readline()
    assert first.startswith("listening on "), first + process.stderr.read()
    address = first.removeprefix("listening on ").split(",")[0]
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        _, complaint = process.communicate(timeout=60)
        assert "Traceback" not in complaint


def answers(client: httpx.Client) -> bool:
    """Tell whether a list comes; what comes instead is a problem to come back after."""
    started = time.monotonic()
    found = client.post(RELATED, json={"size": 3})
    # a busy machine adds to it; without a deadline it would be half a minute and more
    assert time.monotonic() - started < 5 * DEADLINE
    if found.status_code == 200:
        assert len(found.json()["items"]) == 3
        return True
    assert found.status_code == 503, found.text
    assert found.headers["retry-after"]
    assert found.json()["code"] in ("Unavailable", "PartialAnswer")
    # the service itself is well, and says that it cannot answer
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    return False


def is_refused_at_once(client: httpx.Client) -> bool:
    """Tell whether nobody waits any more for what will not come, but for one who tries."""
    for _ in range(3):
        started = time.monotonic()
        found = client.post(RELATED)
        if f"did not answer {FAILURES} times in a row" in found.json()["detail"]:
            assert found.status_code == 503
            assert 1 <= int(found.headers["retry-after"]) <= PAUSE_SECONDS
            return time.monotonic() - started < DEADLINE
    return False


def stands_in_for_a_list(client: httpx.Client) -> None:
    """Check that users get the last popular list, marked so, and an error where it cannot do."""
    found = client.post("/v1/recommend", json={**ASKED, "exclude": ["f1"], "fields": ["title"]})
    assert found.status_code == 200, found.text
    assert found.json()["degraded"].startswith("OpenSearch does not answer: the popular list of")
    items = found.json()["items"]
    assert len(items) == 3
    assert not {"f1", "f3", "f7"} & {one["item_id"] for one in items}
    assert {one["probability"] for one in items} == {None}
    assert [*items[0]["fields"]] == ["title"]
    users = [{"history": ["f2"]}, "u1"]
    batch = client.post("/v1/recommend/batch", json={"users": users, "size": 30}).json()["lists"]
    assert [len(one["items"]) for one in batch] == [29, 30]
    assert batch[1]["user_id"] == "u1"
    assert "only 29 items" in batch[0]["degraded"]
    popular = client.post("/v1/popular", json={"size": 2, "exclude": ["f1"]}).json()
    assert popular["degraded"].startswith("OpenSearch does not answer")
    assert len(popular["items"]) == 2
    assert 'seealso_degraded_total{why="unavailable"} 4.0' in client.get("/metrics").text
    assert client.post("/v1/recommend", json={**ASKED, "size": -1}).status_code == 422
    for more in ({"filters": {"term": {"title": "x"}}}, {"explain": True}):
        assert client.post("/v1/recommend", json={**ASKED, **more}).status_code == 503


def wait_for_answers(client: httpx.Client) -> None:
    deadline = time.monotonic() + 120
    while not answers(client):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert client.get("/readyz").status_code == 200


@pytest.mark.slow
def test_a_cluster_that_is_gone_or_stands_still_is_said_and_waited_for(
    own_node: Node,  # noqa: F811
    open_shop: OpenShop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEEALSO_USERS_KEY", KEY)
    info = own_node.start(timeout=300)
    shop = open_shop(info.url)
    shop.stock(films(30), [{"user_id": "u2", "item_id": "f9"}])
    shop.build()
    built(shop)
    with serving(shop) as client:
        assert answers(client)
        with a_full_disk(shop):
            found = client.post("/v1/events", json=CLICK)
            assert found.status_code == 503, found.text
            assert int(found.headers["retry-after"]) > 1
            # who sends events can only wait: what to do about the disk is in the log
            assert found.json()["hint"] == LATER
            assert answers(client)  # reading goes on
        assert client.post("/v1/events", json=CLICK).json()["written"] == 1
        os.kill(info.pid, signal.SIGSTOP)
        try:
            assert not answers(client)
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda _: client.post(RELATED), range(FAILURES)))
            assert is_refused_at_once(client)
            stands_in_for_a_list(client)
        finally:
            os.kill(info.pid, signal.SIGCONT)
        wait_for_answers(client)
        own_node.kill()
        assert not answers(client)
        assert own_node.start(timeout=300).url == info.url
        ready = {"wait_for_status": "yellow", "timeout": "60s"}
        Cluster(info.url).request("GET", "/_cluster/health", params=ready, timeout=70)
        wait_for_answers(client)
    shop.clear()


@pytest.mark.slow
def test_no_request_fails_while_indices_are_built_and_swapped(
    opensearch: NodeInfo, open_shop: OpenShop
) -> None:
    shop = open_shop(opensearch.url)
    shop.stock(films(60))
    shop.build()
    over = Event()

    def ask(client: httpx.Client) -> set[str]:
        indices = set()
        while not over.is_set():
            found = client.post("/v1/recommend", json=ASKED)
            assert found.status_code == 200, found.text
            indices.add(found.json()["index"])
        return indices

    with serving(shop) as client, ThreadPoolExecutor() as pool:
        asked = [pool.submit(ask, client) for _ in range(3)]
        try:
            built = [shop.build().index for _ in range(3)]
        finally:
            over.set()
        seen = set().union(*(one.result(60) for one in asked))
        assert set(built) <= seen | {shop.live}
        assert client.post("/v1/recommend", json=ASKED).json()["index"] == shop.live


def test_a_service_that_was_killed_starts_again(opensearch: NodeInfo, open_shop: OpenShop) -> None:
    shop = open_shop(opensearch.url)
    shop.stock(films(30))
    shop.build()
    process: subprocess.Popen[str] = shop.start("serve", "--port", "0")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("listening on ")
    process.kill()
    process.communicate(timeout=60)
    with serving(shop) as client:
        assert answers(client)
