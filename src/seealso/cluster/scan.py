"""Reads an index, whole by scroll or by ids: catalogues and events may live in OpenSearch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from seealso.cluster.client import Cluster
from seealso.errors import ClusterError

KEEP_ALIVE = "5m"

IDS_AT_ONCE = 5000
"""Hits of one batch where nothing but ids is read."""

FETCHED_AT_ONCE = 500
"""Documents of one request: with their vectors, some megabytes."""


def scan(
    cluster: Cluster,
    index: str,
    *,
    query: Mapping[str, Any] | None = None,
    source: list[str] | Mapping[str, list[str]] | bool = True,
    batch: int = 1000,
) -> Iterator[list[dict[str, Any]]]:
    """Yield every hit of `query` (default: every document) in batches, in index order.

    Parameters
    ----------
    cluster, index
        What to read.
    query
        Query DSL.
    source
        Which fields of ``_source`` to bring, or ``includes`` and ``excludes`` of them.
    batch
        Hits of one batch.
    """
    body = {
        "size": batch,
        "query": query or {"match_all": {}},
        "_source": source,
        "sort": ["_doc"],
    }
    answer = cluster.request("POST", f"/{index}/_search", body, params={"scroll": KEEP_ALIVE})
    scroll_id = answer["_scroll_id"]
    try:
        while hits := answer["hits"]["hits"]:
            yield hits
            answer = cluster.request(
                "POST", "/_search/scroll", {"scroll": KEEP_ALIVE, "scroll_id": scroll_id}
            )
            scroll_id = answer["_scroll_id"]
    finally:
        # it ends by itself, too; a cluster that is gone has been reported already
        with suppress(ClusterError):
            path, body = "/_search/scroll", {"scroll_id": scroll_id}
            cluster.request("DELETE", path, body, {"ignore": 404}, retries=0)


def scan_ids(
    cluster: Cluster, index: str, *, query: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Yield the id of every hit of `query` (default: every document), in index order."""
    for hits in scan(cluster, index, query=query, source=False, batch=IDS_AT_ONCE):
        yield from (hit["_id"] for hit in hits)


def fetch(
    cluster: Cluster, index: str, ids: Sequence[str], *, source: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the documents `ids` that exist, by id, each with ``_index`` and ``_source``.

    They are read in real time, whether a refresh has come or not.
    """
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), FETCHED_AT_ONCE):
        answer = cluster.request(
            "POST",
            f"/{index}/_mget",
            {"ids": list(ids[start : start + FETCHED_AT_ONCE])},
            params={"_source_includes": ",".join(source)},
        )
        found |= {hit["_id"]: hit for hit in answer["docs"] if hit.get("found")}
    return found


@dataclass(frozen=True)
class IndexSource:
    """The rows of a catalogue or of events that live in an index, by scroll.

    A document's own ``_id`` is the column ``_id``.

    Attributes
    ----------
    cluster, index
        Where they are.
    """

    cluster: Cluster
    index: str

    @property
    def name(self) -> str:
        """What messages call the source."""
        return f"index {self.index}"

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        """Yield all documents in batches."""
        for hits in scan(self.cluster, self.index):
            yield [{**hit["_source"], "_id": hit["_id"]} for hit in hits]
