"""What OpenSearch Serverless lacks, told apart from what it has."""

from typing import Any

import pytest

from seealso.cluster.serverless import lacking


@pytest.mark.parametrize(
    ("method", "path", "params", "says"),
    [
        ("GET", "/", None, "version"),
        ("PUT", "/films-20260101", None, "ids of their own"),
        ("POST", "/films/_bulk", None, "ids of their own"),
        ("POST", "/films/_refresh", None, "refresh"),
        ("POST", "/films/_forcemerge", {"max_num_segments": 1}, "force-merge"),
        ("PUT", "/_scripts/seealso-exact", None, "stored scripts"),
        ("POST", "/_msearch/template", None, "stored template"),
        ("POST", "/films/_search", {"scroll": "5m"}, "scroll"),
        ("POST", "/_search/scroll", None, "scroll"),
        ("POST", "/films/_update_by_query", None, "updates by query"),
    ],
)
def test_lacking(method: str, path: str, params: dict[str, Any] | None, says: str) -> None:
    assert says in str(lacking(method, path, params))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/films/_msearch"),
        ("POST", "/films/_search"),
        ("POST", "/films/_mget"),
        ("GET", "/films/_count"),
        ("GET", "/_alias/films"),
        ("GET", "/films-20260101/_mapping"),
        ("GET", "/_cat/indices"),
        ("PUT", "/films-20260101/_mapping"),
        ("POST", "/_aliases"),
        ("DELETE", "/films-20260101"),
    ],
)
def test_offered(method: str, path: str) -> None:
    assert lacking(method, path, {"h": "index"}) is None
