"""What the checks have in common: how one fails, and how a program is run."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent
LAST_LINES: Final = 15


class Refused(Exception):
    """What is checked is not as it must be; the message says what is wrong and what to do."""


def run(*command: str | Path, cwd: Path = ROOT, environ: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it printed.

    Parameters
    ----------
    command
        The program and its arguments.
    cwd
        Where it runs.
    environ
        Variables beside those of this process, without what would lead to the sources.

    Raises
    ------
    Refused
        It failed; the message ends with its last lines.
    """
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SEEALSO"))}
    done = subprocess.run(
        [str(one) for one in command],
        cwd=cwd,
        env={**own, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        said = "\n".join(done.stdout.splitlines()[-LAST_LINES:])
        raise Refused(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{said}")
    return done.stdout


def find_wheel(folder: Path) -> Path:
    """Return the wheel that was made.

    Raises
    ------
    Refused
        None was.
    """
    for wheel in (folder / "dist").glob("*.whl"):
        return wheel
    raise Refused("there is no wheel: see the check of the packages")
