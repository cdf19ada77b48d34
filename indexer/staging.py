"""Which index a build writes to: one that an earlier build left, or a new one."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import orjson

from seealso.cluster import Cluster, Lock, PhysicalIndex, indices
from seealso.log import logger

log = logger(__name__)


def build_key(*parts: Any) -> str:
    """Return 16 hex digits that tell one build from another by all that it depends on."""
    return sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def find_resumable(
    cluster: Cluster, found: Iterable[PhysicalIndex], key: str, lock: Lock
) -> str | None:
    """Return the first index that a killed build of this `key` left; delete the others.

    Parameters
    ----------
    cluster
        Where they are.
    found
        Indices of one kind; those that are ready, serve or are their owner's stay as they are.
    key
        As `build_key` gives it.
    lock
        Of whoever builds them.
    """
    begun = None
    for index in found:
        if not index.incomplete:
            continue
        same = index.state == "building" and index.meta.get("build_key") == key
        if same and begun is None:
            begun = index.name
            log.info("going on with %s", index.name)
        else:
            log.info("clearing %s, left by a build that did not end", index.name)
            lock.require()
            indices.delete(cluster, index.name)
    return begun
