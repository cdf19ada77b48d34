"""What the wheel holds is what stands on disk."""

import importlib.util
import tomllib
from pathlib import Path
from typing import Any

import pytest

import seealso

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def on_disk() -> set[str]:
    """Return the package of every ``__init__.py``, by the folder that it stands in."""
    found = set()
    for marker in (ROOT / "src").rglob("__init__.py"):
        found.add(".".join(marker.parent.relative_to(ROOT / "src").parts))
    for room in ("indexer", "plugin", "query_templates"):
        for marker in (ROOT / room).rglob("__init__.py"):
            found.add(".".join(("seealso", *marker.parent.relative_to(ROOT).parts)))
    return found


def test_every_package_is_listed_and_every_listed_one_exists(project: dict[str, Any]) -> None:
    assert set(project["tool"]["setuptools"]["packages"]) == on_disk()


def test_no_code_stands_outside_a_package() -> None:
    folders = {file.parent for room in ("src/seealso", "indexer", "plugin", "query_templates")
               for file in (ROOT / room).rglob("*.py")}  # fmt: skip
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_root_folders_are_mapped(project: dict[str, Any]) -> None:
    mapped = project["tool"]["setuptools"]["package-dir"]
    for name, folder in mapped.items():
        assert (ROOT / folder).is_dir(), name
    assert {name for name in mapped if name} == {
        "seealso.indexer",
        "seealso.plugin",
        "seealso.query_templates",
    }


def test_the_package_links_to_each_root_folder(project: dict[str, Any]) -> None:
    # editors, type checkers and import rules follow the links; the build follows the mapping
    mapped = project["tool"]["setuptools"]["package-dir"]
    source = ROOT / "src" / "seealso"
    links = {f"seealso.{one.name}": one.resolve() for one in source.iterdir() if one.is_symlink()}
    assert links == {name: ROOT / folder for name, folder in mapped.items() if name}


def test_each_module_is_imported_from_one_place() -> None:
    found = importlib.util.find_spec("seealso.plugin.recommender")
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).samefile(ROOT / "plugin" / "recommender.py")


def test_every_file_of_the_templates_is_packed(project: dict[str, Any]) -> None:
    patterns = project["tool"]["setuptools"]["package-data"]["seealso.query_templates"]
    folder = ROOT / "query_templates"
    packed = {file for pattern in patterns for file in folder.glob(pattern)}
    others = {file for file in folder.iterdir() if file.is_file() and file.suffix != ".py"}
    assert packed
    assert packed == others
    assert (ROOT / "src" / "seealso" / "py.typed").is_file()


def test_the_version_is_said_once_and_the_same(project: dict[str, Any]) -> None:
    assert project["project"]["version"] == seealso.__version__


def test_serving_needs_no_torch(project: dict[str, Any]) -> None:
    heavy = ("torch", "transformers", "onnxscript", "sentence-transformers", "faiss")
    for requirement in project["project"]["dependencies"]:
        assert not requirement.startswith(heavy), requirement
