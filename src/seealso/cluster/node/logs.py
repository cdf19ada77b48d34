"""Read the node's log files: the last lines, and why a start failed."""

from collections import deque
from pathlib import Path

from seealso.cluster.node.launch import Layout

PORT_IN_USE = "Address already in use"
ROOT_CAUSES = ("Likely root cause:", "Caused by:")
FAILURES = ("[ERROR]", "[FATAL]", "Exception", "Error")


def tail(path: Path, lines: int) -> list[str]:
    """Return the last `lines` lines of the file, oldest first; none if it does not exist."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=lines)]
    except FileNotFoundError:
        return []


def log_size(layout: Layout) -> int:
    """Return the size of the log, to tell later what was added to it."""
    return layout.log.stat().st_size if layout.log.exists() else 0


def cause(layout: Layout, seen: int) -> str:
    """Return the line that best says why the last start failed.

    Parameters
    ----------
    seen
        Size of the log before that start.
    """
    lines = [*_added(layout.log, seen), *_added(layout.console, 0)]
    for marks in (ROOT_CAUSES, FAILURES):
        found = [line for line in lines if any(mark in line for mark in marks)]
        if found:
            return found[-1].strip()
    return lines[-1].strip() if lines else "it said nothing"


def _added(path: Path, seen: int) -> list[str]:
    """Return the non-empty lines after the first `seen` bytes, or all of a log begun again."""
    try:
        with path.open("rb") as file:
            if path.stat().st_size >= seen:
                file.seek(seen)
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()]
