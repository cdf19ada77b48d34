"""What OpenSearch answered to searches: their hits, why it refused, and what is missing."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from seealso.cluster.blocks import blocked
from seealso.cluster.failures import first_cause
from seealso.errors import ClusterError
from seealso.indexer.graph import EXPENSIVE
from seealso.plugin.serving import ScriptsRefused

Response: TypeAlias = Mapping[str, Any]
"""The answer to one search of several."""

Hit: TypeAlias = Mapping[str, Any]
"""One hit of a search, as OpenSearch returns it."""

FITTING: Final = "a filter must be valid query DSL"

REFUSED: Final = f"{FITTING}; `seealso doctor` checks the index"


def hits_of(response: Response) -> list[Hit]:
    """Return the hits of one response of an ``_msearch``.

    Raises
    ------
    ScriptsRefused
        The cluster runs no scripts in searches.
    ClusterError
        That search failed.
    """
    if "error" in response:
        cause = first_cause(response["error"])
        message = f"OpenSearch refused the search: {cause}"
        if EXPENSIVE in message:
            raise ScriptsRefused(message)
        raise blocked("the index", cause) or ClusterError(
            message, hint=REFUSED, caller_hint=FITTING, status=response.get("status")
        )
    hits: list[Hit] = response["hits"]["hits"]
    return hits


def missing_part(responses: Sequence[Response]) -> str:
    """Return what a person should know of answers that are not whole; empty where all are.

    A list of what could be searched is better than none, if it says so.
    """
    shards = [one.get("_shards", {}) for one in responses]
    totals = [(one.get("total", 0), one.get("successful", 0)) for one in shards]
    lost, total = max(((total - answered, total) for total, answered in totals), default=(0, 0))
    late = any(one.get("timed_out") for one in responses)
    found = [f"{lost} of {total} shards did not answer"] if lost else []
    found += ["the search ran out of time"] if late else []
    return f"a part is missing: {' and '.join(found)}" if found else ""
