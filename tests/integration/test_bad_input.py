"""Bad input by the command line: one clear line with a cure, and nothing written anywhere."""

import base64
import json
import shutil
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from seealso.cli.main import main
from seealso.cluster import Cluster
from seealso.cluster.node import Node, NodeInfo
from tests.integration.catalogues import OpenShop, Shop, films, views


@dataclass(frozen=True)
class Complaint:
    """What a command said before it ended."""

    code: int
    error: str
    hint: str


Complain = Callable[..., Complaint]


@pytest.fixture
def complain(capsys: pytest.CaptureFixture[str]) -> Complain:
    """Run a command that must fail, with one error line and one hint."""

    def run(shop: Shop, *command: str, config: Path | None = None, **changes: Any) -> Complaint:
        arguments = shop.arguments(*command, **changes)
        if config is not None:
            arguments = ["--config", str(config), *arguments]
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
        hints = [line for line in said.err.splitlines() if line.startswith(" hint: ")]
        assert (len(errors), len(hints), said.out) == (1, 1, "")
        assert "Traceback" not in said.err
        return Complaint(ended.value.code, errors[0][7:], hints[0][7:])

    return run


def state(cluster: Cluster, alias: str) -> dict[str, Any]:
    """Return all that a command could have changed of the indices of an alias."""
    found = cluster.request("GET", f"/{alias}*", params={"ignore_unavailable": "true"})
    stats = cluster.request("GET", f"/{alias}*/_stats/indexing,docs")["indices"]
    return {
        name: (
            sorted(found[name]["aliases"]),
            found[name]["mappings"].get("_meta"),
            stats[name]["primaries"]["indexing"]["index_total"],
            stats[name]["primaries"]["docs"]["count"],
        )
        for name in found
    }


@pytest.fixture
def shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Iterator[Shop]:
    """A shop with a live index, which is the same after the test."""
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(30), views({"f1": 3}))
    shop.build()
    before = state(shop.cluster, shop.alias)
    bundles = sorted(path.name for path in (shop.folder / "bundles").iterdir())
    yield shop
    assert state(shop.cluster, shop.alias) == before
    there = sorted(path.name for path in (shop.folder / "bundles").iterdir())
    assert there == bundles


def test_no_items(shop: Shop, complain: Complain) -> None:
    shop.catalogue.write_bytes(b"")
    said = complain(shop, "index", "build")
    assert (said.code, said.error) == (3, "items.jsonl has no items")


def test_a_header_and_no_items(shop: Shop, complain: Complain) -> None:
    path = shop.folder / "items.csv"
    path.write_text("item_id,title,description,kind,price\n")
    said = complain(shop, "index", "build", catalogue={"path": str(path)})
    assert (said.code, said.error) == (3, "items.csv has no items")


def test_no_such_file(shop: Shop, complain: Complain) -> None:
    said = complain(shop, "index", "build", catalogue={"path": str(shop.folder / "none.csv")})
    assert said.code == 3
    assert said.error.endswith("none.csv: no such file or directory")


def test_a_missing_column(shop: Shop, complain: Complain) -> None:
    said = complain(shop, "index", "build", catalogue={"text": ["titel"]})
    assert said.code == 3
    assert said.error.startswith("items.jsonl has no column 'titel'; it has item_id, title,")
    assert said.hint.startswith("is it 'title'?")


def test_an_id_twice(shop: Shop, complain: Complain) -> None:
    shop.stock([*films(30), films(1)[0]])
    said = complain(shop, "index", "build")
    expected = "items.jsonl line 31: item_id 'f0' is there already, on line 1"
    assert (said.code, said.error) == (3, expected)
    assert "--on-error skip" in said.hint


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_bytes_that_are_not_utf8(shop: Shop, complain: Complain, suffix: str) -> None:
    path = shop.folder / f"bad.{suffix}"
    if suffix == "csv":
        path.write_bytes(b"item_id,title,description,kind,price\na,caf\xe9,x,war,1\n")
        place = "line 2"
    else:
        path.write_bytes(b'{"item_id": "a", "title": "caf\xe9"}\n')
        place = "line 1"
    said = complain(shop, "index", "build", catalogue={"path": str(path)})
    assert said.code == 3
    assert said.error.startswith(f"{path.name} {place}")


