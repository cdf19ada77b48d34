"""Assemble an OpenSearch home (lib, modules, plugins) from Maven artifacts, once per user.

A home is built in a scratch folder and renamed into place, so a complete one is never half a
one, and everything after the first start works without a network.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock

from seealso.cluster.node.disk import require_space
from seealso.cluster.node.maven import Maven
from seealso.cluster.node.stubs import write_jar
from seealso.cluster.node.versions import Module, Release
from seealso.errors import NodeError
from seealso.log import progress

MARK = "seealso-complete"
NEEDED_BYTES = 400 * 1024**2


def home_path(release: Release, cache: Path) -> Path:
    """Return where the home of `release` is, or will be.

    Its name carries a digest of the release's parts: a seealso with other parts builds another
    home, and leaves alone one that a node may be running from.
    """
    digest = hashlib.sha256(repr(release).encode()).hexdigest()[:8]
    return cache / "opensearch" / f"{release.version}-{digest}"


def ensure_home(release: Release, cache: Path) -> Path:
    """Return the home of `release` below `cache`, assembling it if it is not there.

    Raises
    ------
    NodeError
        If the artifacts cannot be downloaded or written.
    MissingExtraError
        If jgo is needed and not installed.
    """
    home = home_path(release, cache)
    if (home / MARK).is_file():
        return home
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(home.with_name(f"{home.name}.lock")):
            if not (home / MARK).is_file():
                require_space(home.parent, NEEDED_BYTES)
                _build(release, home)
    except OSError as exc:
        raise NodeError(
            f"cannot write the OpenSearch home {home}: {exc.strerror or exc}",
            hint="free some space, or set XDG_CACHE_HOME to a folder that can be written",
        ) from exc
    return home


def _build(release: Release, home: Path) -> None:
    """Build the home next to its place and move it there in one step."""
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".build-") as scratch:
        built = Path(scratch) / "home"
        _lay_out(release, Maven(Path(scratch) / "maven"), built)
        (built / MARK).write_text(release.version + "\n")
        _open_to_all(built)
        if home.exists():  # without its mark: somebody removed files by hand
            shutil.rmtree(home)
        built.rename(home)


def _lay_out(release: Release, maven: Maven, home: Path) -> None:
    """Resolve, download and place everything that belongs to the home."""
    parts = len(release.modules) + 2
    with progress(f"resolve {release.version}", total=parts) as tick:
        plan = _plan(release, maven, tick)
    zipped = maven.alone(release.plugin, packaging="zip")
    jars = [jar for folder in plan.values() for jar in folder]
    with progress(f"download {release.version}", total=len(jars) + 1) as tick:
        plugin_zip, *_ = maven.download([zipped, *jars], tick)
    with progress(f"assemble {release.version}", total=len(plan) + 1) as tick:
        for folder, artifacts in plan.items():
            _place(home / folder, (Path(each.cached_path) for each in artifacts))
            tick()
        for module in release.modules:
            _describe(home / "modules" / module.name, module, release)
        _add_plugin(home / "plugins" / "opensearch-knn", plugin_zip, release)
        # OpenSearch creates it if it is not there, and may not write here
        (home / "bin").mkdir()
        tick()


def _plan(release: Release, maven: Maven, tick: Callable[[], object]) -> dict[str, list[Any]]:
    """Return the artifacts of each folder; a module brings only what lib/ lacks."""
    core = maven.closure(release.core)
    lib = [*core.values(), *(maven.alone(each) for each in release.core_alone)]
    plan = {"lib": lib}
    tick()
    for module in release.modules:
        needed = maven.closure(f"org.opensearch.plugin:{module.artifact}:{release.version}")
        plan[f"modules/{module.name}"] = [
            artifact for name, artifact in needed.items() if name not in core
        ]
        tick()
    plan["plugins/opensearch-knn"] = [maven.alone(each) for each in release.plugin_extra]
    tick()
    return plan


def _place(folder: Path, files: Iterable[Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        # a link, where the file system has them: the scratch copy goes away anyway
        try:
            os.link(file, folder / file.name)
        except OSError:
            shutil.copy2(file, folder / file.name)


def _describe(folder: Path, module: Module, release: Release) -> None:
    """Write the descriptor, and where the security manager rules, the policy of a module."""
    (folder / "plugin-descriptor.properties").write_text(
        f"description={module.name}\n"
        f"version={release.version}\n"
        f"name={module.name}\n"
        f"classname={module.classname}\n"
        f"java.version={release.java[0] if release.java[0] >= 21 else 11}\n"
        f"opensearch.version={release.version}\n"
        "extended.plugins=\n"
        "has.native.controller=false\n"
    )
    if release.security_manager and module.permissions:
        grants = "\n  ".join(module.permissions)
        (folder / "plugin-security.policy").write_text(f"grant {{\n  {grants}\n}};\n")


def _add_plugin(folder: Path, archive: Path, release: Release) -> None:
    """Unpack the k-NN plugin beside its extra jars and cut its needs to what is there."""
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    descriptor = folder / "plugin-descriptor.properties"
    lines = [
        f"extended.plugins={release.plugin_needs}" if line.startswith("extended.plugins") else line
        for line in descriptor.read_text().splitlines()
    ]
    descriptor.write_text("\n".join(lines) + "\n")
    if release.plugin_stubs:
        write_jar(folder / "seealso-stubs.jar", release.plugin_stubs)


def _open_to_all(home: Path) -> None:
    """Let every user read the home: a node that root starts runs as another one."""
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
