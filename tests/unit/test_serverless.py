"""What OpenSearch Serverless lacks, told apart from what it has."""

import pytest

from seealso.cluster.serverless import lacking


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("GET", "/", "version"),
        ("PUT", "/films-20260101", "ids of their own"),
        ("POST", "/films/_bulk", "ids of their own"),
        ("POST", "/films/_refresh", "refresh"),
        ("POST", "/films/_forcemerge", "force-merge"),
        ("PUT", "/_scripts/seealso-exact", "stored scripts"),
        ("POST", "/_msearch/template", "stored template"),
        ("POST", "/films/_update_by_query", "updates by query"),
    ],
)
def test_lacking(method: str, path: str, says: str) -> None:
    assert says in str(lacking(method, path))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/films/_msearch"),
        ("POST", "/films/_search"),
        ("POST", "/films/_search/point_in_time"),
        ("POST", "/films/_mget"),
        ("GET", "/films/_count"),
        ("GET", "/films/_alias/films"),
        ("GET", "/films-20260101/_mapping"),
        ("GET", "/_cat/indices"),
        ("PUT", "/films-20260101/_mapping"),
        ("POST", "/_aliases"),
        ("DELETE", "/films-20260101"),
    ],
)
def test_offered(method: str, path: str) -> None:
    assert lacking(method, path) is None