def test_a_description_of_ten_megabytes(shop: Shop, complain: Complain) -> None:
    shop.stock([*films(3), {**films(4)[3], "description": "long " * 2_000_000}])
    said = complain(shop, "index", "build")
    expected = "items.jsonl line 4: description has 10,000,000 characters, more than 1,000,000"
    assert (said.code, said.error) == (3, expected)


def test_update_stops_at_a_broken_row_before_it_writes(shop: Shop, complain: Complain) -> None:
    """The broken row is the last one, so a careless update would have written the others."""
    new = [*films(60), {**films(1)[0], "item_id": ""}]
    shop.stock(new)
    said = complain(shop, "index", "update")
    assert (said.code, said.error) == (3, "items.jsonl line 61: item_id is empty")


def test_weights_that_are_not_numbers(shop: Shop, complain: Complain, tmp_path: Path) -> None:
    config = tmp_path / "seealso.toml"
    config.write_text("[text.weights]\nitem = nan\n")
    said = complain(shop, "index", "build", config=config)
    assert (said.code, said.error) == (6, "text.weights.item: nan is not a weight")
    config.write_text("[importance.weights]\nview = nan\n")
    said = complain(shop, "index", "build", config=config)
    expected = "importance.weights.view: nan is not a finite number"
    assert (said.code, said.error) == (2, expected)
    config.write_text("[importance]\nfloor = nan\n")
    assert complain(shop, "index", "build", config=config).code == 2


def test_an_expression_without_a_number(shop: Shop, complain: Complain) -> None:
    expression = {"kind": "expression", "expression": "1 / (price - price)"}
    said = complain(shop, "index", "build", importance=expression)
    assert said.code == 3
    assert "gives no finite number for item 'f0' (30 such items)" in said.error


def test_events_without_a_number(shop: Shop, complain: Complain) -> None:
    shop.events.write_text('{"user_id": "u", "item_id": "f1", "stars": "NaN"}\n')
    said = complain(shop, "index", "build", events={"value": "stars"})
    assert said.code == 3
    assert said.error.startswith("events.jsonl line 1: stars is ")


def test_more_dimensions_than_the_model_has(shop: Shop, complain: Complain) -> None:
    said = complain(shop, "index", "build", encoder={"dimension": 4096})
    assert (said.code, said.error) == (2, "encoder.dimension: 4096 is more than the model's 128")


def test_no_bundle_with_the_fingerprint(shop: Shop, complain: Complain) -> None:
    elsewhere = {"store": str(shop.folder / "elsewhere")}
    for command in ("update", "importance", "verify"):
        said = complain(shop, "index", command, encoder=elsewhere)
        assert said.code == 5
        assert said.error.startswith("no bundle with fingerprint ")
        assert "copy the bundle" in said.hint


def test_cluster_down(shop: Shop, complain: Complain) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    for command in ("build", "update", "importance", "list", "rollback", "verify"):
        said = complain(shop, "index", command, cluster={"url": url})
        assert (said.code, said.error) == (8, f"{url}: OpenSearch does not answer")
        assert "seealso node start" in said.hint


def test_a_template_that_cannot_be_read(shop: Shop, complain: Complain) -> None:
    said = complain(shop, "index", "build", text={"item": "{{ title "})
    assert said.code == 6
    assert said.error.startswith("text.item")


def block(cluster: Cluster, path: str, settings: Mapping[str, Any]) -> None:
    cluster.request("PUT", path, settings)


def test_a_read_only_index(shop: Shop, complain: Complain) -> None:
    path = f"/{shop.live}/_settings"
    shop.stock([*films(31)], views({"f1": 3, "f2": 30}))
    for name in ("index.blocks.write", "index.blocks.read_only"):
        block(shop.cluster, path, {name: True})
        try:
            for command in ("update", "importance"):
                said = complain(shop, "index", command)
                assert said.code == 7
                assert "documents were refused" in said.error
                assert "blocked by" in said.error
                assert "lift the block" in said.hint
        finally:
            block(shop.cluster, path, {name: None})


