"""Several workers of the service: one socket, one model in memory, one account of what they did."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from seealso.cluster.node import Node, NodeInfo
from tests.integration.catalogues import OpenShop, Shop, films
from tests.integration.test_kill import own_node  # noqa: F401

WORKERS = 2
BODY = {"history": ["f3", "f7"], "words": "an old film", "size": 3}


@contextmanager
def serving(shop: Shop) -> Iterator[tuple[str, psutil.Process, list[str]]]:
    """Run the service of a shop with several workers.

    Yield its address, its parent, and what will be its log once it has ended.
    """
    process = shop.start("serve", "--port", "0", "--workers", str(WORKERS))
    assert process.stderr is not None
    first = process.stderr.readline()
    assert first.startswith("listening on "), first + process.stderr.read()
    parent = psutil.Process(process.pid)
    log: list[str] = []
    try:
        yield first.removeprefix("listening on ").split(",")[0], parent, log
        alive = parent.children(recursive=True)
    finally:
        process.send_signal(signal.SIGTERM)
        _, complaint = process.communicate(timeout=60)
        log += complaint.splitlines()
    assert "Traceback" not in complaint
    assert process.returncode == 0
    assert psutil.wait_procs(alive, timeout=30)[1] == []


def workers(parent: psutil.Process) -> list[psutil.Process]:
    """Return the processes that answer."""
    found = parent.children()
    return [one for one in found if "spawn_main" in " ".join(one.cmdline())]


def wait_for_workers(parent: psutil.Process, address: str, beside: int = 0) -> list[psutil.Process]:
    """Return all workers once each of them can answer."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        with suppress(httpx.TransportError, psutil.Error, OSError):
            found = [one for one in workers(parent) if one.pid != beside]
            httpx.get(f"{address}/healthz", timeout=60).raise_for_status()
            # each holds the model once it serves
            if len([one for one in found if mapped(one.pid)]) == WORKERS:
                return found
        time.sleep(0.1)
    pytest.fail(f"no {WORKERS} workers: {[(one.pid, one.cmdline()) for one in parent.children()]}")


def mapped(pid: int) -> Counter[str]:
    """Return what a process has of the shared weights in memory, in KiB."""
    sizes: Counter[str] = Counter()
    inside = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        name, *values = line.split()
        if not name.endswith(":"):
            inside = bool(values) and values[-1].endswith("/weights")
        elif inside and values[-1] == "kB":
            sizes[name.rstrip(":")] += int(values[0])
    return +sizes


def ask(address: str) -> int:
    """Ask over a connection of its own: any worker may take it."""
    return httpx.post(f"{address}/v1/recommend", json=BODY, timeout=60).status_code


@pytest.mark.slow
def test_workers_share_a_model_and_what_they_count_and_one_that_is_killed_is_replaced(
    opensearch: NodeInfo, open_shop: OpenShop
) -> None:
    shop = open_shop(opensearch.url)
    shop.stock(films(30))
    shop.build()
    with serving(shop) as (address, parent, log):
        both = wait_for_workers(parent, address)
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(ask, [address] * 40)) == {200}
        for worker in both:
            sizes = mapped(worker.pid)
            assert sizes["Rss"] > 0
            assert sizes["Anonymous"] == 0  # a page of its own would be one that it wrote
        # whoever answers tells of all
        for _ in range(5):
            told = httpx.get(f"{address}/metrics").text
            assert 'seealso_request_seconds_count{code="200",endpoint="/v1/recommend"} 40.0' in told
            assert f'index="{shop.live}"' in told

        os.kill(both[0].pid, signal.SIGKILL)
        # the other one answers meanwhile; what the killed one had taken breaks off, and that is all
        for _ in range(20):
            with suppress(httpx.TransportError):
                assert ask(address) == 200
        after = wait_for_workers(parent, address, beside=both[0].pid)
        assert both[1] in after
        assert {ask(address) for _ in range(10)} == {200}
        (successor,) = [one.pid for one in after if one.pid != both[1].pid]
    (died,) = [line for line in log if "SIGKILL" in line]
    assert died.startswith(f"note: worker {both[0].pid} was ended by SIGKILL: ")
    assert died.endswith(f"; {successor} is in its place")


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them_and_its_folders_with_the_next(
    opensearch_latest: NodeInfo,
    open_shop: OpenShop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(30))
    shop.build()
    process = shop.start("serve", "--port", "0", "--workers", str(WORKERS))
    assert process.stderr is not None
    address = process.stderr.readline().removeprefix("listening on ").split(",")[0]
    both = wait_for_workers(psutil.Process(process.pid), address)
    process.kill()
    process.communicate(timeout=60)
    assert psutil.wait_procs(both, timeout=30)[1] == []
    left = {*tmp_path.glob("seealso-*")}
    assert {one.name.rsplit("-", 1)[0] for one in left} == {"seealso-numbers", "seealso-weights"}
    with serving(shop) as (address, parent, _):
        wait_for_workers(parent, address)
        own = {*tmp_path.glob("seealso-*")}
        assert len(own) == 2
        assert own.isdisjoint(left)
        # another one beside it leaves them alone
        with serving(shop) as (beside, another, _):
            wait_for_workers(another, beside)
            assert own < {*tmp_path.glob("seealso-*")}
        assert {*tmp_path.glob("seealso-*")} == own
        assert ask(address) == 200
    assert not [*tmp_path.glob("seealso-*")]


@pytest.mark.slow
def test_workers_that_start_while_opensearch_stands_still_say_so(
    own_node: Node,  # noqa: F811
    open_shop: OpenShop,
) -> None:
    info = own_node.start(timeout=300)
    shop = open_shop(info.url)
    shop.stock(films(30))
    shop.build()
    with serving(shop) as (address, parent, _):
        both = wait_for_workers(parent, address)
        os.kill(info.pid, signal.SIGSTOP)
        try:
            for worker in both:
                worker.kill()
            # nobody answered for them until they could open the index
            found = httpx.post(f"{address}/v1/recommend", json=BODY, timeout=60)
            assert found.status_code == 503, found.text
            assert found.json()["code"] == "Unavailable"
            assert found.headers["x-request-id"]
            assert httpx.get(f"{address}/readyz", timeout=60).status_code == 503
        finally:
            os.kill(info.pid, signal.SIGCONT)
        wait_for_workers(parent, address)
        # a worker that is about to give way has opened the index, too, and still says 503
        ends = time.monotonic() + 60
        while (status := ask(address)) == 503 and time.monotonic() < ends:
            time.sleep(0.2)
        assert status == 200
