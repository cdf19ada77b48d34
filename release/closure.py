"""What requirements bring along, by what the installed packages say of themselves."""

import tomllib
from collections.abc import Iterable
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.checking import ROOT


def packages(extras: Iterable[str]) -> set[str]:
    """Return the names of all packages that seealso needs with some extras, all that they need too.

    Parameters
    ----------
    extras
        Of pyproject.toml; they are installed here.
    """
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    found: set[tuple[str, str]] = set()
    unread = [(Requirement(line), "") for line in lines]
    while unread:
        requirement, extra = unread.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for needed in ("", *requirement.extras):
            if (name, needed) not in found:
                found.add((name, needed))
                unread += [(Requirement(line), needed) for line in requires(name) or ()]
    return {name for name, _ in found}
