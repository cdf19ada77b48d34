"""Reading somebody's index does its searches no harm: docs/decisions/0006-reading-others.md."""

from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import orjson
import pytest

from seealso.cluster import Cluster, IndexSource, indices
from seealso.cluster.node import NodeInfo
from seealso.config import IndexSettings
from seealso.errors import ClusterError
from seealso.indexer.attach.running import attach, plan_attach
from seealso.indexer.mapping import vector_field
from seealso.readers import Problems
from tests.integration.catalogues import OpenShop, Shop, films, views

FILMS = 120
SEGMENTS = 3

SEARCHES: tuple[dict[str, Any], ...] = (
    {"query": {"match": {"title": "sailor castle"}}, "size": FILMS},
    {"query": {"match_all": {}}, "sort": ["price", "_doc"], "size": FILMS},
    {"query": {"knn": {"theirs": {"vector": [1.0, 0.5, 0.2, 0.1], "k": 9}}}, "size": 9},
    {
        "query": {
            "script_score": {
                "query": {"term": {"kind": "western"}},
                "script": {
                    "lang": "knn",
                    "source": "knn_score",
                    "params": {
                        "field": "theirs",
                        "query_value": [1.0, 0.5, 0.2, 0.1],
                        "space_type": "innerproduct",
                    },
                },
            }
        }
    },
)
"""What the owner's clients ask: words, everything, the graph, and vectors one by one."""


def answers(cluster: Cluster, name: str) -> list[Any]:
    found: list[Any] = []
    for body in SEARCHES:
        answer = cluster.request("POST", f"/{name}/_search", body, whole=True)
        found.append(
            [(hit["_id"], hit["_score"], hit["_source"]) for hit in answer["hits"]["hits"]]
        )
    many = cluster.request("POST", f"/{name}/_mget", {"ids": ["f1", f"f{FILMS - 1}"]})
    return [*found, [one["_source"] for one in many["docs"]]]


@pytest.fixture(params=["segments", "merged"])
def shop(
    request: pytest.FixtureRequest, opensearch: NodeInfo, open_shop: OpenShop
) -> Iterator[Shop]:
    """A shop whose owner searches by words and by derived vectors of their own.

    The documents are flat: a scroll does its harm where documents lie next to each other.
    """
    made = open_shop(opensearch.url)
    name, cluster = f"owned-{made.alias}", made.cluster
    fields = {
        "title": {"type": "text"},
        "description": {"type": "text"},
        "kind": {"type": "keyword"},
        "price": {"type": "double"},
        "theirs": vector_field(IndexSettings(), 4, "innerproduct"),
    }
    settings = {"knn": True, "knn.derived_source.enabled": True, "number_of_replicas": 0}
    cluster.request(
        "PUT",
        f"/{name}",
        {"settings": {"index": settings}, "mappings": {"properties": fields}},
    )
    stock = films(FILMS)
    for film in stock:
        number = int(film.pop("item_id")[1:])
        film["theirs"] = [number / FILMS, 1 - number / FILMS, 0.25, 0.5]
    for part in range(SEGMENTS):
        lines = b"".join(
            orjson.dumps({"index": {"_id": f"f{n}"}}) + b"\n" + orjson.dumps(stock[n]) + b"\n"
            for n in range(part * FILMS // SEGMENTS, (part + 1) * FILMS // SEGMENTS)
        )
        cluster.request("POST", f"/{name}/_bulk", lines, {"refresh": "true"})
    if request.param == "merged":
        cluster.request("POST", f"/{name}/_forcemerge", params={"max_num_segments": 1})
        indices.refresh(cluster, name)
    made.stock([], views({"f1": 3}))
    made.sections["catalogue"] = {"path": None, "index": name, "id": "_id"}
    yield made
    indices.delete(cluster, name)


@pytest.fixture
def owned(shop: Shop) -> str:
    return f"owned-{shop.alias}"


def while_searching(shop: Shop, name: str, work: Callable[[], object]) -> None:
    """Do `work` while the owner searches, and compare the answers before, meanwhile and after."""
    before, ended = answers(shop.cluster, name), Event()
    seen: list[object] = []

    def search() -> None:
        while not ended.is_set():
            try:
                seen.append(answers(shop.cluster, name) == before)
            except ClusterError as exc:
                seen.append(exc.message)

    searching = Thread(target=search)
    searching.start()
    try:
        work()
    finally:
        ended.set()
        searching.join()
    assert seen
    assert set(seen) == {True}
    assert answers(shop.cluster, name) == before


def test_a_catalogue_is_read_without_its_vectors(shop: Shop, owned: str) -> None:
    rows: list[dict[str, Any]] = []

    def read() -> None:
        for batch in IndexSource(shop.cluster, owned).rows():
            rows.extend(batch)

    while_searching(shop, owned, read)
    assert len(rows) == FILMS
    assert all("theirs" not in row and row["title"] for row in rows)


def test_an_index_is_attached_to(shop: Shop, owned: str) -> None:
    plan = plan_attach(shop.cluster, shop.settings(), owned, Problems("stop"))

    def attached() -> None:
        report = attach(shop.cluster, shop.settings(), owned, Problems("stop"))
        assert (report.plan.way, report.written) == (plan.way, FILMS)

    if plan.way == "copy":
        while_searching(shop, owned, attached)
    else:
        # in place, documents get a later version: scores of words move until segments are merged
        attached()
    stored = shop.documents("f7")["f7"]
    assert stored["theirs"] == pytest.approx([7 / FILMS, 1 - 7 / FILMS, 0.25, 0.5])
    assert len(shop.cluster.request("POST", f"/{owned}/_search", SEARCHES[2])["hits"]["hits"]) == 9
    assert attach(shop.cluster, shop.settings(), owned, Problems("stop")).written == 0
