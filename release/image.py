"""The Dockerfile's steps without an engine: each stage is a folder, and paths lead into it."""

import re
import shutil
import sys
from pathlib import Path
from typing import Final

from release.checking import BIN, ROOT, Refused, run
from release.dockerfile import Stage, Step, read_stages

ACCOUNT: Final = "useradd"
"""A step that makes an account: nothing for the machine that checks."""


def check(folder: Path) -> str:
    """Run the steps that install, and ask what they have made.

    Parameters
    ----------
    folder
        Gets a folder for each stage.

    Raises
    ------
    Refused
        A step fails, or the image would lack something or have torch.
    """
    stages = read_stages(ROOT / "Dockerfile")
    roots = {stage.name: folder / "image" / (stage.name or "image") for stage in stages}
    left_out = 0
    for stage in stages:
        left_out += _make(stage, roots)
    image, root = stages[-1], roots[""]
    program = root / image.variables["PATH"].split(":")[0].removeprefix("/")
    version = run(program / "seealso", "--version").strip()
    run(program / "seealso", *image.last("CMD"), "--help")
    run(program / "python", "-c", "import fastapi, implicit, onnx, safetensors, uvicorn")
    installed = run(BIN / "uv", "pip", "list", "--quiet", "--python", program / "python")
    if heavy := re.findall(r"^(?:torch|nvidia|triton)\S*", installed, re.MULTILINE):
        raise Refused(f"the image has {', '.join(heavy)}")
    return f"{version}; {len(installed.splitlines()) - 2} packages, {left_out} step not run here"


def _make(stage: Stage, roots: dict[str, Path]) -> int:
    """Run the steps of a stage; return how many cannot be run here."""
    root, folder, left_out = roots[stage.name], Path("/"), 0
    root.mkdir(parents=True)
    for step in stage.steps:
        if step.name == "WORKDIR":
            folder = Path(step.values[0])
            _inside(root, folder).mkdir(parents=True, exist_ok=True)
        elif step.name == "COPY":
            _copy(step, roots, root, folder)
        elif step.name == "RUN" and ACCOUNT in step.values[0]:
            left_out += 1
        elif step.name == "RUN":
            _run(step.values[0], stage, root, folder)
    return left_out


def _copy(step: Step, roots: dict[str, Path], root: Path, folder: Path) -> None:
    *sources, target = step.values
    start = ROOT if step.source is None else roots[step.source]
    for source in sources:
        found = start / source.removeprefix("/")
        goal = _inside(root, folder / target)
        # a folder's contents, or a file into a folder or under a name of its own
        if found.is_dir():
            shutil.copytree(found, goal, symlinks=True, dirs_exist_ok=True)
        else:
            goal = goal / found.name if target.endswith("/") else goal
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, goal)


def _run(command: str, stage: Stage, root: Path, folder: Path) -> None:
    """Run a command with each absolute path inside the folder of its stage."""
    inside = re.sub(r"(?<![\w./}])/(?=[a-z])", f"{root}/", command)
    # the interpreter of the image is the one that runs this
    environ = {**stage.variables, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    run("sh", "-c", inside, cwd=_inside(root, folder), environ=environ)


def _inside(root: Path, path: Path) -> Path:
    return root / str(path).removeprefix("/")
