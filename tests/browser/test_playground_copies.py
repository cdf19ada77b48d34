"""What the playground offers to copy is run: it finds the same list."""

import json
import subprocess
import sys

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.playground import (
    ANN,
    ids,
    ids_of,
    settled,
    tab_to,
)


def copied(page: Page, kind: str) -> str:
    """Return the list as a text of some kind."""
    page.get_by_label(kind, exact=True).check()
    code = page.get_by_label("The list as text")
    expect(code).not_to_be_empty()
    settled(page)
    return code.text_content() or ""


def test_what_is_copied_runs_and_finds_the_same(address: str, visit: Visit) -> None:
    words = 'it\'s a "western" & `more` $HOME'
    with visit(f"{address}#words={words.replace('&', '%26')}&size=4&tail_share=0") as seen:
        page = seen.page
        tab_to(page, page.get_by_text("Copy as"))
        page.keyboard.press("Enter")
        settled(page)
        listed = ids(page)
        curl = copied(page, "curl to the service")
        answer = subprocess.run(["sh", "-c", curl], capture_output=True, check=True, timeout=60)
        assert ids_of(json.loads(answer.stdout)) == listed
        client = copied(page, "Python client")
        ran = subprocess.run(
            [sys.executable, "-c", client], capture_output=True, text=True, check=True, timeout=60
        )
        assert [line.split()[0] for line in ran.stdout.splitlines()] == listed
        library = copied(page, "Python")
        compile(library, "library", "exec")
        assert "from seealso import Recommender" in library
        assert "size=4" in library
        cluster = copied(page, "curl to OpenSearch")
        answer = subprocess.run(["sh", "-c", cluster], capture_output=True, check=True, timeout=60)
        hits = [one["hits"]["hits"] for one in json.loads(answer.stdout)["responses"]]
        assert {*listed} <= {one["_id"] for found in hits for one in found}


def test_a_copy_lands_in_the_clipboard(address: str, visit: Visit) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with visit(f"{address}{ANN}", permissions=allowed) as seen:
        seen.page.get_by_text("Copy as").click()
        settled(seen.page)
        seen.page.get_by_role("button", name="Copy", exact=True).click()
        expect(seen.page.get_by_text("Copied.")).to_be_visible()
        found = seen.page.evaluate("navigator.clipboard.readText()")
        assert found == seen.page.get_by_label("The list as text").text_content()
        assert found.startswith("curl -s 'http://127.0.0.1")
