"""Clusters that cannot be used: one clear line with a cure, and nothing written anywhere."""

import base64
import json
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from seealso.cli.main import main
from seealso.cluster import Cluster
from seealso.cluster.node import Node, NodeInfo
from tests.integration.catalogues import OpenShop, Shop, films, views
from tests.integration.complaints import Complain
from tests.integration.gateways import Refusal, Request, gateway
from tests.nodes import node_folder


def test_cluster_down(kept_shop: Shop, complain: Complain) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    for command in ("build", "update", "importance", "list", "rollback", "verify"):
        said = complain(kept_shop, "index", command, cluster={"url": url})
        assert (said.code, said.error) == (8, f"{url}: OpenSearch does not answer")
        assert "seealso node start" in said.hint


@pytest.fixture
def deaf() -> Iterator[str]:
    """The address of what takes connections and never answers, as a cluster does that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_list_is_not_waited_for_where_the_cluster_hangs(
    kept_shop: Shop, complain: Complain, deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEALSO_USERS_KEY", "a key of nobody's, long enough")
    body = kept_shop.folder / "body.json"
    body.write_text('{"query": {"match_all": {}}}')
    hanging = {"url": deaf, "retries": 5, "timeout": 30.0, "deadline": 1.0}
    indexed = {"path": None, "index": "events"}
    for changes in (
        {},
        {"users": {"enabled": True}},
        {"events": indexed},
        {"ubi": {"enabled": True}},
    ):
        for command in (
            ("related", "f1"),
            ("recommend", "u1"),
            ("recommend-group", "u1", "u2"),
            ("explain", "u1", "f1"),
            ("personalise", "u1", "--body", str(body)),
        ):
            began = time.monotonic()
            said = complain(kept_shop, *command, cluster=hanging, **changes)
            assert time.monotonic() - began < 4
            assert said.code == 8
            assert said.error == f"{deaf}: OpenSearch did not answer in 1 s"
            assert said.hint == "it runs but does not answer: look at its load and log"


def test_the_doctor_waits_once_for_a_cluster_that_hangs(
    kept_shop: Shop,
    deaf: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("seealso.plugin.doctor.checks.TIMEOUT_S", 1.0)
    hanging = {"url": deaf, "retries": 5, "timeout": 30.0}
    began = time.monotonic()
    with pytest.raises(SystemExit):
        main(kept_shop.arguments("--json", "doctor", cluster=hanging))
    assert time.monotonic() - began < 8
    (cluster,) = [one for one in json.loads(capsys.readouterr().out) if one["what"] == "cluster"]
    assert cluster["found"] == f"{deaf}: OpenSearch did not answer in 1 s"
    assert cluster["cure"] == "it runs but does not answer: look at its load and log"


def block(cluster: Cluster, path: str, settings: Mapping[str, Any]) -> None:
    cluster.request("PUT", path, settings)


def test_a_read_only_index(kept_shop: Shop, complain: Complain) -> None:
    live = str(kept_shop.live)
    path = f"/{live}/_settings"
    meta = kept_shop.cluster.request("GET", f"/{live}/_mapping")[live]["mappings"]["_meta"]
    kept_shop.stock([*films(31)], views({"f1": 3, "f2": 30}))
    for name in ("index.blocks.write", "index.blocks.read_only"):
        block(kept_shop.cluster, path, {name: True})
        try:
            for command in ("update", "importance"):
                said = complain(kept_shop, "index", command)
                assert said.code == 7
                assert "blocked by" in said.error
                assert "lift the block" in said.hint
        finally:
            block(kept_shop.cluster, path, {name: None})
            # what was refused may have written a part: its mark stays until the next run ends
            kept_shop.cluster.request("PUT", f"/{live}/_mapping", {"_meta": meta})


@pytest.mark.alone
def test_a_read_only_cluster(kept_shop: Shop, complain: Complain) -> None:
    block(
        kept_shop.cluster, "/_cluster/settings", {"persistent": {"cluster.blocks.read_only": True}}
    )
    try:
        said = complain(kept_shop, "index", "build")
    finally:
        lifted = {"persistent": {"cluster.blocks.read_only": None}}
        block(kept_shop.cluster, "/_cluster/settings", lifted)
    assert said.code == 7
    assert said.error == "the cluster is blocked by cluster.blocks.read_only"
    assert "cluster.blocks.read_only" in said.hint
    folder = kept_shop.folder / "bundles"
    assert len(list(folder.iterdir())) == 1


def password_checked(request: Request) -> Refusal | None:
    right = "Basic " + base64.b64encode(b"reader:open sesame").decode()
    if request.headers.get("authorization") == right:
        return None
    return 401, b'{"error": "Unauthorized", "status": 401}'


@pytest.fixture
def guarded(opensearch_latest: NodeInfo) -> Iterator[str]:
    """The address of a proxy that wants a password before OpenSearch is reached."""
    with gateway(opensearch_latest.url, password_checked) as running:
        yield running.url


def test_wrong_password(
    kept_shop: Shop, complain: Complain, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for username, password in (("reader", "open sesam"), ("reader", ""), ("writer", "open sesame")):
        monkeypatch.setenv("SEEALSO_PASSWORD", password)
        for command in ("build", "update", "importance", "list"):
            chosen = {"url": guarded, "username": username}
            said = complain(kept_shop, "index", command, cluster=chosen)
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
    root = node_folder()
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
