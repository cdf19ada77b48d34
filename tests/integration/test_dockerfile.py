"""The image, as far as that can be seen without an engine: its steps, and what it starts."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from packaging.utils import canonicalize_name
from pathspec import GitIgnoreSpec

from release.closure import packages
from release.dockerfile import Stage, read_stages
from tests.library import Library

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
HEAVY = re.compile(r"torch|triton|nvidia|cuda|transformers|faiss")


@pytest.fixture(scope="module")
def stages() -> dict[str, Stage]:
    return {stage.name: stage for stage in read_stages(ROOT / "Dockerfile")}


@pytest.fixture(scope="module")
def image(stages: dict[str, Stage]) -> Stage:
    """The stage that becomes the image."""
    return stages[""]


@pytest.fixture(scope="module")
def sent() -> set[str]:
    """The files that an engine gets to build from."""
    # its patterns begin with a slash: git reads those as an engine does
    ignored = GitIgnoreSpec.from_lines((ROOT / ".dockerignore").read_text().splitlines())
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    untracked = ("seealso.local.toml", ".env", "src/seealso/__pycache__/x.pyc", ".git/config")
    return {file for file in (*tracked, *untracked) if file and not ignored.match_file(file)}


def test_a_linter_finds_nothing() -> None:
    found = subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "")


def test_what_is_copied_is_sent_and_nothing_else(stages: dict[str, Stage], sent: set[str]) -> None:
    copied = [
        source.removesuffix("/")
        for stage in stages.values()
        for step in stage.find("COPY")
        if step.source is None
        for source in step.values[:-1]
    ]
    assert "src" in copied
    for source in copied:
        assert any(file == source or file.startswith(f"{source}/") for file in sent), source
    needless = {one for one in sent if not one.startswith(tuple(copied))}
    assert needless == set()
    assert all((ROOT / file).exists() for file in sent)


def test_it_runs_as_nobody_and_needs_one_folder(image: Stage) -> None:
    (user,) = image.last("USER")
    # Kubernetes cannot tell whether a name is root
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert f"--uid {user.split(':')[0]} " in next(image.find("RUN")).values[0]
    (folder,) = image.last("VOLUME")
    written = [image.variables[f"SEEALSO_ENCODER__{name}"] for name in ("STORE", "CACHE")]
    assert [Path(one).parent for one in written] == [Path(folder)] * 2
    assert image.last("STOPSIGNAL") == ("SIGTERM",)
    assert image.last("EXPOSE") == (image.variables["SEEALSO_SERVICE__PORT"],)


def test_no_step_brings_a_secret(stages: dict[str, Stage]) -> None:
    names = {name for stage in stages.values() for name in stage.variables}
    assert not [name for name in names if re.search("PASSWORD|SECRET|TOKEN|KEY", name)]


def test_base_images_are_slim_and_of_one_version(stages: dict[str, Stage]) -> None:
    (base,) = {stage.base for stage in stages.values()}
    found = re.fullmatch(r"python:(\d+\.\d+)-slim", base)
    assert found is not None
    # the one that the tests run on
    assert found[1] == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_what_it_installs_is_pinned_and_without_torch(stages: dict[str, Stage]) -> None:
    extras = stages["environment"].variables["EXTRAS"].split(",")
    assert {"serve", "export"} <= set(extras)
    installed = packages(extras)
    assert len(installed) > 40
    assert not [name for name in installed if HEAVY.match(name)]
    lock = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = {canonicalize_name(line.split("==")[0]) for line in lock}
    assert installed <= pinned
    assert "--constraint /requirements.lock" in next(stages["environment"].find("RUN")).values[0]


def test_what_it_starts_serves_and_ends(image: Stage, library: Library, tmp_path: Path) -> None:
    """ENTRYPOINT and CMD with the image's variables: healthy, answering, ended by its signal."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    keys = [{"name": "test", "sha256": sha256(b"a key of this test").hexdigest()}]
    environ = {
        **os.environ,
        **{name: value for name, value in image.variables.items() if name != "PATH"},
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        # where this library keeps them, and a port that is free
        "SEEALSO_ENCODER__STORE": str(library.folder / "bundles"),
        "SEEALSO_ENCODER__CACHE": str(library.folder / "vectors.sqlite"),
        "SEEALSO_SERVICE__PORT": port,
        "SEEALSO_SERVICE__KEYS": json.dumps(keys),
    }
    before = files(library.folder)
    log = tmp_path / "log"
    command = [*image.last("ENTRYPOINT"), *image.last("CMD")]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, cwd=library.folder, env=environ, stderr=stderr) as ran,
    ):
        try:
            deadline = time.monotonic() + 60
            while "listening on" not in log.read_text() and time.monotonic() < deadline:
                assert ran.poll() is None, log.read_text()
                time.sleep(0.1)
            assert f"listening on http://0.0.0.0:{port}" in log.read_text()
            instruction, *health = image.last("HEALTHCHECK")
            assert instruction == "CMD"
            healthy = subprocess.run(health, env=environ, capture_output=True, text=True)
            assert healthy.returncode == 0, healthy.stderr
            found = httpx.post(
                f"http://127.0.0.1:{port}/v1/recommend",
                json={"user": "u1", "size": 3},
                headers={"authorization": "Bearer a key of this test"},
                timeout=30,
            )
            assert len(found.json()["items"]) == 3
        finally:
            ran.send_signal(signal.Signals[image.last("STOPSIGNAL")[0]])
        assert ran.wait(30) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
    assert "Traceback" not in log.read_text()
    # a folder that is read-only is enough
    assert files(library.folder) == before
    ill = subprocess.run(health, env=environ, capture_output=True, text=True)
    assert ill.returncode != 0


def files(folder: Path) -> dict[str, int]:
    """Return the files of a folder, and when each was written last."""
    return {
        str(one.relative_to(folder)): one.stat().st_mtime_ns
        for one in folder.rglob("*")
        if one.is_file()
    }
