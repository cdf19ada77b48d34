"""The example of a page, in a real browser: a list is shown, and its clicks arrive with it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import expect

from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.indexer.events.store import events_name
from seealso.indexer.users.live import user_indices
from seealso.plugin import Recommender
from seealso.plugin.search.ubi import UbiLog
from seealso.plugin.service.app import create_app
from seealso.plugin.users_index import UsersIndex
from tests.browser.conftest import Visit
from tests.browser.hostile import HOSTILE
from tests.integration.catalogues import Shop, films
from tests.live import forgotten
from tests.members import FILMS, KEY, NAMES, built, choices
from tests.services import running
from tests.snippets import ROOT

SITE = ROOT / "examples" / "javascript" / "site.py"
SERVICE_KEY = "b41c77e0"
VIEWER = "ann-3"


@pytest.fixture(scope="module")
def shop(
    opensearch_latest: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop with users, whose lists are logged, and whose titles are no HTML."""
    name = f"page-{uuid4().hex[:8]}"
    sections: dict[str, dict[str, Any]] = {
        "events": {"time": "day", "type": "kind"},
        "users": {"enabled": True},
        "ubi": {"enabled": True, "queries": f"{name}-queries"},
        "service": {
            "keys": [
                {
                    "name": "site",
                    "sha256": sha256(SERVICE_KEY.encode()).hexdigest(),
                    "scopes": ["read", "events"],
                }
            ]
        },
    }
    made = Shop(tmp_path_factory.mktemp("page"), opensearch_latest.url, name, tiny, sections)
    made.stock([one | {"title": f"{one['title']} {HOSTILE}"} for one in films(FILMS)], choices())
    made.build()
    built(made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEALSO_USERS_KEY", KEY)
        yield made
    users = [one.name for one in user_indices(made.cluster, made.settings())]
    forgotten(made, *users, f"{name}-queries")
    made.clear()


@pytest.fixture
def service(shop: Shop) -> Iterator[str]:
    """The service of the shop, which wants a key."""
    settings, cluster = shop.settings(), shop.cluster
    log = UbiLog(cluster, settings.ubi, NAMES)
    index = UsersIndex(cluster, settings, NAMES)
    with running(create_app(Recommender(cluster, settings, users=index, ubi=log))) as address:
        yield address


@contextmanager
def site(service: str, *options: str) -> Iterator[str]:
    """Run the site of the example, as its page says."""
    command = [sys.executable, str(SITE), "--service", service, "--port", "0", *options]
    environment = {"SEEALSO_SERVICE_KEY": SERVICE_KEY, "PATH": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("open ").strip()
        finally:
            process.terminate()


def stored_events(shop: Shop, number: int) -> list[dict[str, Any]]:
    """Return the events that the service has written, oldest first, once so many are there."""
    name, deadline = events_name(shop.alias), time.monotonic() + 60
    body = {"size": 100, "sort": [{"time": "asc"}], "query": {"exists": {"field": "item"}}}
    while True:
        indices.refresh(shop.cluster, name)
        found = shop.cluster.request("POST", f"/{name}/_search", body)["hits"]["hits"]
        if len(found) >= number or time.monotonic() > deadline:
            return [one["_source"] for one in found]
        time.sleep(0.2)


def test_a_page_shows_a_list_and_its_click_arrives_with_it(
    shop: Shop, service: str, visit: Visit
) -> None:
    with site(service, "--user", VIEWER) as address, visit(address) as seen:
        page = seen.page
        links = page.locator("#list a")
        expect(links).to_have_count(5)
        titles = links.all_text_contents()
        assert all(title.endswith(HOSTILE) for title in titles)
        assert page.locator("#list b, #list img, #list script").count() == 0
        chosen = links.nth(1)
        target = parse_qs(urlsplit(str(chosen.get_attribute("href"))).query)
        item, query_id = target["item"][0], target["query_id"][0]
        # the page is left at once: the browser still sends what was clicked
        chosen.click()
        page.wait_for_load_state("networkidle")
        expect(page.locator("h1")).to_have_text(f"Related to {item}")
        expect(links).to_have_count(5)
        assert seen.dialogs == seen.errors == []
        # from this site alone, and never with the key
        assert {urlsplit(one).netloc for one in seen.requests} == {urlsplit(address).netloc}
        assert SERVICE_KEY not in page.content()
    events = stored_events(shop, 2)
    assert [(one["item"], one["type"]) for one in events] == [(item, "click"), (item, "view")]
    assert {one["query_id"] for one in events} == {query_id}
    assert {one["user"] for one in events} == {NAMES.of(VIEWER)}
    row = shop.cluster.request("GET", f"/{shop.settings().ubi.queries}/_doc/{query_id}")["_source"]
    assert row["client_id"] == NAMES.of(VIEWER)
    assert item in row["query_response_hit_ids"]


def test_a_visitor_is_known_by_a_cookie_and_by_nothing_that_a_page_says(service: str) -> None:
    with site(service) as address, httpx.Client(base_url=address) as browser:
        asked = {"size": 3, "user": VIEWER}
        # without a cookie nobody is asked for
        assert browser.post("/v1/recommend", json=asked).status_code == 400
        assert "HttpOnly" in browser.get("/").headers["set-cookie"]
        assert "set-cookie" not in browser.get("/").headers
        found = browser.post("/v1/recommend", json=asked)
        assert len(found.json()["items"]) == 3
        assert found.json()["user_id"] not in (None, VIEWER)
        forms = {"content-type": "text/plain"}
        assert browser.post("/v1/recommend", content=b"{}", headers=forms).status_code == 400
        assert browser.post("/v1/events", json={"user": "x"}).status_code == 400
        for path in ("/v1/personalise", "/v1/neighbours", "/metrics"):
            assert browser.post(path, json={}).status_code == 400
        assert browser.get("/site.py").status_code == 404


def test_a_page_without_the_service_is_still_a_page(visit: Visit) -> None:
    with site("http://127.0.0.1:9", "--user", VIEWER) as address, visit(address) as seen:
        expect(seen.page.locator("#note")).to_have_text("There are no recommendations at present.")
        assert seen.page.locator("#list a").count() == 0


def test_the_scripts_are_all_there_is(tmp_path: Path) -> None:
    """No build, no dependency: what is imported stands beside it."""
    for script in SITE.parent.glob("*.js"):
        for line in script.read_text(encoding="utf-8").splitlines():
            if line.startswith("import "):
                name = line.rpartition(' from "./')[2].rstrip('";')
                assert (SITE.parent / name).is_file(), line