def test_a_read_only_cluster(shop: Shop, complain: Complain) -> None:
    block(shop.cluster, "/_cluster/settings", {"persistent": {"cluster.blocks.read_only": True}})
    try:
        said = complain(shop, "index", "build")
    finally:
        lifted = {"persistent": {"cluster.blocks.read_only": None}}
        block(shop.cluster, "/_cluster/settings", lifted)
    assert said.code == 7
    assert "is read-only" in said.error
    assert "cluster.blocks.read_only" in said.hint
    folder = shop.folder / "bundles"
    assert len(list(folder.iterdir())) == 1


class Guard(BaseHTTPRequestHandler):
    """Lets requests with the right password through to OpenSearch."""

    target = ""
    right = "Basic " + base64.b64encode(b"reader:open sesame").decode()

    def relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("authorization") != self.right:
            self.answer(401, b'{"error": "Unauthorized", "status": 401}')
            return
        request = urllib.request.Request(
            self.target + self.path, data=body or None, method=self.command
        )
        if "content-type" in self.headers:
            request.add_header("content-type", self.headers["content-type"])
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.answer(answer.status, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                self.answer(refused.code, refused.read())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = relay  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def guarded(opensearch_latest: NodeInfo) -> Iterator[str]:
    """The address of a proxy that wants a password before OpenSearch is reached."""
    guard = type("GuardOfNode", (Guard,), {"target": opensearch_latest.url})
    with ThreadingHTTPServer(("127.0.0.1", 0), guard) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_wrong_password(
    shop: Shop, complain: Complain, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for username, password in (("reader", "open sesam"), ("reader", ""), ("writer", "open sesame")):
        monkeypatch.setenv("SEEALSO_PASSWORD", password)
        for command in ("build", "update", "importance", "list"):
            chosen = {"url": guarded, "username": username}
            said = complain(shop, "index", command, cluster=chosen)
            assert (said.code, said.error) == (7, f"{guarded}: wrong user or password")
            assert "SEEALSO_PASSWORD" in said.hint
            assert "sesam" not in said.hint + said.error


def test_the_right_password(
    opensearch_latest: NodeInfo,
    open_shop: OpenShop,
    guarded: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(30))
    monkeypatch.setenv("SEEALSO_PASSWORD", "open sesame")
    chosen = {"url": guarded, "username": "reader"}
    main(shop.arguments("index", "build", "--json", cluster=chosen))
    report = json.loads(capsys.readouterr().out)
    assert report["index"] == shop.live
    assert report["items"] == 30


@pytest.fixture
def bare_node(opensearch_latest: NodeInfo, monkeypatch: pytest.MonkeyPatch) -> Iterator[NodeInfo]:
    """A node whose home is the usual one without the k-NN plugin."""
    root = Path(tempfile.mkdtemp(prefix="seealso-bare-"))
    root.chmod(0o755)
    home = root / "home"
    shutil.copytree(opensearch_latest.home, home, ignore=shutil.ignore_patterns("opensearch-knn"))
    (home / "plugins").mkdir(exist_ok=True)
    monkeypatch.setattr("seealso.cluster.node.node.ensure_home", lambda *_: home)
    node = Node(root / "node", heap="512m")
    try:
        yield node.start(timeout=300)
    finally:
        node.kill()
        shutil.rmtree(root)


@pytest.mark.slow
def test_without_the_knn_plugin(
    bare_node: NodeInfo, open_shop: OpenShop, complain: Complain
) -> None:
    shop = open_shop(bare_node.url)
    shop.stock(films(30))
    said = complain(shop, "index", "build")
    expected = f"{bare_node.url}: the k-NN plugin is not installed in this cluster"
    assert (said.code, said.error) == (7, expected)
    assert "opensearch-plugin install" in said.hint
    assert shop.names == []
    assert shop.live is None
