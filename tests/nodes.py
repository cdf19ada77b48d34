"""The nodes that all tests of a run share, also where several workers run them.

Each version is started by the worker that first asks for it and found by the others; the process
that started the workers stops them. What a test changes of a whole cluster would be met by the
tests of other workers: such a test is marked ``alone`` and runs while no other uses that node.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from seealso.cluster.node import VERSIONS, Node, NodeInfo

START_SECONDS = 180

MEMORY = Path("/dev/shm")
SPACE = 4 * 1024**3
"""Bytes of memory that must be free for nodes to keep their data in it."""


def node_folder() -> Path:
    """Make a folder for nodes, in memory where there is plenty.

    OpenSearch waits for the disk with every change of an index or of what it knows of one: about
    a third of the time of a small build.
    """
    folder = Path(tempfile.mkdtemp(prefix="seealso-node-", dir=MEMORY if spacious() else None))
    # a node that root starts runs as another user, who has to get here
    folder.chmod(0o755)
    return folder


def spacious() -> bool:
    """Say whether nodes find space in memory, and may load their own libraries there."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > SPACE


class SharedNodes:
    """The nodes of one run.

    Parameters
    ----------
    folder
        Of this run; every worker of it has the same.
    kept
        Where nodes run that outlive the run, if any do.
    """

    def __init__(self, folder: Path, kept: Path | None) -> None:
        self.folder = folder
        self._root = kept or folder
        self._kept = kept is not None

    @classmethod
    def create(cls) -> "SharedNodes":
        """Make the folder of a run."""
        kept = os.environ.get("SEEALSO_TEST_NODES")
        if kept:
            Path(kept).chmod(0o755)
        return cls(node_folder(), Path(kept) if kept else None)

    @classmethod
    def join(cls, folder: str) -> "SharedNodes":
        """Return the nodes of a run from a worker of it."""
        kept = os.environ.get("SEEALSO_TEST_NODES")
        return cls(Path(folder), Path(kept) if kept else None)

    def get(self, version: str) -> NodeInfo:
        """Return the node of a version, started if nobody has done so yet."""
        return Node(self._root, version=version, heap="1g").start(timeout=START_SECONDS)

    @contextmanager
    def turn(self, versions: Iterable[str], *, alone: bool) -> Iterator[None]:
        """Use the nodes of `versions` together with others, or alone."""
        with ExitStack() as entered:
            # all in the same order, so that no two wait for each other
            for version in sorted(versions):
                entered.enter_context(self._enter(version, alone))
            yield

    @contextmanager
    def _enter(self, version: str, alone: bool) -> Iterator[None]:
        """Whoever waits to be alone holds the door, so that nobody enters meanwhile."""
        places = (self.folder / f"{version}.{place}" for place in ("door", "room"))
        door, room = (place.open("w") for place in places)
        with door, room:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            fcntl.flock(door, fcntl.LOCK_UN)
            try:
                yield
            finally:
                fcntl.flock(room, fcntl.LOCK_UN)

    def close(self) -> None:
        """Stop the nodes, unless they were there before."""
        if not self._kept:
            for version in VERSIONS:
                Node(self._root, version=version).stop()
        shutil.rmtree(self.folder, ignore_errors=True)
