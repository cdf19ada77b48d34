"""``seealso node`` and ``seealso doctor``: the embedded OpenSearch, and what does not work yet."""

from functools import partial
from pathlib import Path

from seealso.cluster import connect
from seealso.cluster.node import DEFAULT_VERSION, VERSIONS, Node, NodeInfo
from seealso.config import Settings
from seealso.plugin.doctor import Finding, examine


def start_node(
    settings: Settings,
    *,
    root: Path | str | None = None,
    version: str = DEFAULT_VERSION,
    port: int | None = None,
    heap: str = "1g",
    timeout: float = 120.0,
) -> NodeInfo:
    """Start the embedded OpenSearch, wait until it answers, and leave it running.

    Parameters
    ----------
    settings
        ``node_root`` is the folder of its data and logs.
    root
        Another folder.
    version
        OpenSearch version.
    port
        HTTP port; a free one by default.
    heap
        Memory of the JVM.
    timeout
        Seconds without progress to wait for its first answer.

    Raises
    ------
    MissingExtraError
        The extra ``node`` is not installed.
    NodeError
        It cannot be installed or started.
    """
    node = Node(Path(root or settings.node_root), version=version, port=port, heap=heap)
    return node.start(timeout=timeout)


def stop_node(
    settings: Settings, *, root: Path | str | None = None, version: str | None = None
) -> list[str]:
    """Stop embedded nodes, and return the versions of those that ran; data stays.

    Parameters
    ----------
    settings
        ``node_root`` is the folder of their data.
    root
        Another folder.
    version
        Of one alone; all versions by default.
    """
    folder = Path(root or settings.node_root)
    return [one for one in _versions(version) if Node(folder, version=one).stop()]


def node_status(
    settings: Settings, *, root: Path | str | None = None, version: str | None = None
) -> list[NodeInfo]:
    """Return the embedded nodes that run.

    Parameters
    ----------
    settings, root, version
        As for `stop_node`.
    """
    folder = Path(root or settings.node_root)
    found = [Node(folder, version=one).status() for one in _versions(version)]
    return [info for info in found if info is not None]


def node_logs(
    settings: Settings,
    *,
    root: Path | str | None = None,
    version: str = DEFAULT_VERSION,
    lines: int = 50,
) -> list[str]:
    """Return the last lines of a node's log.

    Parameters
    ----------
    settings, root
        As for `start_node`.
    version
        Whose log.
    lines
        How many.
    """
    return Node(Path(root or settings.node_root), version=version).logs(lines)


def doctor(settings: Settings) -> list[Finding]:
    """Check settings, bundle, cluster, index and templates; each finding says what to do."""
    return list(examine(settings, partial(connect, settings)))


def _versions(version: str | None) -> tuple[str, ...]:
    return VERSIONS if version is None else (version,)
