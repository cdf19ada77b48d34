"""Requests and bulk loading against a real cluster, busy ones among them."""

import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest

from seealso.cluster import BulkWriter, Cluster, fetch, indices, scan
from seealso.cluster.node import NodeInfo
from seealso.errors import BulkWriteError, ClusterError, MappingMismatch, Unavailable
from tests.faults import lose_an_answer
from tests.integration.gateways import Refusal, Request, gateway

MAPPING = {
    "settings": {"index": {"knn": True}},
    "mappings": {
        "properties": {
            "v": {
                "type": "knn_vector",
                "dimension": 3,
                "method": {"name": "hnsw", "engine": "lucene", "space_type": "innerproduct"},
            }
        }
    },
}

NUMBERED = [{"n": i} for i in range(8)]


def write(writer: BulkWriter, documents: Iterable[Mapping[str, Any]]) -> None:
    """Write `documents` under their numbers."""
    with writer:
        for number, document in enumerate(documents):
            writer.index(str(number), document)


@pytest.fixture
def cluster(opensearch: NodeInfo, index_name: str) -> Iterator[Cluster]:
    cluster = Cluster(opensearch.url, retries=1)
    indices.create(cluster, index_name, MAPPING)
    yield cluster
    indices.delete(cluster, index_name)
    cluster.close()


@pytest.fixture
def narrow(cluster: Cluster) -> Iterator[Callable[[str], None]]:
    """Set how many bytes of requests the node takes at once; it answers 429 to more."""

    def limit(size: str | None) -> None:
        settings = {"transient": {"network.breaker.inflight_requests.limit": size}}
        cluster.request("PUT", "/_cluster/settings", settings)

    yield limit
    limit(None)


def test_writes_updates_and_deletes(cluster: Cluster, index_name: str) -> None:
    with BulkWriter(cluster, index_name, threads=3, chunk_bytes=2_000) as writer:
        for i in range(500):
            writer.index(str(i), {"v": np.full(3, i, dtype=np.float32), "n": i})
    assert writer.written == 500
    with BulkWriter(cluster, index_name) as writer:
        writer.delete("0")
        writer.delete("absent")
        writer.update("1", {"doc": {"n": 100}})
    assert writer.written == 3
    found = fetch(cluster, index_name, ["0", "1", "2"], source=["n"])
    assert {item_id: hit["_source"]["n"] for item_id, hit in found.items()} == {"1": 100, "2": 2}
    assert fetch(cluster, index_name, [], source=["n"]) == {}
    indices.refresh(cluster, index_name)
    batches = [len(hits) for hits in scan(cluster, index_name, source=False, batch=200)]
    assert batches == [200, 200, 99]


def test_refused_documents_are_named_and_the_others_written(
    cluster: Cluster, index_name: str
) -> None:
    vectors = [{"v": [1.0] * (4 if i in (3, 7) else 3)} for i in range(10)]
    with pytest.raises(BulkWriteError, match="2 of 10 documents were refused") as caught:
        write(BulkWriter(cluster, index_name), vectors)
    assert [item_id for item_id, _ in caught.value.failed] == ["3", "7"]
    assert caught.value.written == 8
    assert "dimension" in caught.value.failed[0][1].lower()
    assert caught.value.failed[0][1] in caught.value.message
    indices.refresh(cluster, index_name)
    assert indices.count(cluster, index_name) == 8


@pytest.mark.alone
def test_a_busy_cluster_gets_everything_in_the_end(
    cluster: Cluster, index_name: str, narrow: Callable[[str], None], opensearch: NodeInfo
) -> None:
    """Eight threads send more than the node takes at once: real 429s, and nothing is lost."""
    narrow("100kb")
    patient = Cluster(opensearch.url, retries=12)
    writer = BulkWriter(patient, index_name, threads=8, chunk_bytes=10_000)
    write(writer, [{"v": [1.0, 2.0, 3.0], "text": f"{i} " * 100} for i in range(1000)])
    narrow("100%")
    assert writer.written == 1000
    breakers = cluster.request("GET", "/_nodes/stats/breaker")["nodes"]
    tripped = [node["breakers"]["in_flight_requests"]["tripped"] for node in breakers.values()]
    assert tripped[0] > 0
    indices.refresh(cluster, index_name)
    assert indices.count(cluster, index_name) == 1000


@pytest.mark.alone
def test_a_cluster_that_stays_busy_is_named(
    cluster: Cluster, index_name: str, narrow: Callable[[str], None]
) -> None:
    narrow("20kb")
    with pytest.raises(Unavailable, match="too busy: circuit_breaking_exception") as caught:
        write(BulkWriter(cluster, index_name), [{"text": "x" * 50_000}])
    assert caught.value.hint == "try later"
    assert fetch(cluster, index_name, ["0"], source=["text"]) == {}


def test_what_is_wrong_with_an_index(cluster: Cluster, index_name: str) -> None:
    with pytest.raises(ClusterError, match="absent: no such index or alias"):
        indices.count(cluster, "absent")
    with pytest.raises(MappingMismatch, match="not an index of seealso"):
        indices.meta(cluster, index_name)
    with pytest.raises(ClusterError, match="OpenSearch refused: parsing_exception"):
        cluster.request("POST", f"/{index_name}/_search", {"query": {"no_such_query": {}}})
    assert cluster.exists(f"/{index_name}")
    assert not cluster.exists("/absent")
    assert not cluster.request("GET", "/_scripts/absent", params={"ignore": 404})["found"]


