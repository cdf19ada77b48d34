"""Answers that are lost or late, requests that are too large: nothing is done twice or half."""

from collections.abc import Iterator

import orjson
import pytest

from seealso.cluster import BulkWriter, Cluster, fetch, indices, merging
from seealso.cluster.addresses import write_aliases
from seealso.cluster.conditional import Change, create, rewrite
from seealso.cluster.node import NodeInfo
from seealso.errors import BulkWriteError, ClusterError
from seealso.indexer.creation import create_index
from tests.faults import lose_an_answer
from tests.integration.gateways import Refusal, Request, gateway

BODY = {"mappings": {"_meta": {"seealso": {"alias": "x", "at": 1.5}}, "dynamic": True}}
TEXT = {"text": "x" * 100}


@pytest.fixture
def cluster(opensearch_latest: NodeInfo) -> Iterator[Cluster]:
    cluster = Cluster(opensearch_latest.url, retries=2)
    yield cluster
    cluster.close()


@pytest.fixture
def name(cluster: Cluster, index_name: str) -> Iterator[str]:
    """An index as seealso makes them."""
    create_index(cluster, index_name, BODY)
    yield index_name
    indices.delete(cluster, index_name)


def test_an_index_that_was_made_is_no_failure(
    cluster: Cluster, index_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_an_answer(monkeypatch, "PUT", index_name)
    indices.create(cluster, index_name, BODY)
    other = {"mappings": {"_meta": {"seealso": {"alias": "another"}}}}
    with pytest.raises(ClusterError, match="already_exists"):
        indices.create(cluster, index_name, other)
    indices.delete(cluster, index_name)


def test_a_merge_is_asked_for_once_and_waited_for(
    cluster: Cluster, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "LOOK_S", 0.05)
    for number in range(5):
        with BulkWriter(cluster, name) as writer:
            writer.index(str(number), TEXT)
        indices.refresh(cluster, name)
    asked = lose_an_answer(monkeypatch, "POST", "_forcemerge")
    indices.finish_loading(cluster, name, replicas=0, merge=True)
    assert len(asked) == 1
    stats = cluster.request("GET", f"/{name}/_stats/segments")["_all"]["primaries"]
    assert stats["segments"]["count"] == 1


def test_a_gateway_that_ends_a_long_merge(cluster: Cluster, name: str) -> None:
    """As gateways do after sixty seconds: 504, while OpenSearch goes on."""
    asked = []

    def late(request: Request) -> Refusal | None:
        if "_forcemerge" not in request.target:
            return None
        asked.append(request.target)
        cluster.request("POST", f"/{name}/_forcemerge", params={"max_num_segments": 1})
        return 504, b"<html>gateway time-out</html>"

    with gateway(cluster.url, late) as running:
        with BulkWriter(cluster, name) as writer:
            writer.index("a", TEXT)
        indices.finish_loading(Cluster(running.url), name, replicas=0, merge=True)
    assert len(asked) == 1


@pytest.mark.parametrize("limit", [2_000, 700])
def test_a_gateway_with_a_limit_of_size(cluster: Cluster, name: str, limit: int) -> None:
    asked = []

    def narrow(request: Request) -> Refusal | None:
        asked.append(len(request.body))
        return (413, b"<html>too large</html>") if len(request.body) > limit else None

    with gateway(cluster.url, narrow) as running:
        behind = Cluster(running.url, retries=0)
        with BulkWriter(behind, name, threads=1, chunk_bytes=8_000) as writer:
            for number in range(200):
                writer.index(str(number), TEXT)
        assert writer.written == 200
        # it learns: the bodies of later requests are small enough
        assert sum(size > limit for size in asked) < 60
        some = {f"c{n}": TEXT for n in range(40)}
        assert create(behind, name, some) == {}
        writer = BulkWriter(behind, name)
        writer.index("large", {"text": "x" * 9_000})
        writer.index("small", TEXT)
        with pytest.raises(BulkWriteError, match="1 of 2 documents") as caught, writer:
            pass
    assert "9" in caught.value.failed[0][1]
    assert "takes" in caught.value.message
    indices.refresh(cluster, name)
    assert indices.count(cluster, name) == 241


@pytest.mark.parametrize("made_by", ["seealso", "others"])
def test_writing_never_creates_an_index(cluster: Cluster, index_name: str, made_by: str) -> None:
    with pytest.raises(ClusterError, match=f"{index_name}: no such index"):
        BulkWriter(cluster, index_name)
    with pytest.raises(ClusterError, match=f"{index_name}: no such index"):
        create(cluster, index_name, {"a": TEXT})
    assert not cluster.exists(f"/{index_name}")
    make = create_index if made_by == "seealso" else indices.create
    make(cluster, index_name, BODY)
    writer = BulkWriter(cluster, index_name)
    indices.delete(cluster, index_name)
    writer.index("a", TEXT)
    writer.update("b", {"doc": TEXT})
    writer.delete("c")
    with pytest.raises(BulkWriteError, match="3 of 3 documents were refused") as caught, writer:
        pass
    assert "deleted the index" in str(caught.value.hint)
    assert not cluster.exists(f"/{index_name}")


@pytest.mark.parametrize("taken_by", ["index", "alias"])
def test_an_index_whose_alias_belongs_to_another_is_not_written_to(
    cluster: Cluster, index_name: str, taken_by: str
) -> None:
    (alias,) = write_aliases(index_name)
    other = alias if taken_by == "index" else f"{index_name}-other"
    indices.create(cluster, index_name, {})
    indices.create(cluster, other, {})
    if taken_by == "alias":
        cluster.request("PUT", f"/{other}/_alias/{alias}")
    try:
        with pytest.raises(ClusterError, match=f"{index_name}: is written to by the alias {alias}"):
            BulkWriter(cluster, index_name)
    finally:
        indices.delete(cluster, index_name)
        indices.delete(cluster, other)


def test_a_document_that_is_gone_is_no_failure(cluster: Cluster, name: str) -> None:
    with BulkWriter(cluster, name) as writer:
        writer.delete("absent")
        writer.update("absent", {"doc": TEXT})
        writer.index("a", TEXT)
    assert set(fetch(cluster, name, ["a", "absent"], source=["text"])) == {"a"}


def test_what_was_written_by_the_lost_request_is_not_somebody_elses(
    cluster: Cluster, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(cluster, name, {"old": {"n": 1}})
    lose_an_answer(monkeypatch, "POST", "/_bulk")
    assert create(cluster, name, {"old": {"n": 2}, "new": {"n": 0.1}}) == {"old": {"n": 1}}
    found = fetch(cluster, name, ["old", "new"], source=["n"])
    assert {key: hit["_source"]["n"] for key, hit in found.items()} == {"old": 1, "new": 0.1}


def test_a_change_whose_answer_was_lost_is_made_once(
    cluster: Cluster, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(cluster, name, {"a": {"n": 1}})
    lose_an_answer(monkeypatch, "POST", "/_bulk")
    wanted = {"n": 5}
    rewrite(
        cluster,
        name,
        ["a", "b"],
        ["n"],
        lambda found: {key: Change("index", wanted) for key, one in found.items() if one != wanted},
    )
    found = fetch(cluster, name, ["a", "b"], source=["n"])
    assert [hit["_version"] for hit in found.values()] == [2, 1]


def test_a_document_that_is_deleted_while_it_is_changed_is_read_again(
    cluster: Cluster, name: str
) -> None:
    create(cluster, name, {"a": {"n": 1}})
    seen = []

    def derive(found: object) -> dict[str, Change]:
        seen.append(orjson.loads(orjson.dumps(found)))
        cluster.request("DELETE", f"/{name}/_doc/a", params={"ignore": 404})
        there = seen[-1]["a"] is not None
        return {"a": Change("update", {"doc": {"n": 2}})} if there else {}

    assert rewrite(cluster, name, ["a"], ["n"], derive) == 0
    assert seen == [{"a": {"n": 1}}, {"a": None}]


def test_the_alias_for_writing_is_met_by_no_wildcard(cluster: Cluster, name: str) -> None:
    (alias,) = write_aliases(name)
    assert list(cluster.request("GET", f"/{alias}")) == [name]
    assert list(cluster.request("GET", f"/{name}-w*")) == []
