"""One contract, two renderers: the package and the cluster make the same body of a template."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import orjson
import pytest

from seealso.cluster import Cluster
from seealso.errors import ClusterError, TemplateError
from seealso.indexer.templates import install
from seealso.query_templates import names, parameters, render, script_id

TEXTS = [
    "",
    " ",
    "red shoes",
    "Ünï 红色的鞋 รองเท้า 👟 \u2028 \u0000 \u001f \x7f",
    'say "hello"\n\t\r\\ back \\" slash',
    '", "size": 10000, "x": "',
    "</script><b>&amp; & ' ` $x",
    "{{x}} {{{x}}} {{#toJson}}vector{{/toJson}} {{/words}} {{! no }} }}",
    "0",
    "false",
]
LONG = np.random.default_rng(7).normal(size=4096).astype(np.float32)
VECTORS = [[0.0, 1.0], [0], [1e-12, -0.0, 1.5e300, -7], LONG[:384].tolist(), LONG.tolist()]
CLAUSES = [{"term": {"genre": text}} for text in TEXTS] + [
    {"bool": {"filter": [{"terms": {"size": [1, 2.5, True, None]}}], "must_not": []}},
    {"nested": {"path": "filter", "exclude": {"0": {"vector": {}}}, "k": -1e-9, "words": "x"}},
]
EVERYTHING: dict[str, Any] = {
    "vector": [0.25, -1.0],
    "size": 7,
    "k": 9,
    "ef_search": 64,
    "exclude": ["a", "b"],
    "filter": [{"term": {"genre": "jazz"}}],
    "min_score": 0.25,
    "b": -0.5,
    "T": 1.5,
    "source": ["item_id", "title"],
    "fields": ["title^2", "text"],
    "words": "red shoes",
    "space": "l2",
    "weight": 0.5,
    "query": {"match": {"title": 'a "quoted" {{x}}'}},
    "from": 3,
    "sort": [{"_score": "desc"}, {"price": {"order": "asc"}}],
    "aggs": {"kinds": {"terms": {"field": "kind"}, "aggs": {"sum": {"sum": {"field": "price"}}}}},
    "highlight": {"fields": {"title": {}}},
    "collapse": {"field": "kind"},
    "post_filter": {"term": {"kind": "{{y}}"}},
    "suggest": {"again": {"text": "tennt", "term": {"field": "title"}}},
    "neutral": -0.25,
    "candidates": [{"knn": {"vector": {"vector": [1.0], "k": 2}}}, {"match": {"text": "{{x}}"}}],
    "members": [{"exists": {"field": "vector", "_name": "0"}}],
    "explain": True,
    "docvalues": ["item_id", "tail"],
    "ids": ["i1", 'with "quotes"'],
    "boosts": {"i1": 0.5, 'with "quotes" and {{x}}': -0.25},
}
NEEDED = {
    name: EVERYTHING[name]
    for name in ("vector", "words", "query", "candidates", "members", "ids", "boosts")
}
CASES: dict[str, dict[str, Any]] = {
    "only what is needed": {},
    "everything": EVERYTHING,
    "empty lists": {"exclude": [], "filter": [], "source": [], "fields": [], "docvalues": []},
    "null": dict.fromkeys(EVERYTHING.keys() - NEEDED.keys()),
    "false": dict.fromkeys(EVERYTHING.keys() - NEEDED.keys(), False),
    "zero": {"size": 0, "min_score": 0, "b": 0, "weight": 0, "from": 0, "neutral": 0},
    "zero as a float": {"min_score": 0.0, "b": -0.0, "weight": 0.0},
    "tiny and large numbers": {"size": 10**9, "b": -1e-300, "T": 1e22, "min_score": 1e-9},
    "no vector where it may be left out": {"vector": None},
    "ids of any kind": {"exclude": [*TEXTS[1:], "-1"]},
    "a first id that is empty": {"exclude": ["", "a"]},
    "many ids": {"exclude": [f"item-{n}" for n in range(3000)]},
    "filters of any kind": {"filter": CLAUSES},
    "an empty clause first": {"filter": [{}, {"match_all": {}}]},
    "fields of any kind": {"fields": TEXTS[1:], "source": TEXTS[1:]},
    "exclude without filter": {"exclude": ["a"]},
    "filter without exclude": {"filter": CLAUSES[:1]},
    "size without k": {"size": 3},
    "k without size": {"k": 3},
} | {f"vector {n}": {"vector": vector} for n, vector in enumerate(VECTORS)}
CASES |= {f"words {n}": {"words": text} for n, text in enumerate(TEXTS)}


class Node(Protocol):
    url: str


@pytest.fixture
def cluster(opensearch: Node) -> Iterator[Cluster]:
    cluster = Cluster(opensearch.url)
    install(cluster)
    yield cluster
    cluster.close()


def rendered_by_cluster(cluster: Cluster, name: str, params: dict[str, Any]) -> Any:
    body = {"id": script_id(name), "params": params}
    return cluster.request("POST", "/_render/template", body)["template_output"]


def needs(name: str) -> set[str]:
    return {parameter for parameter, needed in parameters(name).items() if needed}


@pytest.mark.parametrize("name", names())
def test_package_and_cluster_render_the_same(cluster: Cluster, name: str) -> None:
    for case, changes in CASES.items():
        params = NEEDED | changes
        if any(params[needed] is None for needed in needs(name)):
            continue
        mine = orjson.loads(render(name, params))
        assert mine == rendered_by_cluster(cluster, name, params), case


@pytest.mark.parametrize("name", sorted(n for n in names() if needs(n)))
def test_neither_renders_without_what_is_needed(cluster: Cluster, name: str) -> None:
    params = {key: value for key, value in EVERYTHING.items() if key not in needs(name)}
    with pytest.raises(TemplateError, match="is missing"):
        render(name, params)
    if name != "tail":  # the cluster searches for no words, and finds nothing
        with pytest.raises(ClusterError):
            rendered_by_cluster(cluster, name, params)


@pytest.mark.parametrize("text", TEXTS)
def test_text_of_a_user_stays_text_in_the_cluster(cluster: Cluster, text: str) -> None:
    made = rendered_by_cluster(cluster, "tail", {"words": text})
    assert made["query"]["bool"]["must"]["multi_match"].pop("query") == text
    plain = rendered_by_cluster(cluster, "tail", {"words": "x"})
    assert plain["query"]["bool"]["must"]["multi_match"].pop("query") == "x"
    assert made == plain


@pytest.mark.parametrize("parameter", ["size", "min_score", "weight"])
def test_text_in_place_of_a_number_cannot_add_to_the_query(
    cluster: Cluster, parameter: str
) -> None:
    params = {"words": "x", "vector": [1.0], parameter: '1, "track_total_hits": true'}
    with pytest.raises(TemplateError, match=f"parameter {parameter} must be a"):
        render("tail", params)
    with pytest.raises(ClusterError):
        rendered_by_cluster(cluster, "tail", params)


def test_installing_again_writes_nothing(cluster: Cluster) -> None:
    assert install(cluster) == []


def test_arrays_render_as_the_cluster_renders_their_list(cluster: Cluster) -> None:
    for array in (LONG / 3, LONG.astype(np.float64) / 3):
        sent = orjson.loads(orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY))
        mine = orjson.loads(render("exact", {"vector": array}))
        assert mine == rendered_by_cluster(cluster, "exact", {"vector": sent})
