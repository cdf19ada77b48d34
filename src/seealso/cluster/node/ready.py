"""Waits until a started node answers; the time-out begins again whenever it makes progress.

After a kill in mid-load a node replays its translog, which takes as long as it takes.
"""

import time

from seealso.cluster.node import net, process
from seealso.cluster.node.launch import Layout
from seealso.cluster.node.logs import cause
from seealso.errors import NodeError

POLL_S = 0.1


def wait(state: process.State, layout: Layout, timeout: float, seen: int = 0) -> None:
    """Wait until the process answers and its indices can be read.

    Parameters
    ----------
    state
        The process.
    layout
        Where its logs are.
    timeout
        Seconds to wait without progress. Progress is a first answer, and then every step of
        the recovery of its indices.
    seen
        Size of the log before the start.

    Raises
    ------
    NodeError
        The process ended, or made no progress for `timeout` seconds; the message says why.
    """
    deadline = time.monotonic() + timeout
    last: str | None = None
    while not net.answers(state.port):
        if not process.alive(state):
            raise NodeError(
                f"OpenSearch ended while it started: {cause(layout, seen)}",
                hint=f"see {layout.log}",
            )
        recovery = net.recovery(state.port)
        # one that is too busy to answer for once has not got on
        if recovery is not None and recovery != last:
            last, deadline = recovery, time.monotonic() + timeout
        elif time.monotonic() > deadline:
            what = "answer" if last is None else "get on with reading its indices"
            raise NodeError(
                f"OpenSearch does not {what} on port {state.port}: {cause(layout, seen)}",
                hint=f"see {layout.log}; a slow machine needs a longer --timeout",
            )
        time.sleep(POLL_S)
