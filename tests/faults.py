"""Faults of a cluster, caused for real where that can be done: lost shards, lost answers."""

import shutil
import time
from typing import Any

import pytest
from opensearchpy.exceptions import ConnectionTimeout

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo


def lose_a_shard(node: NodeInfo, cluster: Cluster, name: str) -> None:
    """Delete the files of shard 1 of the index `name`, as a lost disk does; it stays unassigned."""
    indices.refresh(cluster, name)
    cluster.request("POST", f"/{name}/_flush", params={"force": "true"})
    cluster.request("POST", f"/{name}/_close")
    uuid = cluster.request("GET", f"/{name}/_settings")[name]["settings"]["index"]["uuid"]
    (folder,) = node.data.rglob(f"indices/{uuid}/1")
    # the shard may still be writing its last files there
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)
    cluster.request("POST", f"/{name}/_open", params={"wait_for_active_shards": "0"})
    states: list[str] = []
    for _ in range(300):
        rows = cluster.request("GET", f"/_cat/shards/{name}", params={"format": "json"})
        states = sorted(row["state"] for row in rows)
        if states == ["STARTED", "UNASSIGNED"]:
            return
        time.sleep(0.1)
    raise AssertionError(states)


def lose_an_answer(
    monkeypatch: pytest.MonkeyPatch, method: str, ending: str, *, after: int = 0
) -> list[str]:
    """Lose one answer to a request that was carried out; return the paths that were asked.

    Parameters
    ----------
    monkeypatch
        Undoes it.
    method, ending
        Which requests: the method, and how the path ends.
    after
        How many such answers arrive before.
    """
    plain, asked = Cluster._send, []

    def send(self: Cluster, sent_method: str, path: str, *rest: Any) -> Any:
        answer = plain(self, sent_method, path, *rest)
        if sent_method == method and path.endswith(ending):
            asked.append(path)
            if len(asked) == after + 1:
                raise ConnectionTimeout("TIMEOUT", "the answer was lost", None)
        return answer

    monkeypatch.setattr(Cluster, "_send", send)
    return asked
