"""Tells a complete answer from a partial one: OpenSearch answers 200 with what it has.

A shard that failed or is not there, a search that ran out of time, a document that could not be
read: a caller that needs everything (a catalogue, a count, items to delete) must stop.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from seealso.cluster.failures import RECOVERING, deepest_cause, first_cause

CHECKED = "_shards,timed_out"
"""What has to be in an answer for its wholeness to be seen; `filter_path` must let it through."""

_NODE_LOST: Final = ("node_not_connected", "node_disconnected", "node_closed")
"""In what an answer says of a shard whose node was there when the search began."""

_PASSING: Final = (
    *_NODE_LOST,
    RECOVERING,
    "shards answered",
    # no shard says why: there was none to ask
    "all shards failed",
    "no_shard_available",
    "shard_not_found",
    "unavailable_shards",
    "rejected_execution",
)
"""In what an answer says of a shard that is not there yet, is moving, or is too busy."""


def missing(answer: Mapping[str, Any]) -> str | None:
    """Return what an answer lacks, or None if it is whole.

    Parameters
    ----------
    answer
        To a search, to several searches, to a count, or with documents by their ids; decoded.
    """
    if "docs" in answer:
        return next((_unread(one) for one in answer["docs"] if "error" in one), None)
    return next(filter(None, map(_unanswered, answer.get("responses", (answer,)))), None)


def _unread(document: Mapping[str, Any]) -> str:
    cause = deepest_cause(document["error"])
    return f"document {document['_id']!r} could not be read: {cause}"


def _unanswered(one: Mapping[str, Any]) -> str | None:
    if "error" in one:
        return first_cause(one["error"])
    if one.get("timed_out"):
        return "the search ran out of time"
    shards = one["_shards"]
    if shards["failed"]:
        cause = deepest_cause(shards["failures"][0]["reason"])
        return f"{shards['failed']} of {shards['total']} shards failed: {cause}"
    if shards["successful"] < shards["total"]:
        return f"{shards['successful']} of {shards['total']} shards answered"
    return None


def passing(lacking: str) -> bool:
    """Tell whether what an answer lacks, as `missing` has it, may be there a little later."""
    return any(sign in lacking for sign in _PASSING)


def lost_a_node(answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer lacks shards of a node that was lost while it was made.

    Other nodes may hold the same shards: a search looks for those at its beginning alone.
    """
    causes = (cause for one in answer.get("responses", (answer,)) for cause in _failures(one))
    return any(sign in cause for cause in causes for sign in _NODE_LOST)


def _failures(one: Mapping[str, Any]) -> Iterator[str]:
    """Yield what failed in an answer to one search, or in documents by their ids."""
    for document in one.get("docs", ()):
        if "error" in document:
            yield deepest_cause(document["error"])
    for failure in one.get("_shards", {}).get("failures", ()):
        yield deepest_cause(failure["reason"])
    if isinstance(one.get("error"), Mapping):
        yield first_cause(one["error"])


def with_checked(filter_path: str) -> str:
    """Return `filter_path` with what `missing` looks at let through as well."""
    several = ",".join(f"responses.{one}" for one in (*CHECKED.split(","), "error", "status"))
    return f"{filter_path},{CHECKED},{several}"
