"""Fixtures of every suite: a real OpenSearch of each supported version, started when first asked.

At most one node of each version runs, shared by all tests of the session; each test keeps to an
index of its own (`index_name`). A node that cannot start is an error of the test, never a skip.

Where the environment variable SEEALSO_TEST_NODES names a folder, the nodes in it are used, and
left running: while a test is being written, nobody waits for a start.
"""

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from uuid import uuid4

import pytest
from hypothesis import settings

from seealso.cluster.node import DEFAULT_VERSION, VERSIONS, Node, NodeInfo
from tests.bundles import minilm, tiny  # noqa: F401

# how long a drawn case takes says nothing on a busy machine
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


class SharedNodes:
    """The nodes of one test session."""

    def __init__(self) -> None:
        kept = os.environ.get("SEEALSO_TEST_NODES")
        self._kept = kept is not None
        self._root = Path(kept or tempfile.mkdtemp(prefix="seealso-tests-"))
        # a node that root starts runs as another user, who has to get here
        self._root.chmod(0o755)
        self._started: dict[str, tuple[Node, NodeInfo]] = {}

    def get(self, version: str) -> NodeInfo:
        if version not in self._started:
            node = Node(self._root, version=version, heap="1g")
            self._started[version] = (node, node.start(timeout=180))
        return self._started[version][1]

    def close(self) -> None:
        if self._kept:
            return
        while self._started:
            self._started.popitem()[1][0].stop()
        shutil.rmtree(self._root, ignore_errors=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def shared_nodes() -> Iterator[SharedNodes]:
    nodes = SharedNodes()
    # whatever ends the session: its fixtures, an exit, or a terminating signal
    atexit.register(nodes.close)
    previous = signal.signal(signal.SIGTERM, _interrupt)
    yield nodes
    nodes.close()
    atexit.unregister(nodes.close)
    signal.signal(signal.SIGTERM, previous)


@pytest.fixture(scope="session", params=VERSIONS, ids=[f"os{each}" for each in VERSIONS])
def opensearch(request: pytest.FixtureRequest, shared_nodes: SharedNodes) -> NodeInfo:
    """A running OpenSearch; the test runs once on each version."""
    return shared_nodes.get(request.param)


@pytest.fixture(scope="session")
def opensearch_latest(shared_nodes: SharedNodes) -> NodeInfo:
    """A running OpenSearch of the default version."""
    return shared_nodes.get(DEFAULT_VERSION)


@pytest.fixture
def index_name() -> str:
    """The name of an index that no other test uses."""
    return f"t-{uuid4().hex[:12]}"
