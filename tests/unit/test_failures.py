"""What OpenSearch answers becomes one readable error, whatever the answer lacks."""

import pytest
from opensearchpy.exceptions import AuthorizationException, RequestError, TransportError

from seealso.cluster.failures import block_cure, deepest_cause, meaning
from seealso.errors import MappingMismatch, Unavailable

URL = "http://search.example.org"


def test_a_search_that_no_shard_answers() -> None:
    error = {
        "root_cause": [],
        "type": "search_phase_execution_exception",
        "reason": "all shards failed",
        "failed_shards": [],
    }
    exc = TransportError(503, error["type"], {"error": error, "status": 503})
    found = meaning(exc, URL, "/films/_search")
    assert type(found) is Unavailable
    expected = "search_phase_execution_exception: all shards failed"
    assert found.message == f"{URL}: OpenSearch is too busy: {expected}"


def test_the_deepest_cause_is_told() -> None:
    inner = {"type": "illegal_argument_exception", "reason": "Vector dimension mismatch"}
    outer = {"type": "mapper_parsing_exception", "reason": "failed", "caused_by": inner}
    assert deepest_cause(outer) == "illegal_argument_exception: Vector dimension mismatch"
    assert deepest_cause({}) == "error: "


@pytest.mark.parametrize(
    ("block", "index", "cure"),
    [
        # behind an alias, the index that is blocked is the one to mend
        ("index [a] blocked by: [FORBIDDEN/8/index write (api)];", "a", "PUT INDEX/_settings"),
        ("blocked by: [FORBIDDEN/6/cluster read-only (api)];", "films", "PUT _cluster/settings"),
    ],
)
def test_a_block_is_named_with_its_cure(block: str, index: str, cure: str) -> None:
    cause = {"type": "cluster_block_exception", "reason": block}
    exc = AuthorizationException(403, cause["type"], {"error": {"root_cause": [cause], **cause}})
    found = meaning(exc, URL, "/films")
    assert found.message == f"{index}: is read-only: cluster_block_exception: {block}"
    assert cure in str(found.hint)
    assert block_cure("mapper_parsing_exception: failed") is None


def test_a_missing_plugin_is_told_from_a_missing_setting() -> None:
    def refusal(setting: str) -> RequestError:
        reason = f"unknown setting [{setting}] please check that any required plugins are installed"
        cause = {"type": "illegal_argument_exception", "reason": reason}
        return RequestError(400, cause["type"], {"error": {"root_cause": [cause], **cause}})

    absent = meaning(refusal("index.knn"), URL, "/films")
    assert type(absent) is MappingMismatch
    assert absent.message == f"{URL}: the k-NN plugin is not installed in this cluster"
    old = meaning(refusal("index.knn.derived_source.enabled"), URL, "/films")
    assert "index.knn.derived_source.enabled" in old.message
