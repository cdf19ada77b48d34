"""What an answer of OpenSearch lacks, and whether it may come a little later."""

from typing import Any

import pytest

from seealso.cluster.wholeness import lost_a_node, missing, passing


def search(**shards: Any) -> dict[str, Any]:
    whole = {"total": 3, "successful": 3, "failed": 0, **shards}
    return {"timed_out": False, "_shards": whole, "hits": {"hits": []}}


def failed(kind: str, reason: str) -> dict[str, Any]:
    one = {"reason": {"type": kind, "reason": reason}}
    return search(successful=2, failed=1, failures=[one])


CLOSED = {
    "type": "illegal_index_shard_state_exception",
    "reason": "CurrentState[RECOVERING] operations only allowed when shard state is one of "
    "[POST_RECOVERY, STARTED]",
}
GONE = {"type": "no_shard_available_action_exception", "reason": "No shard available for [get]"}
NESTED = {
    "reason": {
        "type": "exception",
        "reason": "of the phase",
        "caused_by": {"type": "node_closed_exception", "reason": "node closed"},
    }
}
NONE = {"type": "search_phase_execution_exception", "reason": "all shards failed"}
WRONG = {"type": "mapper_parsing_exception", "reason": "failed to parse"}


@pytest.mark.parametrize(
    "answer",
    [
        search(),
        {"responses": [search(), search()]},
        {"count": 3, "_shards": {"total": 1, "successful": 1, "failed": 0}},
        {"docs": [{"_id": "a", "found": True}, {"_id": "b", "found": False}]},
        {"docs": []},
    ],
)
def test_an_answer_that_lacks_nothing(answer: dict[str, Any]) -> None:
    assert missing(answer) is None


@pytest.mark.parametrize(
    ("answer", "later"),
    [
        (failed("no_shard_available_action_exception", "none"), True),
        (failed("rejected_execution_exception", "queue is full"), True),
        (failed("script_exception", "runtime error"), False),
        (search(successful=2), True),
        ({**search(), "timed_out": True}, False),
        ({"responses": [search(), {"error": WRONG, "status": 400}]}, False),
        ({"responses": [search(), {"error": GONE, "status": 503}]}, True),
        ({"responses": [{"error": {**NONE, "failed_shards": [{"reason": WRONG}]}}]}, False),
        ({"responses": [{"error": {**NONE, "failed_shards": []}, "status": 503}]}, True),
        ({"docs": [{"_id": "a", "found": True}, {"_id": "b", "error": CLOSED}]}, True),
        ({"docs": [{"_id": "a", "error": GONE}]}, True),
        ({"docs": [{"_id": "a", "error": WRONG}]}, False),
    ],
)
def test_a_part_of_an_answer(answer: dict[str, Any], *, later: bool) -> None:
    lacking = missing(answer)
    assert lacking is not None
    assert passing(lacking) is later


@pytest.mark.parametrize(
    ("answer", "lost"),
    [
        (failed("node_disconnected_exception", "[second][search/phase/query]"), True),
        (failed("transport_exception", "x") | {"_shards": {"failures": [NESTED]}}, True),
        ({"responses": [search(), failed("node_not_connected_exception", "[second]")]}, True),
        ({"responses": [{"error": {**NONE, "failed_shards": [NESTED]}, "status": 503}]}, True),
        ({"docs": [{"_id": "a", "error": NESTED["reason"]}]}, True),
        # nobody else has what these lack
        (failed("no_shard_available_action_exception", "none"), False),
        (failed("script_exception", "runtime error"), False),
        (search(successful=2), False),
        ({"docs": [{"_id": "a", "error": GONE}]}, False),
        # of other requests
        ({"acknowledged": True}, False),
        ({"docs": [{"_id": "a", "found": True}]}, False),
    ],
)
def test_a_node_that_was_lost_meanwhile(answer: dict[str, Any], lost: bool) -> None:
    assert lost_a_node(answer) is lost
