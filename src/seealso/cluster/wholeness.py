"""Tells a whole answer from a part of one: OpenSearch answers 200 with what it has.

A shard that failed or is not there, a search that ran out of time, a document that could not be
read: whoever needs everything (a catalogue, a count, what may be deleted) must not go on.
"""

from collections.abc import Mapping
from typing import Any

from seealso.cluster.failures import deepest_cause, named_in, not_all

CHECKED = "_shards,timed_out"
"""What has to be in an answer for its wholeness to be seen; `filter_path` must let it through."""


def require_whole(answer: Mapping[str, Any], path: str) -> None:
    """Accept the answer to a search, to several searches or to a count only if it is whole.

    Parameters
    ----------
    answer
        As it was decoded.
    path
        Of the request: names the index in the error.

    Raises
    ------
    PartialAnswer
        A shard failed or did not answer, the time ran out, or one of several searches failed.
    """
    for one in answer.get("responses", (answer,)):
        if "error" in one:
            raise not_all(named_in(path), deepest_cause(one["error"]))
        if one.get("timed_out"):
            raise not_all(named_in(path), "the search ran out of time")
        shards = one["_shards"]
        if shards["failed"]:
            cause = deepest_cause(shards["failures"][0]["reason"])
            failed = f"{shards['failed']} of {shards['total']} shards failed: {cause}"
            raise not_all(named_in(path), failed)
        if shards["successful"] < shards["total"]:
            raise not_all(
                named_in(path), f"{shards['successful']} of {shards['total']} shards answered"
            )


def require_documents(answer: Mapping[str, Any], path: str) -> None:
    """Accept the answer to ``_mget`` only if every document was looked for.

    Raises
    ------
    PartialAnswer
        One could not be read.
    """
    for one in answer["docs"]:
        if "error" in one:
            cause = deepest_cause(one["error"])
            raise not_all(named_in(path), f"document {one['_id']!r} could not be read: {cause}")


def with_checked(filter_path: str) -> str:
    """Return `filter_path` with what `require_whole` looks at let through as well."""
    several = ",".join(f"responses.{one}" for one in (*CHECKED.split(","), "error", "status"))
    return f"{filter_path},{CHECKED},{several}"
