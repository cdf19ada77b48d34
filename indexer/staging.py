"""Which index a build writes to: one that an earlier build left, or a new one."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import orjson

from seealso.cluster import Cluster, Lock, PhysicalIndex, indices
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.creation import create_index
from seealso.indexer.mapping import derive_vectors
from seealso.log import logger

log = logger(__name__)


def build_key(*parts: Any) -> str:
    """Return 16 hex digits of everything that a build depends on."""
    return sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def stage(
    cluster: Cluster,
    found: Iterable[PhysicalIndex],
    meta: Mapping[str, Any],
    lock: Lock,
    body: Mapping[str, Any],
) -> tuple[str, bool]:
    """Return the index to write to, and whether an earlier, killed build began it.

    Parameters
    ----------
    cluster
        Where it is.
    found
        Indices of one kind. What killed builds left of them is cleared, but the index of a build
        with the same key; those that are ready, serve or are their owner's stay as they are.
    meta
        ``_meta.seealso`` of a new one: ``alias`` and ``build_key`` are used.
    lock
        Of the caller.
    body
        Mappings and settings of a new one.

    Raises
    ------
    ClusterError
        OpenSearch refuses.
    MappingMismatch
        This OpenSearch, or an index template, does not allow such an index.
    """
    begun = _find_resumable(cluster, found, meta["build_key"], lock)
    if begun is not None:
        return begun, True
    name = indices.new_name(meta["alias"])
    try:
        create_index(cluster, name, derive_vectors(body, cluster.version()))
    except ClusterError as exc:
        if isinstance(exc, MappingMismatch) or "derived_source" not in exc.message:
            raise
        raise MappingMismatch(
            f"{cluster.url}: this OpenSearch cannot build the index: {exc.message}",
            hint="the k-NN plugin of OpenSearch 2.19 or later is needed",
        ) from exc
    return name, False


def _find_resumable(
    cluster: Cluster, found: Iterable[PhysicalIndex], key: str, lock: Lock
) -> str | None:
    begun = None
    for index in found:
        if not index.incomplete:
            continue
        same = index.state == "building" and index.meta.get("build_key") == key
        if same and begun is None:
            begun = index.name
            log.info("continuing %s", index.name)
        else:
            log.info("clearing %s, left by a build that did not end", index.name)
            lock.require()
            indices.delete(cluster, index.name)
    return begun
