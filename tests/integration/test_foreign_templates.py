"""Templates, pipelines and aliases that others made: an index of ours is what we asked for."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.addresses import write_aliases
from seealso.cluster.foreign import find_templates
from seealso.cluster.node import NodeInfo
from seealso.config import IndexSettings
from seealso.errors import MappingMismatch
from seealso.indexer import build as building
from seealso.indexer.attach.running import attach
from seealso.indexer.creation import compare, create_index
from seealso.indexer.events.store import EventStore
from seealso.indexer.mapping import loading_body, vector_field
from seealso.readers import Problems
from tests.integration.catalogues import OpenShop, Shop, films, views
from tests.integration.gateways import Refusal, Request, gateway
from tests.integration.owners import OpenStack
from tests.members import NAMES

FIELDS = {
    "title": {"type": "text", "analyzer": "standard"},
    "vector": vector_field(IndexSettings(), 4, "innerproduct"),
    "counted": {"type": "object", "enabled": False},
}

HOSTILE: Mapping[str, Any] = {
    "settings": {
        "index.default_pipeline": "spoils",
        "index.final_pipeline": "spoils",
        "index.number_of_replicas": 3,
        "index.routing.allocation.total_shards_per_node": 7,
        "index.sort.field": "theirs",
    },
    "mappings": {
        "dynamic": "true",
        "_source": {"excludes": ["title"]},
        "_routing": {"required": True},
        "dynamic_templates": [{"all": {"match": "*", "mapping": {"type": "keyword"}}}],
        "properties": {
            "title": {"type": "text", "copy_to": "theirs"},
            "theirs": {"type": "keyword"},
        },
    },
}

Put = Callable[[str, Mapping[str, Any]], None]


@pytest.fixture
def put_template(opensearch: NodeInfo, index_name: str) -> Iterator[Put]:
    """Store a template, ``composable``, ``component`` or ``legacy``, until the test ends."""
    cluster = Cluster(opensearch.url, retries=0)
    stored: list[str] = []

    def put(kind: str, body: Mapping[str, Any]) -> None:
        path = {"composable": "_index_template", "component": "_component_template"}.get(kind)
        path = f"/{path or '_template'}/theirs-{index_name}"
        stored.append(path)
        cluster.request("PUT", path, body)

    yield put
    for path in reversed(stored):
        cluster.request("DELETE", path, params={"ignore": 404})


def body() -> dict[str, Any]:

    return loading_body(IndexSettings(), {"state": "building"}, FIELDS)


@pytest.fixture(params=["none", "composable", "component", "legacy", "stream"])
def hostile(request: pytest.FixtureRequest, put_template: Put, index_name: str) -> str:
    """What an operator's templates would add to indices of that name."""
    given = {**HOSTILE, "aliases": {index_name: {}}}
    patterns = {"index_patterns": [f"{index_name}-2*"]}
    if request.param == "composable":
        put_template("composable", {**patterns, "priority": 500, "template": given})
    elif request.param == "component":
        put_template("component", {"template": given})
        put_template("composable", {**patterns, "composed_of": [f"theirs-{index_name}"]})
    elif request.param == "legacy":
        put_template("legacy", {**patterns, "order": 3, **given})
    elif request.param == "stream":
        put_template("composable", {**patterns, "data_stream": {}})
    return str(request.param)


def test_an_index_is_what_was_asked_for(
    opensearch: NodeInfo, index_name: str, hostile: str
) -> None:
    cluster = Cluster(opensearch.url, retries=0)
    name = indices.new_name(index_name)
    assert (find_templates(cluster, name) is None) == (hostile == "none")
    create_index(cluster, name, body())
    try:
        found = cluster.request("GET", f"/{name}", params={"flat_settings": "true"})[name]
        assert found["aliases"] == write_aliases(name)
        assert found["settings"]["index.default_pipeline"] == "_none"
        assert found["settings"]["index.number_of_replicas"] == "0"
        assert "index.sort.field" not in found["settings"]
        assert set(found["mappings"]["properties"]) == set(FIELDS)
        assert "copy_to" not in found["mappings"]["properties"]["title"]
        # where shards may stand is the operators' to say
        kept = found["settings"].get("index.routing.allocation.total_shards_per_node")
        assert kept == (None if hostile in ("none", "stream") else "7")
        document = {"title": "A film", "vector": [1.0, 2.0, 3.0, 4.0]}
        cluster.request("PUT", f"/{name}/_doc/1", document)
        assert cluster.request("GET", f"/{name}/_doc/1")["_source"] == document
    finally:
        indices.delete(cluster, name)
    left = cluster.request("GET", "/_index_template")["index_templates"]
    assert f"seealso-{index_name}" not in [one["name"] for one in left]


