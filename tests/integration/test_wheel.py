"""The wheel alone, in a new environment: it serves, without torch and without any extra."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import pytest

from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from tests.bundles import ROOT, tiny_source
from tests.library import Library

PARTS = ("src", "indexer", "plugin", "query_templates")
FILES = ("pyproject.toml", "README.md", "LICENSE")
UV = Path(sys.executable).parent / "uv"


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel and what it requires."""

    wheel: Path
    folder: Path

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a program of the environment, far from the sources."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SEEALSO"))}
        return subprocess.run(
            [str(self.folder / "bin" / command[0]), *command[1:]],
            cwd=self.folder,
            env=environ | {"COLUMNS": "120"},
            capture_output=True,
            text=True,
        )


def uv(*arguments: str, cwd: Path) -> None:
    done = subprocess.run([str(UV), *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel from a copy (a build leaves folders behind) and install it."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    copy.mkdir()
    for part in PARTS:
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        # links stay links, as in a clone
        shutil.copytree(ROOT / part, copy / part, ignore=ignored, symlinks=True)
    for file in FILES:
        shutil.copy(ROOT / file, copy / file)
    uv("build", "--wheel", "--out-dir", str(folder / "dist"), cwd=copy)
    (wheel,) = (folder / "dist").glob("*.whl")
    uv("venv", "--python", sys.executable, str(folder / "env"), cwd=folder)
    uv(
        "pip", "install", "--python", str(folder / "env" / "bin" / "python"),
        "-c", str(ROOT / "requirements.lock"), str(wheel), cwd=folder,
    )  # fmt: skip
    return Installed(wheel, folder / "env")


@pytest.fixture(scope="module")
def library(
    opensearch_latest: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("wheel-books")
    library = Library.found(folder, opensearch_latest.url, f"books-{uuid4().hex[:8]}", tiny)
    library.build()
    yield library
    library.close()


def test_the_wheel_holds_the_rooms_and_their_files(installed: Installed) -> None:
    names = set(ZipFile(installed.wheel).namelist())
    for part in PARTS:
        room = ROOT / part / "seealso" if part == "src" else ROOT / part
        inside = "seealso" if part == "src" else f"seealso/{part}"
        wanted = [
            *room.rglob("*.py"),
            *room.rglob("*.mustache"),
            *room.rglob("*.painless"),
            *room.rglob("py.typed"),
            *room.rglob("static/*"),
        ]
        assert wanted
        assert {f"{inside}/{file.relative_to(room).as_posix()}" for file in wanted} <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "examples"))]


def test_help_needs_no_extra(installed: Installed) -> None:
    done = installed.run("seealso", "--help")
    assert done.returncode == 0, done.stderr
    for name in ("recommend", "related", "index", "node", "model", "doctor", "demo", "train"):
        assert name in done.stdout
        assert installed.run("seealso", name, "--help").returncode == 0


@pytest.mark.parametrize("package", ["torch", "transformers", "onnx", "jgo", "psutil", "faiss"])
def test_no_extra_is_installed(installed: Installed, package: str) -> None:
    done = installed.run("python", "-c", f"import {package}")
    assert done.returncode == 1
    assert f"No module named '{package}'" in done.stderr


def test_it_recommends(installed: Installed, library: Library) -> None:
    done = installed.run(
        "seealso", "--config", str(library.config), "recommend", "u1", "--words", "castle", "--json"
    )
    assert done.returncode == 0, done.stderr
    expected = library.recommender().recommend("u1", words="castle")
    assert [item["item_id"] for item in json.loads(done.stdout)["items"]] == expected.ids
    related = installed.run("seealso", "--config", str(library.config), "related", "b7")
    assert related.returncode == 0, related.stderr


def test_it_builds_an_index(installed: Installed, library: Library) -> None:
    done = installed.run(
        "seealso", "--config", str(library.config), "--set", f"index.alias={library.alias}-wheel",
        "index", "build", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["items"] == 60


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["model", "export", tiny_source(), "--out", "new"], "export"),
        # the default model is a wheel, which is missing here as well
        (["model", "export"], "export"),
        (["train"], "train"),
        (["node", "start"], "node"),
    ],
)
def test_what_needs_an_extra_names_it(installed: Installed, command: list[str], extra: str) -> None:
    done = installed.run("seealso", *command)
    assert done.returncode == 4, done.stderr
    assert f"pip install 'seealso[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
