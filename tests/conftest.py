"""Fixtures of every suite: a real OpenSearch of each supported version, started when first asked.

At most one node of each version runs, shared by all tests of all workers; each test keeps to an
index of its own (`index_name`). A test that changes what all indices of a cluster share is marked
``alone`` and waits until no other uses that node. A node that cannot start is an error of the test,
never a skip.

Where the environment variable SEEALSO_TEST_NODES names a folder, the nodes in it are used, and
left running: while a test is being written, nobody waits for a start.
"""

import signal
from collections.abc import Collection, Iterator
from types import FrameType
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings

from seealso.cluster.node import DEFAULT_VERSION, VERSIONS, NodeInfo
from tests.bundles import minilm, tiny  # noqa: F401
from tests.nodes import SharedNodes

# how long a drawn case takes says nothing on a busy machine
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

NODES = pytest.StashKey[SharedNodes]()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def pytest_configure(config: pytest.Config) -> None:
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[NODES] = SharedNodes.join(worker["nodes"])
        return
    nodes = config.stash[NODES] = SharedNodes.create()
    # whatever ends the run stops the nodes
    previous = signal.signal(signal.SIGTERM, _interrupt)
    config.add_cleanup(lambda: signal.signal(signal.SIGTERM, previous))
    config.add_cleanup(nodes.close)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the nodes are."""
    node.workerinput["nodes"] = str(node.config.stash[NODES].folder)


# before the clock of pytest-timeout starts
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Wait until a test may use the nodes that it asks for."""
    alone = item.get_closest_marker("alone") is not None
    with item.config.stash[NODES].turn(versions_of(item), alone=alone):
        return (yield)


def versions_of(item: pytest.Item) -> set[str]:
    """Return the versions whose nodes a test uses, by its fixtures."""
    asked: Collection[str] = getattr(item, "fixturenames", ())
    versions = {DEFAULT_VERSION} if "opensearch_latest" in asked else set()
    if "opensearch" in asked:
        versions.add(item.callspec.params["opensearch"])  # type: ignore[attr-defined]
    return versions or (set(VERSIONS) if "shared_nodes" in asked else set())


@pytest.fixture(scope="session")
def shared_nodes(pytestconfig: pytest.Config) -> SharedNodes:
    return pytestconfig.stash[NODES]


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
