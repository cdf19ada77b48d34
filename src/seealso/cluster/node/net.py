"""Ports of this machine, and the question whether a node answers on one."""

import json
import socket

import urllib3

from seealso.errors import NodeError

HOST = "127.0.0.1"

TIMEOUT_S = 2.0
"""For an answer of the node."""


def is_free(port: int) -> bool:
    """Say whether nothing listens on `port` of the loopback interface."""
    with socket.socket() as probe:
        # what a server does: a connection that just closed does not block its port
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(requested: int | None, last: int | None) -> int:
    """Return `requested`, else the `last` one if it is free, else one that the system picks.

    Raises
    ------
    NodeError
        If something listens on `requested`.
    """
    if requested is not None:
        if not is_free(requested):
            raise NodeError(
                f"port {requested} is taken by another program",
                hint="choose another one with --port, or leave it out to get a free one",
                port=requested,
            )
        return requested
    if last is not None and is_free(last):
        return last
    with socket.socket() as picked:
        picked.bind((HOST, 0))
        return int(picked.getsockname()[1])


def answers(port: int) -> bool:
    """Say whether an OpenSearch on `port` is ready: every primary shard can be used."""
    body = _get(port, "/_cluster/health?wait_for_status=yellow&timeout=1s")
    try:
        return body is not None and not json.loads(body)["timed_out"]
    except (ValueError, KeyError):
        return False


def recovery(port: int) -> str | None:
    """Return how far an OpenSearch on `port` has recovered its indices, None without an answer.

    The text says nothing but that: as long as it changes, the node gets on.
    """
    columns = "index,shard,stage,bytes_recovered,translog_ops_recovered"
    return _get(port, f"/_cat/recovery?active_only=true&s=index,shard&h={columns}")


def _get(port: int, path: str) -> str | None:
    try:
        answer = urllib3.request(
            "GET", f"http://{HOST}:{port}{path}", timeout=TIMEOUT_S, retries=False
        )
        return answer.data.decode() if answer.status == 200 else None
    except (urllib3.exceptions.HTTPError, UnicodeDecodeError):
        return None
