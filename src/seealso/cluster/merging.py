"""Merges a loaded index, which takes minutes: longer than many a gateway waits for an answer."""

import time
from typing import Final

from seealso.cluster.client import Cluster
from seealso.errors import Unavailable
from seealso.log import logger

log = logger(__name__)

LONGEST_S: Final = 3600.0
"""A million 384-d vectors take five minutes to merge on two cores; give ten times that."""

LOOK_S: Final = 2.0
"""Seconds between two looks at a merge whose answer was lost."""

QUIET_S: Final = 10.0
"""Seconds after which an index that merges nothing is done with it."""


def merge_segments(cluster: Cluster, name: str, segments: int = 1) -> None:
    """Merge each shard of the index `name` into at most that many segments.

    The request is sent once: a second one would wait behind the first. Where its answer is lost
    the index itself is looked at until it merges no more.
    """
    params = {"max_num_segments": segments}
    try:
        path = f"/{name}/_forcemerge"
        cluster.request("POST", path, params=params, timeout=LONGEST_S, repeat=False)
    except Unavailable as exc:
        log.info("%s; the merge continues in the cluster", exc.message)
        _wait(cluster, name, segments)


def _wait(cluster: Cluster, name: str, segments: int) -> None:
    ends, quiet = time.monotonic() + LONGEST_S, 0.0
    while time.monotonic() < ends:
        answer = cluster.request("GET", f"/{name}/_stats/merge,segments")
        primaries = answer["_all"]["primaries"]
        if primaries["segments"]["count"] <= segments * answer["_shards"]["successful"]:
            return
        quiet = 0.0 if primaries["merges"]["current"] else quiet + LOOK_S
        if quiet >= QUIET_S:
            break
        time.sleep(LOOK_S)
    log.warning("%s: stays in several segments, so that searches take longer", name)