def test_whatever_differs_is_named(opensearch: NodeInfo, index_name: str) -> None:
    cluster, asked = Cluster(opensearch.url, retries=0), body()
    create_index(cluster, index_name, asked)
    try:
        compare(cluster, index_name, asked)
        cluster.request("PUT", f"/{index_name}/_alias/{index_name}-alias")
        with pytest.raises(MappingMismatch, match=f"has the alias {index_name}-alias"):
            compare(cluster, index_name, asked)
        cluster.request("DELETE", f"/{index_name}/_alias/{index_name}-alias")
        pipeline = {"index.final_pipeline": "spoils"}
        cluster.request("PUT", f"/{index_name}/_settings", pipeline)
        with pytest.raises(MappingMismatch, match=r"index\.final_pipeline is spoils, not _none"):
            compare(cluster, index_name, asked)
        cluster.request("PUT", f"/{index_name}/_settings", {"index.final_pipeline": "_none"})
        field = {"properties": {"theirs": {"type": "keyword"}}}
        cluster.request("PUT", f"/{index_name}/_mapping", field)
        with pytest.raises(MappingMismatch, match="has a field theirs"):
            compare(cluster, index_name, asked)
    finally:
        indices.delete(cluster, index_name)


@pytest.fixture
def shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Iterator[Shop]:
    """A shop in whose names an operator's template takes an interest."""
    made = open_shop(opensearch_latest.url)
    made.stock(films(12), views({"f1": 3}))
    spoils = {"processors": [{"set": {"field": "title", "value": "spoilt"}}]}
    made.cluster.request("PUT", f"/_ingest/pipeline/{made.alias}", spoils)
    yield made
    made.clear()
    for kind in ("_index_template", "_ingest/pipeline"):
        made.cluster.request("DELETE", f"/{kind}/{made.alias}", params={"ignore": 404})


def intrude(shop: Shop) -> None:
    template = {
        "aliases": {shop.alias: {}},
        "settings": {"default_pipeline": shop.alias, "final_pipeline": shop.alias},
        "mappings": {"_source": {"excludes": ["text"]}},
    }
    body = {"index_patterns": [f"{shop.alias}-2*"], "template": template}
    shop.cluster.request("PUT", f"/_index_template/{shop.alias}", body)


def test_a_template_puts_no_half_built_index_behind_the_alias(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the alias move in spite of --no-swap, nor does a pipeline spoil what is loaded."""
    first = shop.build().index
    intrude(shop)
    seen = []
    plain = building.write_catalogue

    def look(*arguments: Any, **options: Any) -> Any:
        seen.append(indices.resolve_alias(shop.cluster, shop.alias))
        return plain(*arguments, **options)

    monkeypatch.setattr(building, "write_catalogue", look)
    second = shop.build(swap=False).index
    assert shop.live == first
    assert seen == [[first]]
    stored = shop.cluster.request("GET", f"/{second}/_doc/f3")["_source"]
    assert stored["title"] == films(4)[3]["title"]
    assert stored["text"].startswith(stored["title"])


def test_who_may_not_look_at_templates_is_told(shop: Shop) -> None:
    """The index is gone before anything is loaded into it."""
    intrude(shop)

    def admit(request: Request) -> Refusal | None:
        if request.target.startswith(("/_index_template", "/_template")):
            error = {"type": "security_exception", "reason": "no permissions"}
            return 403, orjson.dumps({"error": {"root_cause": [error], **error}, "status": 403})
        return None

    with gateway(shop.url, admit) as running:
        shop.url, url = running.url, shop.url
        with pytest.raises(MappingMismatch, match=f"has the alias {shop.alias}") as told:
            shop.build()
        shop.url = url
    assert "an index template of the cluster" in (told.value.hint or "")
    assert shop.names == []
    assert shop.live is None


def test_a_copy_stands_behind_no_alias_before_it_is_whole(
    opensearch_latest: NodeInfo, open_stack: OpenStack
) -> None:
    """The template that once made the owner's index matches its copy, too."""
    stack = open_stack(opensearch_latest.url)
    intrude(stack.shop)
    before = stack.answers()
    try:
        report = attach(stack.cluster, stack.settings, stack.alias, Problems("stop"))
    finally:
        stack.cluster.request("DELETE", f"/_index_template/{stack.alias}")
    assert stack.answers() == before
    assert indices.resolve_alias(stack.cluster, stack.alias) == [report.index]


def test_live_events_are_kept_from_templates_as_well(shop: Shop) -> None:
    """Operators have templates and pipelines for whatever is called events."""
    spoils = {"default_pipeline": shop.alias, "final_pipeline": shop.alias}
    given = {"settings": spoils, "mappings": {"_source": {"excludes": ["item"]}}}
    body = {"index_patterns": [f"{shop.alias}-events*"], "template": given}
    shop.cluster.request("PUT", f"/_index_template/{shop.alias}", body)
    store = EventStore.open(shop.cluster, shop.settings(), NAMES)
    try:
        found = shop.cluster.request("GET", f"/{store.name}")[store.name]
        index = found["settings"]["index"]
        assert (index["default_pipeline"], index["final_pipeline"]) == ("_none", "_none")
        assert "_source" not in found["mappings"]
    finally:
        indices.delete(shop.cluster, store.name)
