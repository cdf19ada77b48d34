"""Refuses requests that OpenSearch Serverless does not support, before they are sent.

The operations that it has are listed by AWS, and whatever is not on that list it answers with 404:
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-genref.html
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from seealso.errors import ClusterError

LACKING: Final[Mapping[str, str]] = {
    "_refresh": "a refresh on demand",
    "_forcemerge": "a force-merge",
    "_scripts": "stored scripts and templates",
    "_search/template": "searches by stored template",
    "_msearch/template": "searches by stored template",
    "_update_by_query": "updates by query",
    "_delete_by_query": "deletions by query",
    "_reindex": "a reindex",
    "_cluster": "cluster settings",
    "_nodes": "its nodes",
    "_stats": "statistics",
}
"""By one or two parts of a path."""

HINT = (
    'keep the index in an OpenSearch Service domain (cluster.aws_service = "es"); '
    "docs/how-to/amazon-opensearch.md says what Serverless lacks"
)


def lacking(method: str, path: str) -> str | None:
    """Return what a request needs that Serverless does not offer, or None."""
    parts = [part for part in path.split("/") if part]
    if not parts:
        return "its version"
    # vector collections make the ids themselves, so that no write could be repeated safely
    if "_bulk" in parts or (method == "PUT" and len(parts) == 1):
        return "documents with ids of their own, which an index of seealso needs"
    named = [*parts, *("/".join(pair) for pair in pairwise(parts))]
    return next((LACKING[part] for part in named if part in LACKING), None)


def refuse(url: str, method: str, path: str) -> None:
    """Stop a request that Serverless could not answer.

    Raises
    ------
    ClusterError
        It needs what Serverless does not offer.
    """
    what = lacking(method, path)
    if what is not None:
        raise ClusterError(
            f"{url}: OpenSearch Serverless does not offer {what}", hint=HINT, url=url
        )
