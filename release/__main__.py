"""`python -m release`: every check, a line for each; exit code 1 if one failed."""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from release import image, installed, licences, packages, versions
from release.checking import Refused

CHECKS: Final[dict[str, Callable[[Path], str]]] = {
    "version": versions.check,
    "packages": packages.check,
    "licences": licences.check,
    "installed": installed.check,
    "image": image.check,
}
"""In this order: what comes first is quickest, or made for what comes later."""


def main() -> int:
    """Run the checks in a folder that is gone afterwards, and return the exit code."""
    failed = 0
    with TemporaryDirectory(prefix="seealso-release-") as folder:
        for name, check in CHECKS.items():
            started = perf_counter()
            try:
                said = f"ok      {name}: {check(Path(folder))}"
            except Refused as exc:
                failed += 1
                said = f"FAILED  {name}: {exc}"
            print(f"{said} [{perf_counter() - started:.0f} s]", flush=True)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
