"""Fetch jars by their Maven coordinates; the only module that imports jgo.

jgo reads POMs and downloads in pure Python, so neither Maven nor a download page is needed.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from seealso.errors import MissingExtraError, NodeError

T = TypeVar("T")

ATTEMPTS = 3
PAUSE_S = 2.0
DOWNLOADS_AT_ONCE = 6


class Maven:
    """Resolves coordinates into files below one folder.

    Parameters
    ----------
    folder
        Where downloads go. Give each assembly its own: a download that was interrupted leaves
        a broken file, which a later one would trust.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from jgo.maven import MavenContext
        except ImportError as exc:
            raise MissingExtraError.of("jgo", "node") from exc
        self._context = MavenContext(repo_cache=folder, timeout=60)

    def closure(self, coordinate: str) -> dict[str, Any]:
        """Return the artifact of `coordinate` and all that it needs, keyed by artifact id.

        Artifacts with a classifier (native code for one platform) are left out. One coordinate
        at a time: jgo lets the version rules of each input govern all the others.
        """
        dependency = self._context.create_dependency(coordinate)
        resolver = self._context.resolver
        _, nodes = _persist(lambda: resolver.get_dependency_list([dependency]), coordinate)
        needed = (dependency, *(node.dep for node in nodes))
        return {each.artifactId: each.artifact for each in needed if not each.classifier}

    def alone(self, coordinate: str, *, packaging: str = "jar") -> Any:
        """Return the artifact of `coordinate` without what it needs."""
        group, name, version = coordinate.split(":")
        return self._context.project(group, name).at_version(version).artifact(packaging=packaging)

    def download(self, artifacts: Iterable[Any], done: Callable[[], object]) -> list[Path]:
        """Download `artifacts`, a few at once, and call `done` after each; return the files."""
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:

            def fetch(artifact: Any) -> Path:
                path = _persist(lambda: _whole(artifact), str(artifact))
                done()
                return path

            return list(pool.map(fetch, artifacts))


def _whole(artifact: Any) -> Path:
    """Return the artifact's file; never leave a half-written one for the next attempt."""
    try:
        return Path(artifact.resolve())
    except BaseException:
        if artifact.cached_path is not None:
            Path(artifact.cached_path).unlink(missing_ok=True)
        raise


def _persist(action: Callable[[], T], what: str) -> T:
    """Return what `action` returns; try again after a failure, as networks have bad moments."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return action()
        except (OSError, RuntimeError, ValueError) as exc:
            if attempt == ATTEMPTS:
                raise NodeError(
                    f"cannot download OpenSearch: {what}: {exc}",
                    hint="the first start needs a network that reaches Maven Central; later "
                    "starts need none",
                ) from exc
            time.sleep(PAUSE_S * attempt)
    raise AssertionError("unreachable")
