"""A real Chromium, and what a page did in it that nobody sees: errors, dialogs, requests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from tests.browser.chromium import launch
from tests.browser.playground import open_shop, serving
from tests.integration.catalogues import Shop


@dataclass
class Seen:
    """A page, and what happened in it.

    Attributes
    ----------
    page
        The page.
    errors
        Of the console and of scripts.
    dialogs
        What scripts wanted to say.
    requests
        Everything that was fetched, the page itself among it.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Write down what happens from now on."""
        self.page.on("console", lambda told: self._told(told.type, told.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", self._dialog)

    def _told(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(text)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


PATIENCE = 120_000
"""Milliseconds that a page may take: on a busy machine a plot is slow, not wrong."""

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., AbstractContextManager[Seen]]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real Chromium; a machine without one fails, it does not skip."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Visit:
    """Open a file or an address in a window of its own."""

    @contextmanager
    def open_page(page: Path | str, *, width: int = 1280, **options: Any) -> Iterator[Seen]:
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(PATIENCE)
        try:
            seen = Seen(context.new_page())
            seen.watch()
            seen.page.goto(page if isinstance(page, str) else page.as_uri())
            seen.page.wait_for_load_state("networkidle")
            yield seen
        finally:
            context.close()

    return open_page


@pytest.fixture(scope="session")
def shop(
    opensearch_latest: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """The shop of the playground."""
    opened = open_shop(tmp_path_factory.mktemp("playground"), opensearch_latest.url, tiny)
    yield opened
    opened.clear()


@pytest.fixture(scope="session")
def address(shop: Shop) -> Iterator[str]:
    """The page of the playground, whose service needs no key."""
    with serving(shop) as found:
        yield found
