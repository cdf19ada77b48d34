"""A shop for the playground: two indices, known users and groups, and titles that are no HTML."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from playwright.sync_api import Locator, Page, expect

from seealso.encoder import Bundle
from seealso.plugin import Recommender
from seealso.plugin.service.app import create_app
from tests.browser.hostile import HOSTILE
from tests.integration.catalogues import Record, Shop, films, write_lines
from tests.services import running

FILMS = 60
"""More than anybody chose."""

USERS = 24
ANN = "#user=ann-1"
SERVICE_KEY = "9d2f61c4"
VIEWS = ("list", "compare", "group", "holdout", "recall", "map")
PHONE, DESK = 390, 1280


def choices() -> list[Record]:
    """Return who chose what: user n six films, from film n on."""
    return [
        {
            "user_id": f"ann-{user}",
            # half of the films are chosen more than the others, and a few by nobody
            "item_id": f"f{(5 * step + 2 * user) % (54 // (1 + user % 2))}",
            "day": f"2024-01-{step + 1:02}",
        }
        for user in range(USERS)
        for step in range(6)
    ]


def open_shop(folder: Path, url: str, bundle: Bundle) -> Shop:
    """Build a shop with two indices: the second is live."""
    sections: dict[str, dict[str, Any]] = {
        "events": {"time": "day"},
        "recommend": {"tail_share": 0.2},
        "service": {"votes": str(folder / "votes.jsonl")},
    }
    shop = Shop(folder, url, f"playground-{uuid4().hex[:8]}", bundle, sections)
    shop.stock(
        [
            one | {"title": f"{one['title']} {HOSTILE}" if n % 4 == 0 else one["title"]}
            for n, one in enumerate(films(FILMS))
        ],
        choices(),
    )
    groups = folder / "groups.jsonl"
    write_lines(groups, [{"group": "smiths", "members": ["ann-1", "ann-2"]}])
    shop.sections["groups"] = {"path": str(groups)}
    shop.build()
    shop.build()
    return shop


@contextmanager
def serving(shop: Shop, **changes: dict[str, Any]) -> Iterator[str]:
    """Serve the shop, and return the address of its page."""
    recommender = Recommender.from_config(shop.settings(**changes))
    with running(create_app(recommender)) as address:
        yield f"{address}/"


def keyed(shop: Shop) -> dict[str, Any]:
    """Return settings of a service that has a key."""
    key = {"name": "me", "sha256": sha256(SERVICE_KEY.encode()).hexdigest(), "scopes": ["admin"]}
    return {**shop.sections["service"], "keys": [key]}


def ask(address: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the list that the page would be answered with."""
    answer = httpx.post(f"{address}v1/playground/list", json=body)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def ids_of(answer: dict[str, Any]) -> list[str]:
    """Return the items of a list that was answered."""
    return [one["item_id"] for one in answer["items"]]


def settled(page: Page) -> None:
    """Wait until every part of the page shows its newest answer."""
    page.wait_for_load_state("networkidle")
    expect(page.locator("[aria-busy]")).to_have_count(0)


def places(page: Page) -> Locator:
    """Return the places of the list."""
    return page.locator(".places > li")


def ids(page: Page) -> list[str]:
    """Return the items of the list, by its places."""
    return items_of(places(page))


def items_of(rows: Locator) -> list[str]:
    """Return the items that rows stand for."""
    found: list[str] = rows.evaluate_all("all => all.map(one => one.dataset.item)")
    return found


def options(page: Page) -> Locator:
    """Return what was found while it was typed."""
    return page.locator("[role=option]:visible")


def titles(within: Locator) -> list[str]:
    """Return the titles of a list of items that a reader orders."""
    return within.locator(".name").all_text_contents()


def tab_to(page: Page, target: Locator, *, back: bool = False, most: int = 300) -> None:
    """Press the tabulator until a control has the focus.

    Raises
    ------
    AssertionError
        No number of steps reaches it.
    """
    for _ in range(most):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"the keyboard does not reach {target}")
