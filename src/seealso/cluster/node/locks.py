"""Finds out whether a data folder is in use: OpenSearch locks ``node.lock`` in it while it runs.

The file of a dead process stays but is no longer locked, so it does no harm.
"""

import fcntl
from pathlib import Path

from seealso.cluster.node.launch import data_mark
from seealso.cluster.node.process import owner_of
from seealso.errors import NodeError


def require_unlocked(data: Path) -> None:
    """Raise NodeError if a live process holds the lock of the folder `data`."""
    lock = data / "nodes" / "0" / "node.lock"
    if not lock.exists() or not _is_locked(lock):
        return
    pid = owner_of(data_mark(data))
    who = f"process {pid}" if pid is not None else "another process"
    raise NodeError(
        f"the data folder {data} is in use by {who}",
        hint=f"stop it first: kill {pid}" if pid is not None else "stop the node that uses it",
        pid=pid,
    )


def _is_locked(lock: Path) -> bool:
    """Say whether a process locks the file, the way that the JVM does (POSIX locks)."""
    with lock.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
