"""Wheel and sdist: made of what git tracks, described, and complete."""

import shutil
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

from release.checking import BIN, ROOT, Refused, find_wheel, run


def check(folder: Path) -> str:
    """Make both, the wheel of the sdist, and check what is in them and what they say.

    Parameters
    ----------
    folder
        Gets ``dist``.

    Raises
    ------
    Refused
        They cannot be made, or something is missing, too much, or not as an index wants it.
    """
    # a build leaves folders behind, and would take along what git does not know
    copy = folder / "copy"
    for name in run("git", "ls-files", "-z").rstrip("\0").split("\0"):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # links stay links, as in a clone
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    # without a choice, the wheel is made of the sdist: so the sdist is complete
    run(sys.executable, "-m", "build", "--outdir", folder / "dist", cwd=copy)
    made = sorted((folder / "dist").iterdir())
    run(BIN / "twine", "check", "--strict", *made)
    wheel = find_wheel(folder)
    run(BIN / "check-wheel-contents", "--toplevel", "seealso", wheel)
    _compare(wheel, copy)
    (sdist,) = (one for one in made if one.name.endswith(".tar.gz"))
    with tarfile.open(sdist) as archive:
        files = {Path(one).name for one in archive.getnames()}
    if missing := {"LICENSE", "README.md", "pyproject.toml"} - files:
        raise Refused(f"{sdist.name}: lacks {', '.join(sorted(missing))}")
    return ", ".join(f"{one.name} ({one.stat().st_size // 1000} kB)" for one in made)


def _compare(wheel: Path, copy: Path) -> None:
    """Make sure that every module of the tree is in the wheel."""
    inside = {name for name in ZipFile(wheel).namelist() if name.endswith(".py")}
    rooms = {"src": "", "indexer": "seealso/", "plugin": "seealso/", "query_templates": "seealso/"}
    tree = set()
    for room, prefix in rooms.items():
        base = copy / room if room == "src" else copy
        tree |= {f"{prefix}{one.relative_to(base)}" for one in (copy / room).rglob("*.py")}
    if tree != inside:
        differing = ", ".join(sorted(tree ^ inside))
        raise Refused(f"{wheel.name}: modules of the tree and of the wheel differ: {differing}")
