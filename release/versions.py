"""The version: the same wherever it is said, and described in the list of changes."""

import re
import tomllib
from pathlib import Path

import yaml

from release.checking import ROOT, Refused

WHERE = {
    "CHANGELOG.md, its newest part": ("CHANGELOG.md", r"^## (\S+)$"),
    "README.md": ("README.md", r"version (\d+\.\d+)"),
    "src/seealso/version.py": ("src/seealso/version.py", r'__version__ = "(.+)"'),
}


def check(_: Path) -> str:
    """Compare all places with pyproject.toml.

    Raises
    ------
    Refused
        Two of them differ.
    """
    with (ROOT / "pyproject.toml").open("rb") as file:
        version: str = tomllib.load(file)["project"]["version"]
    found = {place: _search(*where) for place, where in WHERE.items()}
    chart = yaml.safe_load((ROOT / "deploy/helm/seealso/Chart.yaml").read_text())
    found |= {f"Chart.yaml, {name}": chart[name] for name in ("version", "appVersion")}
    # prose says 0.2 of 0.2.0
    others = {k: v for k, v in found.items() if v not in (version, version.rpartition(".")[0])}
    if others:
        differing = ", ".join(f"{place} has {other}" for place, other in others.items())
        raise Refused(f"pyproject.toml has {version}, but {differing}")
    return f"{version}, in pyproject.toml and {len(found)} other places"


def _search(file: str, pattern: str) -> str:
    found = re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise Refused(f"{file}: says no version")
    return found[1]
