"""How a home is put together: class files, descriptors, policies. No network, no Java."""

import io
import struct
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seealso.cluster.node import home
from seealso.cluster.node.maven import Maven, _persist, _whole
from seealso.cluster.node.stubs import interface, write_jar
from seealso.cluster.node.versions import RELEASES, VERSIONS, Release
from seealso.errors import MissingExtraError, NodeError


class FakeMaven:
    """Artifacts that are files of a word; modules need one jar of lib/ and one of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def _artifact(self, name: str) -> SimpleNamespace:
        path = self.folder / f"{name}.jar"
        path.write_text(name)
        return SimpleNamespace(cached_path=path, resolve=lambda: path)

    def closure(self, coordinate: str) -> dict[str, Any]:
        name = coordinate.split(":")[1]
        own = {} if name == "opensearch" else {f"only-{name}": self._artifact(f"only-{name}")}
        return {name: self._artifact(name), "lucene-core": self._artifact("lucene-core"), **own}

    def alone(self, coordinate: str, *, packaging: str = "jar") -> SimpleNamespace:
        name = coordinate.split(":")[1]
        if packaging == "jar":
            return self._artifact(name)
        path = self.folder / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(
                "plugin-descriptor.properties",
                "name=opensearch-knn\nextended.plugins=lang-painless,transport-grpc\n",
            )
        return SimpleNamespace(cached_path=path, resolve=lambda: path)

    def download(self, artifacts: Iterable[Any], done: Callable[[], object]) -> list[Path]:
        return [each.resolve() for each in artifacts]


@pytest.fixture(params=VERSIONS)
def release(request: pytest.FixtureRequest) -> Release:
    return RELEASES[request.param]


@pytest.fixture
def built(release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(home, "Maven", FakeMaven)
    return home.ensure_home(release, tmp_path)


def test_interface_is_a_class_file() -> None:
    data = interface("org.example.Outer$Inner")
    magic, minor, major, pool = struct.unpack(">IHHH", data[:10])
    assert (magic, minor, major, pool) == (0xCAFEBABE, 0, 65, 5)
    assert b"org/example/Outer$Inner" in data
    # flags, this, super, and no interfaces, fields, methods, attributes
    assert data[-14:] == struct.pack(">7H", 0x0601, 1, 3, 0, 0, 0, 0)


def test_write_jar(tmp_path: Path) -> None:
    write_jar(tmp_path / "x.jar", ["a.B", "a.B$C"])
    with zipfile.ZipFile(io.BytesIO((tmp_path / "x.jar").read_bytes())) as jar:
        assert jar.namelist() == ["a/B.class", "a/B$C.class"]


def test_modules_bring_only_what_lib_lacks(built: Path) -> None:
    assert (built / "lib" / "lucene-core.jar").is_file()
    module = {path.name for path in (built / "modules" / "lang-painless").glob("*.jar")}
    assert module == {"lang-painless.jar", "only-lang-painless.jar"}


def test_descriptors(built: Path, release: Release) -> None:
    text = (built / "modules" / "reindex" / "plugin-descriptor.properties").read_text()
    lines = dict(line.split("=", 1) for line in text.splitlines())
    assert lines["opensearch.version"] == release.version
    assert lines["classname"].startswith("org.opensearch.index.reindex.Reindex")
    assert ("ModulePlugin" in lines["classname"]) == release.version.startswith("3.")


def test_policies_only_where_the_security_manager_rules(built: Path, release: Release) -> None:
    policy = built / "modules" / "transport-netty4" / "plugin-security.policy"
    assert policy.exists() == release.security_manager
    if release.security_manager:
        assert 'RuntimePermission "setContextClassLoader";' in policy.read_text()


def test_plugin_needs_only_what_is_there(built: Path, release: Release) -> None:
    folder = built / "plugins" / "opensearch-knn"
    lines = (folder / "plugin-descriptor.properties").read_text().splitlines()
    assert lines == ["name=opensearch-knn", "extended.plugins=lang-painless"]
    assert (folder / "seealso-stubs.jar").exists() == bool(release.plugin_stubs)


def test_others_can_read_the_home(built: Path) -> None:
    assert all(path.stat().st_mode & 0o004 for path in (built, *built.rglob("*")))


def test_a_complete_home_needs_no_maven(
    built: Path, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "Maven", None)
    assert home.ensure_home(release, tmp_path) == built


def test_an_incomplete_home_is_built_again(built: Path, release: Release, tmp_path: Path) -> None:
    (built / home.MARK).unlink()
    assert home.ensure_home(release, tmp_path) == built
    assert (built / home.MARK).is_file()


def test_a_failed_build_leaves_nothing(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: FakeMaven, artifacts: object, done: object) -> list[Path]:
        raise NodeError("cannot download")

    monkeypatch.setattr(home, "Maven", FakeMaven)
    monkeypatch.setattr(FakeMaven, "download", broken)
    with pytest.raises(NodeError):
        home.ensure_home(release, tmp_path)
    assert [path.suffix for path in (tmp_path / "opensearch").iterdir()] in ([], [".lock"])


def test_a_disk_that_fills_up(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: FakeMaven, artifacts: object, done: object) -> list[Path]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(home, "Maven", FakeMaven)
    monkeypatch.setattr(FakeMaven, "download", full)
    with pytest.raises(NodeError, match="No space left on device") as caught:
        home.ensure_home(release, tmp_path)
    assert "free some space" in str(caught.value.hint)


def test_without_jgo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    with pytest.raises(MissingExtraError) as caught:
        Maven(tmp_path)
    assert caught.value.hint == "pip install 'seealso[node]'"


def test_no_network_is_said_after_three_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    count_attempts = []

    def fail() -> None:
        count_attempts.append(1)
        raise ConnectionError("no route")

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(NodeError, match=r"org\.example:x: no route") as caught:
        _persist(fail, "org.example:x")
    assert len(count_attempts) == 3
    assert "Maven Central" in str(caught.value.hint)


def test_half_a_download_is_removed(tmp_path: Path) -> None:
    half = tmp_path / "half.jar"

    def broken() -> Path:
        half.write_text("ha")
        raise ConnectionError("cut")

    with pytest.raises(ConnectionError):
        _whole(SimpleNamespace(cached_path=half, resolve=broken))
    assert not half.exists()
