"""Indices that somebody has closed, and blocks that stay: named at once, nothing is concluded."""

import json
import time
from collections.abc import Callable, Iterator, Mapping

import orjson
import pytest

from seealso.cli.main import main
from seealso.cluster import BulkWriter, Cluster, conditional, fetch, indices
from seealso.cluster.addresses import write_aliases
from seealso.cluster.node import NodeInfo
from seealso.errors import BulkWriteError, ClusterError
from seealso.indexer import lifecycle
from seealso.indexer.privacy import export_user, forget
from seealso.indexer.users.live import live_users
from tests.integration.catalogues import Shop
from tests.members import NAMES, built

FLOOD = "index.blocks.read_only_allow_delete"
"""What OpenSearch sets by itself on a disk that is full, and answers 429 to writes then."""


@pytest.fixture
def cluster(opensearch: NodeInfo, index_name: str) -> Iterator[Cluster]:
    cluster = Cluster(opensearch.url)
    yield cluster
    indices.delete(cluster, index_name)
    cluster.close()


def close(cluster: Cluster, name: str) -> None:
    cluster.request("POST", f"/{name}/_close")


def test_nobody_is_forgotten_in_a_closed_index(peopled: Shop) -> None:
    cluster, settings = peopled.cluster, peopled.settings()
    built(peopled)
    users = live_users(cluster, settings, NAMES).name
    close(cluster, users)
    for refused in (export_user, forget):
        with pytest.raises(ClusterError) as caught:
            refused(cluster, settings, NAMES, "ann-3")
        assert caught.value.message == f"{users} is closed"
        assert caught.value.hint == f"open it: POST {users}/_open"
    with pytest.raises(ClusterError, match="is closed"):
        built(peopled)
    cluster.request("POST", f"/{users}/_open")
    assert forget(cluster, settings, NAMES, "ann-3").deleted == {users: 1}
    assert export_user(cluster, settings, NAMES, "ann-3").documents == {}


