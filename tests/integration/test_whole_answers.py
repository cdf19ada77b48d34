"""Answers that must be whole: every document or an error, whatever the cluster goes through."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

import orjson
import pytest

from seealso.cluster import Cluster, IndexSource, fetch, indices, scan, scan_ids
from seealso.cluster import point_in_time as points
from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError, DataError, PartialAnswer
from tests.faults import lose_a_shard, lose_an_answer

COUNT = 40
EVERYTHING = {str(n) for n in range(COUNT)}


def write(cluster: Cluster, name: str, count: int = COUNT, *, start: int = 0) -> None:
    """Write documents that are called by their numbers."""
    lines = [
        orjson.dumps(line) + b"\n"
        for n in range(start, start + count)
        for line in ({"index": {"_id": str(n)}}, {"n": n, "more": "x"})
    ]
    cluster.request("POST", f"/{name}/_bulk", b"".join(lines), {"refresh": "true"})


@pytest.fixture
def cluster(opensearch: NodeInfo) -> Iterator[Cluster]:
    cluster = Cluster(opensearch.url, retries=2)
    yield cluster
    cluster.close()


@pytest.fixture
def stock(cluster: Cluster, index_name: str) -> Iterator[str]:
    """An index of several shards."""
    shards = {"number_of_shards": 3, "number_of_replicas": 0}
    indices.create(cluster, index_name, {"settings": {"index": shards}})
    write(cluster, index_name)
    yield index_name
    indices.delete(cluster, index_name)


@pytest.mark.parametrize("batch", [1, 2, 7, 13, COUNT, 1000])
def test_every_document_comes_once(cluster: Cluster, stock: str, batch: int) -> None:
    ids = [hit["_id"] for hits in scan(cluster, stock, batch=batch) for hit in hits]
    assert len(ids) == COUNT
    assert set(ids) == EVERYTHING


def test_what_is_read_is_chosen(cluster: Cluster, stock: str) -> None:
    (rows,) = IndexSource(cluster, stock).rows()
    assert set(rows[0]) == {"n", "more", "_id"}
    query = {"range": {"n": {"lt": 5}}}
    assert set(scan_ids(cluster, stock, query=query)) == {"0", "1", "2", "3", "4"}


def test_an_answer_that_was_lost_costs_no_document(
    cluster: Cluster, stock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = lose_an_answer(monkeypatch, "POST", "/_search", after=1)
    found = [hit["_id"] for hits in scan(cluster, stock, batch=10) for hit in hits]
    assert sorted(found) == sorted(EVERYTHING)
    assert len(asked) > 4


@pytest.mark.alone
def test_a_reader_slower_than_the_keep_alive_goes_on(cluster: Cluster, stock: str) -> None:
    """A keep-alive that has passed, the cluster restarted: the point in time is gone."""
    found = []
    for place, hits in enumerate(scan(cluster, stock, batch=10)):
        found += [hit["_id"] for hit in hits]
        if place == 1:
            (point,) = [
                one["pit_id"]
                for one in cluster.request("GET", "/_search/point_in_time/_all")["pits"]
                if _reads(cluster, one["pit_id"], stock)
            ]
            cluster.request("DELETE", "/_search/point_in_time", {"pit_id": [point]})
            # meanwhile the owner goes on writing, on documents that were read and others
            again = [*found[:5], *sorted(EVERYTHING - {*found})[:5]]
            for one in again:
                cluster.request("PUT", f"/{stock}/_doc/{one}", {"n": int(one), "more": "y"})
            write(cluster, stock, 3, start=1000)
    assert sorted(found) == sorted([*EVERYTHING, "1000", "1001", "1002"])


def _reads(cluster: Cluster, point: str, name: str) -> bool:
    hits = cluster.request("POST", "/_search", {"size": 1, "pit": {"id": point}})["hits"]["hits"]
    return bool(hits) and hits[0]["_index"] == name


def test_an_index_that_was_replaced_meanwhile_is_not_mixed_with_the_old_one(
    cluster: Cluster, stock: str
) -> None:
    reading = scan(cluster, stock, batch=10)
    next(reading)
    next(reading)
    indices.delete(cluster, stock)
    indices.create(cluster, stock, {})
    write(cluster, stock)
    with pytest.raises(PartialAnswer, match=f"{stock}: not all of it could be read: .*replaced"):
        list(reading)


@pytest.mark.alone
def test_the_longest_keep_alive_is_the_operators(cluster: Cluster, stock: str) -> None:
    limits = {
        "point_in_time.max_keep_alive": "2m",
        "search.max_keep_alive": "2m",
        "search.default_keep_alive": "1m",
    }
    try:
        cluster.request("PUT", "/_cluster/settings", {"transient": limits})
        assert points.PointInTime(cluster, stock)._keep_alive == "1m"
        assert set(scan_ids(cluster, stock)) == EVERYTHING
    finally:
        lifted = dict.fromkeys(limits)
        cluster.request("PUT", "/_cluster/settings", {"transient": lifted})


@pytest.mark.alone
def test_ids_need_no_field_data(cluster: Cluster, stock: str) -> None:
    flag = "indices.id_field_data.enabled"
    try:
        cluster.request("PUT", "/_cluster/settings", {"transient": {flag: False}})
        assert set(scan_ids(cluster, stock)) == EVERYTHING
    finally:
        cluster.request("PUT", "/_cluster/settings", {"transient": {flag: None}})


def test_a_shard_that_is_gone_is_named(
    opensearch: NodeInfo, cluster: Cluster, index_name: str
) -> None:
    hasty = Cluster(opensearch.url, retries=0)
    shards = {"number_of_shards": 2, "number_of_replicas": 0}
    indices.create(cluster, index_name, {"settings": {"index": shards}})
    write(cluster, index_name)
    try:
        lose_a_shard(opensearch, cluster, index_name)
        for read in (
            lambda: indices.count(hasty, index_name),
            lambda: list(scan(hasty, index_name)),
            lambda: fetch(hasty, index_name, sorted(EVERYTHING), source=["n"]),
            lambda: hasty.request("POST", f"/{index_name}/_search", {}, whole=True),
            lambda: hasty.request("POST", f"/{index_name}/_msearch", b"{}\n{}\n", whole=True),
            lambda: indices.refresh(hasty, index_name),
        ):
            with pytest.raises(PartialAnswer, match="not all of it could be read") as caught:
                read()
            assert index_name in caught.value.message
            assert "_cat/shards" in str(caught.value.hint)
    finally:
        indices.delete(cluster, index_name)


NOWHERE = {"index.routing.allocation.require._name": "no-such-node"}


@contextmanager
def a_place_soon(cluster: Cluster, name: str) -> Iterator[None]:
    """Let the shards of an index that is `NOWHERE` open a second later."""

    def release() -> None:
        cluster.request("PUT", f"/{name}/_settings", dict.fromkeys(NOWHERE))

    later = Timer(1.0, release)
    later.start()
    yield
    later.join()


@pytest.mark.parametrize("read", ["count", "scan", "fetch", "search", "msearch"])
def test_a_shard_that_opens_a_little_later_is_waited_for(
    cluster: Cluster, index_name: str, read: str
) -> None:
    cluster.request("PUT", f"/{index_name}", {"settings": NOWHERE}, {"wait_for_active_shards": "0"})
    path = f"/{index_name}/_{read}"
    patient = Cluster(cluster.url)
    reads: dict[str, Callable[[], object]] = {
        "count": lambda: indices.count(patient, index_name),
        "scan": lambda: len(list(scan(patient, index_name))),
        "fetch": lambda: len(fetch(patient, index_name, ["a"], source=["n"])),
        "search": lambda: patient.request("POST", path, {}, whole=True)["hits"]["total"]["value"],
        "msearch": lambda: patient.request("POST", path, b"{}\n{}\n", whole=True)["responses"][0][
            "hits"
        ]["total"]["value"],
    }
    try:
        with a_place_soon(cluster, index_name):
            assert reads[read]() == 0
    finally:
        indices.delete(cluster, index_name)


def test_an_index_that_was_created_can_be_read_at_once(
    cluster: Cluster, index_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy cluster, creation is answered before the shards are there."""
    plain = Cluster._send

    def hasty(self: Cluster, method: str, path: str, body: Any, params: Any, timeout: float) -> Any:
        if (method, path) == ("PUT", f"/{index_name}"):
            params = {"timeout": "10ms"}
        return plain(self, method, path, body, params, timeout)

    monkeypatch.setattr(Cluster, "_send", hasty)
    with a_place_soon(cluster, index_name):
        indices.create(cluster, index_name, {"settings": NOWHERE})
    impatient = Cluster(cluster.url, retries=0)
    assert fetch(impatient, index_name, ["a"], source=["n"]) == {}
    assert indices.count(impatient, index_name) == 0
    indices.delete(cluster, index_name)


