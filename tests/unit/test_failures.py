"""What OpenSearch answers becomes one readable error, whatever the answer lacks."""

import pytest
from opensearchpy.exceptions import AuthorizationException, RequestError, TransportError

from seealso.cluster.blocks import DISK_SECONDS, blocked
from seealso.cluster.failures import deepest_cause, translate
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
    found = translate(exc, URL, "/films/_search")
    assert type(found) is Unavailable
    expected = "search_phase_execution_exception: all shards failed"
    assert found.message == f"{URL}: OpenSearch is too busy: {expected}"


def test_the_deepest_cause_is_told() -> None:
    inner = {"type": "illegal_argument_exception", "reason": "Vector dimension mismatch"}
    outer = {"type": "mapper_parsing_exception", "reason": "failed", "caused_by": inner}
    assert deepest_cause(outer) == "illegal_argument_exception: Vector dimension mismatch"
    assert deepest_cause({}) == "error: "


@pytest.mark.parametrize(
    ("reason", "message", "cure"),
    [
        # behind an alias, the index that is blocked is the one to mend
        (
            "index [a] blocked by: [FORBIDDEN/8/index write (api)];",
            "a: is blocked by index.blocks.write",
            'lift the block: PUT a/_settings {"index.blocks.write": null}',
        ),
        (
            "index [a] blocked by: [FORBIDDEN/8/index write (api), FORBIDDEN/9/index metadata "
            "(api)];index [b] blocked by: [FORBIDDEN/8/index write (api)];",
            "a: is blocked by index.blocks.metadata, index.blocks.write",
            "lift the blocks, each by a request of its own: "
            'PUT a/_settings {"index.blocks.metadata": null}; '
            'PUT a/_settings {"index.blocks.write": null}; '
            'PUT b/_settings {"index.blocks.write": null}',
        ),
        (
            "index [a] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage "
            "watermark, index has read-only-allow-delete block];",
            "a: is blocked by index.blocks.read_only_allow_delete",
            "free disk space or lift the block: "
            'PUT a/_settings {"index.blocks.read_only_allow_delete": null}',
        ),
        (
            "blocked by: [FORBIDDEN/13/cluster read-only / allow delete (api)];",
            "the cluster is blocked by cluster.blocks.read_only_allow_delete",
            "free disk space or lift the block: PUT _cluster/settings "
            '{"persistent": {"cluster.blocks.read_only_allow_delete": null}}',
        ),
        (
            "index [a] blocked by: [FORBIDDEN/99/of a plugin];",
            "films: is blocked: cluster_block_exception: "
            "index [a] blocked by: [FORBIDDEN/99/of a plugin];",
            "lift the block that the message names",
        ),
    ],
)
def test_a_block_is_named_with_its_cure(reason: str, message: str, cure: str) -> None:
    cause = {"type": "cluster_block_exception", "reason": reason}
    exc = AuthorizationException(403, cause["type"], {"error": {"root_cause": [cause], **cause}})
    found = translate(exc, URL, "/films")
    assert (found.message, found.hint) == (message, cure)


def test_no_block_is_seen_where_there_is_none() -> None:
    assert blocked("films", "mapper_parsing_exception: failed") is None
    starting = "cluster_block_exception: blocked by: [SERVICE_UNAVAILABLE/1/state not recovered];"
    assert blocked("films", starting) is None


def test_a_missing_plugin_is_told_from_a_missing_setting() -> None:
    def refusal(setting: str) -> RequestError:
        reason = f"unknown setting [{setting}] please check that any required plugins are installed"
        cause = {"type": "illegal_argument_exception", "reason": reason}
        return RequestError(400, cause["type"], {"error": {"root_cause": [cause], **cause}})

    absent = translate(refusal("index.knn"), URL, "/films")
    assert type(absent) is MappingMismatch
    assert absent.message == f"{URL}: the k-NN plugin is not installed in this cluster"
    old = translate(refusal("index.knn.derived_source.enabled"), URL, "/films")
    assert "index.knn.derived_source.enabled" in old.message


def test_a_disk_that_is_full_keeps_new_indices_from_being_made_and_says_when_to_try_again() -> None:
    reason = (
        "index_create_block_exception: blocked by: "
        "[FORBIDDEN/10/cluster create-index blocked (api)];"
    )
    error = blocked("films-events", reason)
    assert error is not None
    assert error.message == "the cluster is blocked by cluster.blocks.create_index"
    assert (error.hint or "").startswith("free disk space or lift the block: PUT _cluster/settings")
    assert error.context["retry_after"] == DISK_SECONDS
