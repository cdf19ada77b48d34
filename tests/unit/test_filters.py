"""Filters on a field that an index does not have are refused: OpenSearch ignores them."""

from typing import Any

import pytest

from seealso.cluster.fields import IndexFields
from seealso.errors import ConfigError
from seealso.plugin.rules.filters import check_filters, filtered_fields

FIELDS = IndexFields(
    {"kind": "keyword", "year": "integer", "maker.name": "keyword", "more": "flat_object"},
    {"maker": "object", "vector": "knn_vector"},
)

LET_PASS: list[Any] = [
    {"term": {"kind": "poetry"}},
    {"term": {"kind": {"value": "poetry", "boost": 2}}},
    {"range": {"year": {"gte": 1900}}},
    {"bool": {"must_not": [{"terms": {"maker.name": ["a"], "boost": 1}}]}},
    {"exists": {"field": "maker"}},
    {"nested": {"path": "maker", "query": {"term": {"maker.name": "a"}}}},
    {"term": {"more.colour": "red"}},
    {"ids": {"values": ["b1"]}},
    {"term": {"_id": "b1"}},
    {"match_all": {}},
    {"multi_match": {"query": "a", "fields": ["kind^2", "ti*"]}},
    {"script": {"script": {"source": "true", "params": {"range": {"low": 1}}}}},
    {"sing": 7},
]


@pytest.mark.parametrize("clause", LET_PASS, ids=str)
def test_what_is_there_may_be_filtered_by(clause: Any) -> None:
    check_filters("books", FIELDS, (clause,))


@pytest.mark.parametrize(
    ("clause", "field"),
    [
        ({"term": {"knd": "poetry"}}, "knd"),
        ({"bool": {"must_not": {"term": {"adult": True}}}}, "adult"),
        ({"bool": {"filter": [{"term": {"kind": "a"}}, {"range": {"yaer": {"gte": 1}}}]}}, "yaer"),
        ({"exists": {"field": "prize"}}, "prize"),
        ({"term": {"maker.nmae": "a"}}, "maker.nmae"),
        ({"nested": {"path": "maker", "query": {"match": {"maker.town": "a"}}}}, "maker.town"),
        ({"multi_match": {"query": "a", "fields": ["kind", "titel^3"]}}, "titel"),
    ],
    ids=str,
)
def test_a_field_that_is_not_there_is_named(clause: Any, field: str) -> None:
    with pytest.raises(ConfigError, match="filters: index books has no field") as caught:
        check_filters("books", FIELDS, [clause])
    assert repr(field) in caught.value.message
    assert "build the index again" in str(caught.value.hint)
    assert "build" not in str(caught.value.caller_hint)


def test_clauses_are_searched_through() -> None:
    clause = {"bool": {"should": [{"term": {"a": 1}}, {"bool": {"must": {"prefix": {"b": "x"}}}}]}}
    assert [*filtered_fields(clause)] == ["a", "b"]
    assert [*filtered_fields(None)] == []