def test_a_closed_index_is_listed_and_never_pruned(
    peopled: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster, alias = peopled.cluster, peopled.alias
    first, second = str(peopled.live), peopled.build().index
    close(cluster, second)
    capsys.readouterr()
    main(peopled.arguments("--json", "index", "list"))
    old, live = json.loads(capsys.readouterr().out)
    assert (old["name"], old["closed"], old["live"]) == (first, False, False)
    assert (live["name"], live["closed"], live["live"]) == (second, True, True)
    assert (live["documents"], live["size_bytes"]) == (None, None)
    main(peopled.arguments("index", "list"))
    assert f"{second}  closed" in capsys.readouterr().out
    refused: list[Callable[[], object]] = [
        lambda: lifecycle.prune(cluster, alias, 1),
        lambda: lifecycle.swap(cluster, alias, second),
    ]
    for one in refused:
        with pytest.raises(ClusterError, match=f"^{second} is closed$"):
            one()
    # away from it there is a way
    assert lifecycle.rollback(cluster, alias).after == first
    third = peopled.build().index
    assert peopled.names == [first, second, third]


def test_whatever_meets_a_closed_index_says_how_to_open_it(
    cluster: Cluster, index_name: str
) -> None:
    indices.create(cluster, index_name, {"aliases": {f"{index_name}-alias": {}}})
    close(cluster, index_name)
    asked: list[Callable[[str], object]] = [
        lambda name: indices.count(cluster, name),
        lambda name: fetch(cluster, name, ["1"], source=["*"]),
        lambda name: cluster.request("POST", f"/{name}/_search", {}),
        lambda name: cluster.request("POST", f"/{name}/_refresh"),
    ]
    for name in (index_name, f"{index_name}-alias"):
        for ask in asked:
            with pytest.raises(ClusterError) as caught:
                ask(name)
            assert caught.value.message == f"{index_name} is closed"
            assert caught.value.hint == f"open it: POST {index_name}/_open"
    with (
        pytest.raises(BulkWriteError) as refused,
        BulkWriter(cluster, index_name) as writer,
    ):
        writer.index("1", {"n": 1})
    assert refused.value.hint == f"open it: POST {index_name}/_open"


def test_a_full_disk_is_not_waited_for(cluster: Cluster, index_name: str) -> None:
    """Where writes are answered with 429 until somebody makes room, nothing is sent again."""
    indices.create(cluster, index_name, {"aliases": write_aliases(index_name)})
    cluster.request("PUT", f"/{index_name}/_settings", {FLOOD: True})
    began = time.monotonic()
    with pytest.raises(BulkWriteError, match="were refused: cluster_block_exception") as caught:
        conditional.create(cluster, index_name, {"1": {"n": 1}})
    assert "free disk space or lift the block" in str(caught.value.hint)
    with (
        pytest.raises(BulkWriteError, match=r"cluster_block_exception") as loaded,
        BulkWriter(cluster, index_name) as writer,
    ):
        writer.index("1", {"n": 1})
    assert "free disk space or lift the block" in str(loaded.value.hint)
    with pytest.raises(ClusterError, match=f"is blocked by {FLOOD}") as whole:
        cluster.request("POST", f"/{index_name}/_update/1", {"doc": {"n": 1}})
    assert "free disk space or lift the block" in str(whole.value.hint)
    assert time.monotonic() - began < 5


BLOCKS = ("read", "write", "read_only_allow_delete", "read_only", "metadata")
"""In an order in which an index takes them all."""


def follow(cluster: Cluster, hint: str | None) -> None:
    """Send the requests of a hint as they stand there."""
    for request in str(hint).partition(": ")[2].split("; "):
        method, path, body = request.split(maxsplit=2)
        cluster.request(method, f"/{path}", orjson.loads(body))


# whoever asks for an alias is refused while any index of the cluster hides its metadata
@pytest.mark.alone
def test_every_hint_on_a_block_lifts_it(cluster: Cluster, index_name: str) -> None:
    indices.create(cluster, index_name, {"aliases": write_aliases(index_name)})
    cluster.request("PUT", f"/{index_name}/_mapping", {"_meta": {"seealso": {}}})
    settings = f"/{index_name}/_settings"

    def write() -> None:
        with BulkWriter(cluster, index_name) as writer:
            writer.index("1", {"n": 1})

    refused: Mapping[str, Callable[[], object]] = {
        "read": lambda: indices.count(cluster, index_name),
        "write": write,
        "read_only_allow_delete": write,
        "read_only": lambda: indices.put_meta(cluster, index_name, {}),
        "metadata": lambda: indices.find_meta(cluster, index_name),
    }
    for block in BLOCKS:
        cluster.request("PUT", settings, {f"index.blocks.{block}": True})
        with pytest.raises(ClusterError) as caught:
            refused[block]()
        assert f"index.blocks.{block}" in str(caught.value.hint)
        follow(cluster, caught.value.hint)
        refused[block]()
    # all of them at once: one hint after the other leads out
    for block in BLOCKS:
        cluster.request("PUT", settings, {f"index.blocks.{block}": True})
    hints = []
    for block in reversed(BLOCKS):
        try:
            refused[block]()
        except ClusterError as exc:
            hints.append(exc.hint)
            follow(cluster, exc.hint)
        refused[block]()
    assert len(hints) >= 3
    assert "each by a request of its own" in str(hints[1])


def test_where_an_alias_points_is_known_beside_an_index_with_blocked_metadata(
    cluster: Cluster, index_name: str
) -> None:
    """One blocked index makes OpenSearch refuse ``GET /_alias/NAME`` of every name."""
    name, blocked = f"{index_name}-1", f"{index_name}-blocked"
    for one in (name, blocked):
        cluster.request("PUT", f"/{one}")
    indices.point_alias(cluster, index_name, name)
    cluster.request("PUT", f"/{blocked}/_settings", {"index.blocks.metadata": True})
    try:
        assert indices.find_live(cluster, index_name) == name
        with pytest.raises(ClusterError, match=r"blocked by index\.blocks\.metadata"):
            cluster.request("GET", f"/_alias/{index_name}")
    finally:
        cluster.request("PUT", f"/{blocked}/_settings", {"index.blocks.metadata": None})
        for one in (name, blocked):
            indices.delete(cluster, one)
