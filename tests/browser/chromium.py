"""Finds a real Chromium: the system's, or the one that `playwright install chromium` brings.

`python -m tests.browser.chromium` prints where it is, and fails where there is none.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    "no Chromium was found: install one by name (apt-get install chromium), or run "
    "`playwright install chromium`"
)
QUIET = (
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""What keeps a browser from calling home."""


def executable(playwright: Playwright) -> str:
    """Return the path of a Chromium.

    Raises
    ------
    LookupError
        There is none.
    """
    own = playwright.chromium.executable_path
    found = own if Path(own).exists() else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise LookupError(MISSING)
    return found


def launch(playwright: Playwright) -> Browser:
    """Start a Chromium with an empty profile."""
    # the sandbox does not start for root, who runs in containers
    rooted = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return playwright.chromium.launch(
        executable_path=executable(playwright), args=[*QUIET, *rooted]
    )


if __name__ == "__main__":
    with sync_playwright() as started:
        try:
            sys.stdout.write(executable(started) + "\n")
        except LookupError as missing:
            sys.exit(str(missing))