def test_a_scan_that_is_left_early_is_ended(cluster: Cluster, index_name: str) -> None:
    with BulkWriter(cluster, index_name) as writer:
        for i in range(10):
            writer.index(str(i), {"n": i})
    indices.refresh(cluster, index_name)
    reading = scan(cluster, index_name, batch=2)
    assert len(next(reading)) == 2
    reading.close()
    search = cluster.request("GET", f"/{index_name}/_stats/search")["_all"]["total"]["search"]
    assert (search["point_in_time_total"], search["point_in_time_current"]) == (1, 0)


class Refusing(BaseHTTPRequestHandler):
    """Refuses documents one by one, which a healthy node of one shard does not do with 429."""

    seen: list[list[str]]

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        lines = self.rfile.read(int(self.headers["content-length"])).splitlines()
        ids = [json.loads(line)["index"]["_id"] for line in lines[::2]]
        self.seen.append(ids)
        busy = {"type": "rejected_execution_exception", "reason": "queue full"}
        # every second document meets a full queue
        items: list[dict[str, Any]] = [
            {"index": {"status": 429, "error": busy} if place % 2 else {"status": 201}}
            for place in range(len(ids))
        ]
        body = json.dumps({"errors": len(ids) > 1, "items": items}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[tuple[str, list[list[str]]]]:
    """Address of a server that is busy, and the ids that it was sent, by request."""
    seen: list[list[str]] = []
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), type("RefusingOne", (Refusing,), {"seen": seen})
    ) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


def test_only_refused_documents_are_sent_again(refusing: tuple[str, list[list[str]]]) -> None:
    url, seen = refusing
    writer = BulkWriter(Cluster(url), "films", threads=1)
    write(writer, NUMBERED)
    assert seen == [list("01234567"), list("1357"), list("37"), ["7"]]
    assert writer.written == 8


def test_patience_has_an_end(refusing: tuple[str, list[list[str]]]) -> None:
    url, seen = refusing
    impatient = BulkWriter(Cluster(url), "films", threads=1, retries=1)
    with pytest.raises(BulkWriteError, match="'3': rejected_execution_exception") as caught:
        write(impatient, NUMBERED)
    assert seen == [list("01234567"), list("1357")]
    assert [item_id for item_id, _ in caught.value.failed] == ["3", "7"]
    assert caught.value.written == 6


class Deprecating(BaseHTTPRequestHandler):
    """Answers with a warning, which OpenSearch does where a request will be refused one day."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("warning", '299 OpenSearch-3.5.0 "[old] is deprecated"')
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def test_warnings_of_the_cluster_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not to Python's warnings, which would show on the terminal and here be an error."""
    log = logging.getLogger("seealso.cluster")
    before = log.level
    log.addHandler(caplog.handler)
    log.setLevel("INFO")
    with ThreadingHTTPServer(("127.0.0.1", 0), Deprecating) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        assert Cluster(f"http://127.0.0.1:{server.server_port}").info() == {}
        server.shutdown()
    log.removeHandler(caplog.handler)
    log.setLevel(before)
    assert any("[old] is deprecated" in record.message for record in caplog.records)


def test_a_lost_cluster_puts_two_lines_on_the_terminal() -> None:
    """The client's own log, with its tracebacks, stays out of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        options = ["--set", f"cluster.url={url}", "--set", "cluster.retries=1"]
        done = subprocess.run(
            [sys.executable, "-m", "seealso", *options, "index", "list"],
            capture_output=True,
            text=True,
        )
    assert (done.returncode, done.stdout) == (8, "")
    assert done.stderr.splitlines() == [
        f"error: {url}: OpenSearch does not answer",
        " hint: start it (`seealso node start`) or set cluster.url",
    ]


def test_nobody_answers() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable, match=rf"{url}: OpenSearch did not answer in 0\.\d s"):
            Cluster(url, retries=0, timeout=0.2).info()
    with pytest.raises(Unavailable, match=f"{url}: OpenSearch does not answer"):
        Cluster(url, retries=1).info()


def test_who_waits_gets_an_answer_or_an_error_in_time(opensearch_latest: NodeInfo) -> None:
    busy = {"type": "circuit_breaking_exception", "reason": "too many"}
    refused = 429, json.dumps({"error": {"root_cause": [busy], **busy}, "status": 429}).encode()
    asked: list[str] = []

    def always(request: Request) -> Refusal:
        asked.append(request.target)
        return refused

    with gateway(opensearch_latest.url, always) as running:
        patient = Cluster(running.url, retries=3)
        with pytest.raises(Unavailable, match="too busy"):
            patient.info()
        assert len(asked) == 4
        asked.clear()
        with pytest.raises(Unavailable, match="too busy"):
            patient.hurry(5.0).info()
        assert len(asked) == 2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = Cluster(f"http://127.0.0.1:{silent.getsockname()[1]}", retries=5)
        started = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer in"):
            slow.hurry(0.5).info()
        assert time.monotonic() - started < 2


def test_what_must_not_be_repeated_is_sent_once(
    opensearch_latest: NodeInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(opensearch_latest.url, retries=3)
    asked = lose_an_answer(monkeypatch, "GET", "/")
    with pytest.raises(Unavailable, match="did not answer in"):
        cluster.request("GET", "/", repeat=False)
    assert len(asked) == 1
    # where nothing listens nothing was carried out: another node is asked
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    for _ in range(4):
        several = Cluster(url, hosts=[opensearch_latest.url], retries=0)
        assert several.request("GET", "/", repeat=False)["version"]
