"""Reads an index, whole or by ids: catalogues and events may live in OpenSearch."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from seealso.cluster.client import Cluster
from seealso.cluster.fields import vector_fields
from seealso.cluster.point_in_time import PointInTime
from seealso.errors import DataError

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
    """Yield every hit of `query` (default: every document) in batches, in the order of writing.

    All of them or an error, each once: the index is read as it was when the reading began,
    however long that takes, whatever is written meanwhile. Where the cluster has lost that state,
    documents that were written since come as they are by then.

    Parameters
    ----------
    cluster, index
        What to read.
    query
        Query DSL.
    source
        Which fields of ``_source`` to bring, or ``includes`` and ``excludes`` of them.
    batch
        Most hits of one batch.

    Raises
    ------
    PartialAnswer
        A shard is missing, or the index was replaced meanwhile.
    DataError
        Fields are requested from an index that does not keep its documents.
    """
    body = {"query": query or {"match_all": {}}, "_source": source}
    with closing(PointInTime(cluster, index)) as point:
        after: list[Any] | None = None
        read = _Read()
        while True:
            answer = point.page({**body, "size": batch}, after)
            hits: list[dict[str, Any]] = answer["hits"]["hits"]
            last = len(hits) < batch
            if not last and answer["_shards"]["total"] > 1:
                hits = _without_ties(hits)
            if hits:
                if source is not False:
                    _require_source(hits, index)
                after = hits[-1]["sort"]
                yield read.again(hits) if point.reopened else read.first(hits)
            elif not last:
                # every shard has a document of this number: more of them than one batch takes
                batch *= 2
            if last:
                return


class _Read:
    """Which documents were read, each as a hash: eight bytes."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._looked_up: set[int] = set()

    def first(self, hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Note hits that were certainly not read before, and return them."""
        self._hashes.extend(map(_hash, hits))
        return hits

    def again(self, hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return those of `hits` that were not read before, and note them."""
        self._looked_up.update(self._hashes)
        del self._hashes[:]
        new = [hit for hit in hits if _hash(hit) not in self._looked_up]
        return self.first(new)


def _hash(hit: Mapping[str, Any]) -> int:
    return hash((hit["_index"], hit["_id"], hit.get("_routing")))


def _without_ties(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the hits of the last number: each shard counts for itself, others may follow."""
    return [hit for hit in hits if hit["sort"] != hits[-1]["sort"]]


def _require_source(hits: Sequence[Mapping[str, Any]], index: str) -> None:
    if any("_source" not in hit for hit in hits):
        raise DataError(
            f"index {index} does not keep its documents (_source is switched off)",
            hint="read them from their original source, or reindex them with _source",
            index=index,
        )


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

    Raises
    ------
    PartialAnswer
        Some could not be looked for, as their shard is missing.
    """
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), FETCHED_AT_ONCE):
        body = {"ids": list(ids[start : start + FETCHED_AT_ONCE])}
        params = {"_source_includes": ",".join(source)}
        answer = cluster.request("POST", f"/{index}/_mget", body, params, whole=True)
        found |= {hit["_id"]: hit for hit in answer["docs"] if hit.get("found")}
    return found


@dataclass(frozen=True)
class IndexSource:
    """The rows of a catalogue or of events that live in an index, which may be somebody's search.

    A document's own ``_id`` is the column ``_id``. Vectors are left where they are: no column is
    made of them, and OpenSearch derives them one by one (docs/decisions/0006-reading-others.md).

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
        source = {"excludes": vector_fields(self.cluster, self.index)}
        for hits in scan(self.cluster, self.index, source=source):
            yield [{**hit["_source"], "_id": hit["_id"]} for hit in hits]
