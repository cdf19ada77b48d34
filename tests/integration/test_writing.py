"""What keeps seealso from writing is found out before it writes, and the doctor names it."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.config import Settings, load_settings
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.live import find_replaceable
from seealso.indexer.users.build import build_users, plan_build
from seealso.indexer.users.writing import UsersWriter
from seealso.plugin.doctor.writing import examine_writing
from tests.members import NAMES


@pytest.fixture
def cluster(opensearch_latest: NodeInfo) -> Iterator[Cluster]:
    cluster = Cluster(opensearch_latest.url, retries=1)
    yield cluster
    cluster.close()


@pytest.fixture
def settings(cluster: Cluster, index_name: str) -> Iterator[Settings]:
    """Of an alias whose indices go in the end."""
    yield load_settings(None, {"index": {"alias": index_name}})
    lift(cluster, index_name)
    for name in there(cluster, index_name):
        indices.delete(cluster, name)


def lift(cluster: Cluster, alias: str) -> None:
    for one in ("metadata", "read_only", "read_only_allow_delete"):
        params = {"expand_wildcards": "all"}
        cluster.request("PUT", f"/{alias}*/_settings", {f"index.blocks.{one}": None}, params)


def there(cluster: Cluster, alias: str) -> list[str]:
    return sorted(cluster.request("GET", f"/{alias}*", params={"expand_wildcards": "all"}))


def make(cluster: Cluster, name: str, standing: str | None = None, **own: Any) -> None:
    meta = {"_meta": {"seealso": own}} if own else {}
    aliases = {} if standing is None else {standing: {}}
    cluster.request("PUT", f"/{name}", {"mappings": meta, "aliases": aliases})


def block(cluster: Cluster, name: str, kind: str) -> None:
    cluster.request("PUT", f"/{name}/_settings", {f"index.blocks.{kind}": True})


def build(cluster: Cluster, settings: Settings) -> None:
    # nobody and nothing is read before the alias was looked at
    nothing = cast("Any", None)
    writer = UsersWriter(cluster, settings, nothing, NAMES, nothing)
    with pytest.raises(ClusterError) as planned:
        plan_build(writer)
    with pytest.raises(ClusterError) as refused:
        build_users(writer)
    assert planned.value.message == refused.value.message
    raise refused.value


def test_users_are_not_written_for_an_alias_of_somebody_else(
    cluster: Cluster, settings: Settings
) -> None:
    alias = settings.index.alias
    make(cluster, f"{alias}-users")
    with pytest.raises(ClusterError, match="-users: is an index, not an alias"):
        build(cluster, settings)
    assert there(cluster, alias) == [f"{alias}-users"]
    indices.delete(cluster, f"{alias}-users")
    make(cluster, f"{alias}-crm", f"{alias}-users")
    with pytest.raises(MappingMismatch, match="which seealso did not build"):
        build(cluster, settings)
    assert there(cluster, alias) == [f"{alias}-crm"]


@pytest.mark.parametrize("kind", ["read_only", "read_only_allow_delete"])
def test_an_alias_that_a_block_keeps_is_found_before_anything_is_written(
    cluster: Cluster, settings: Settings, kind: str
) -> None:
    alias = settings.index.alias
    make(cluster, f"{alias}-users-1", f"{alias}-users", kind="users", alias=f"{alias}-users")
    make(cluster, f"{alias}-1", alias, alias=alias)
    assert find_replaceable(cluster, alias) == f"{alias}-1"
    for name in (f"{alias}-users-1", f"{alias}-1"):
        block(cluster, name, kind)
    with pytest.raises(ClusterError, match=f"is blocked by index.blocks.{kind}: no alias"):
        build(cluster, settings)
    with pytest.raises(ClusterError, match=f"is blocked by index.blocks.{kind}: no alias"):
        find_replaceable(cluster, alias)
    assert there(cluster, alias) == [f"{alias}-1", f"{alias}-users-1"]


def test_items_are_not_built_for_an_alias_of_somebody_else(
    cluster: Cluster, settings: Settings
) -> None:
    alias = settings.index.alias
    make(cluster, f"{alias}-shop", alias)
    with pytest.raises(MappingMismatch, match="which seealso did not build"):
        find_replaceable(cluster, alias)


@pytest.mark.alone
def test_the_doctor_names_blocks_closed_indices_and_foreign_names(
    cluster: Cluster, settings: Settings
) -> None:
    alias = settings.index.alias
    (well,) = examine_writing(cluster, settings)
    assert (well.ok, well.what, well.found) == (True, "writing", "no block, nothing closed")
    make(cluster, f"{alias}-1", alias, alias=alias)
    make(cluster, f"{alias}-users-1", f"{alias}-users", kind="users")
    make(cluster, f"{alias}-events", kind="events")
    make(cluster, f"{alias}-locks", kind="orders")
    block(cluster, f"{alias}-1", "read_only_allow_delete")
    cluster.request("POST", f"/{alias}-users-1/_close")
    block(cluster, f"{alias}-events", "write")
    found = list(examine_writing(cluster, settings))
    assert [(one.what, one.ok) for one in found] == [(f"writing {n}", False) for n in range(1, 5)]
    assert [one.found for one in found] == [
        f"{alias}-1: is blocked by index.blocks.read_only_allow_delete",
        f"{alias}-users-1: is closed",
        f"{alias}-events: is blocked by index.blocks.write",
        f"{alias}-locks: was not made by seealso, which needs that name for its locks",
    ]
    assert f"PUT {alias}-1/_settings" in found[0].cure
    assert found[1].cure == f"open it: POST {alias}-users-1/_open"
    cluster.request("PUT", "/_cluster/settings", {"persistent": {"cluster.blocks.read_only": True}})
    try:
        last = list(examine_writing(cluster, settings))[-1]
    finally:
        lifted = {"persistent": {"cluster.blocks.read_only": None}}
        cluster.request("PUT", "/_cluster/settings", lifted)
    assert last.found == "the cluster is blocked by cluster.blocks.read_only"
    assert '"cluster.blocks.read_only": null' in last.cure