def test_documents_that_are_not_kept(cluster: Cluster, index_name: str) -> None:
    indices.create(cluster, index_name, {"mappings": {"_source": {"enabled": False}}})
    try:
        write(cluster, index_name, 3)
        with pytest.raises(DataError, match=f"index {index_name} does not keep its documents"):
            list(IndexSource(cluster, index_name).rows())
        assert set(scan_ids(cluster, index_name)) == {"0", "1", "2"}
    finally:
        indices.delete(cluster, index_name)


def test_half_an_emoji_is_read(cluster: Cluster, index_name: str) -> None:
    indices.create(cluster, index_name, {})
    try:
        line = rb'{"title":"half \ud83d and \\ud83d, whole \ud83d\ude00 and","n":0.1}'
        body = b'{"index":{"_id":"a"}}\n' + line + b"\n"
        cluster.request("POST", f"/{index_name}/_bulk", body, {"refresh": "true"})
        (rows,) = IndexSource(cluster, index_name).rows()
        assert rows == [
            {"_id": "a", "title": "half \ufffd and \\ud83d, whole \U0001f600 and", "n": 0.1}
        ]
    finally:
        indices.delete(cluster, index_name)


def test_an_index_that_is_not_there(cluster: Cluster, index_name: str) -> None:
    with pytest.raises(ClusterError, match=f"{index_name}: no such index or alias"):
        list(scan(cluster, index_name))
