"""The playground as a page: for every reader, on every screen, from nowhere else, with a key."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.playground import (
    ANN,
    DESK,
    PHONE,
    SERVICE_KEY,
    VIEWS,
    keyed,
    options,
    places,
    serving,
    settled,
)
from tests.integration.catalogues import Shop

FULL = (
    f"{ANN}&session=f3&exclude=f5&size=12&right.path=ann&right.diversity=0.5&hidden=2&near=f4"
    "&member=%22ann-2%22&member=%22ann-3%22&view="
)
"""An address with something in every part of the page."""


def unfold(page: Page) -> None:
    """Open whatever is folded away."""
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    settled(page)


def serious(page: Page, *rules: str) -> list[Any]:
    """Return what keeps somebody from using the page, by these rules or by all of axe."""
    options = {"runOnly": {"type": "rule", "values": [*rules]}} if rules else None
    found = Axe().run(page, options=options).response["violations"]
    return [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_for_everybody(address: str, visit: Visit, view: str, width: int) -> None:
    with visit(f"{address}{FULL}{view}", width=width) as seen:
        page = seen.page
        settled(page)
        unfold(page)
        if view == "list":
            page.locator(".value").first.click()
            settled(page)
        assert serious(page) == []
        page.emulate_media(color_scheme="dark")
        settled(page)
        # what is there is the same, in other colours
        assert serious(page, "color-contrast") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.errors == seen.dialogs == []
        assert {urlsplit(one).netloc for one in seen.requests} == {urlsplit(address).netloc}


OVERLAPPING = """
() => {
  const within = (one) => {
    const { left, right, top, bottom } = one.getBoundingClientRect();
    return { name: one.textContent || one.ariaLabel || one.outerHTML, left, right, top, bottom };
  };
  // of a text, what is drawn of it, and not the box that it should fit into
  const drawn = (one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const { left, right, top, bottom } = range.getBoundingClientRect();
    return { name: one.textContent, left, right, top, bottom };
  };
  const shown = (one) => one.checkVisibility({ visibilityProperty: true });
  const find = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  const all = [
    ...find("#view :is(.settings, .common, .near) label, #views a, h1, .column .number").map(drawn),
    ...find("#view :is(input, select, .value, .tools, .gutter)").map(within),
  ];
  const meet = (one, other) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1;
  // a tick box stands in its label
  const nested = (one, other) => /checkbox|radio/.test(one.name + other.name);
  return all.flatMap((one, at) => all.slice(at + 1)
    .filter((other) => meet(one, other) && !nested(one, other))
    .map((other) => [one.name, other.name]));
}
"""


@pytest.mark.parametrize("width", [360, 768, 1000, 1001, DESK])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_stands_in_the_way_of_something_else(
    address: str, visit: Visit, view: str, width: int
) -> None:
    with visit(f"{address}{FULL}{view}", width=width) as seen:
        page = seen.page
        settled(page)
        unfold(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPPING) == []
        widths = page.locator(":is(.places, .column) .title").evaluate_all(
            "all => all.map(one => one.clientWidth)"
        )
        assert min(widths, default=width) > 80


def test_the_sum_of_reasons_stands_in_their_columns(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}", width=360) as seen:
        settled(seen.page)
        places(seen.page).nth(0).get_by_role("button", name="why ").click()
        settled(seen.page)
        for cell in ("th", ".what"):
            lefts = seen.page.locator(f".reasons {cell}").evaluate_all(
                "all => all.map(one => one.getBoundingClientRect().left)"
            )
            assert len({*lefts}) == 1, cell


REACHED = """
async () => {
  const all = [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']")];
  // of a group of radio buttons one is reached, and the arrows go on
  return all.filter((one) => !one.disabled && one.checkVisibility({ visibilityProperty: true })
      && !(one.type === "radio" && !one.checked) && !one.closest(".modebar"))
    .map((one) => { one.dataset.seen = "no"; return one; }).length;
}
"""


@pytest.mark.parametrize("view", VIEWS)
def test_the_keyboard_reaches_every_control(address: str, visit: Visit, view: str) -> None:
    with visit(f"{address}{FULL}{view}") as seen:
        page = seen.page
        settled(page)
        number = page.evaluate(REACHED)
        assert number > 20
        # what comes up under the mouse comes up under the focus, too: some are more than they were
        for _ in range(2 * number + 40):
            page.keyboard.press("Tab")
            page.evaluate("document.activeElement.dataset.seen = 'yes'")
        missed = page.locator("[data-seen=no]").evaluate_all("all => all.map(one => one.outerHTML)")
        assert missed == []


def test_the_focus_can_be_seen(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        settled(seen.page)
        for _ in range(12):
            seen.page.keyboard.press("Tab")
            style = seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style == "solid"


def test_dark_is_dark(address: str, visit: Visit) -> None:
    for scheme, bright in (("light", True), ("dark", False)):
        with visit(f"{address}{ANN}", color_scheme=scheme) as seen:
            paper = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
            red = int(paper.removeprefix("rgb(").split(",")[0])
            assert (red > 200) == bright
            assert (red < 60) == (not bright)


def test_who_wants_no_motion_gets_none(address: str, visit: Visit) -> None:
    for motion, moves in (("no-preference", True), ("reduce", False)):
        with visit(f"{address}{ANN}", reduced_motion=motion) as seen:
            settled(seen.page)
            seen.page.evaluate(
                "() => { window.moved = 0; const animate = Element.prototype.animate;"
                " Element.prototype.animate = function (...all) {"
                " window.moved += 1; return animate.apply(this, all); }; }"
            )
            seen.page.locator("[data-key^='out ']").first.click()
            settled(seen.page)
            assert (seen.page.evaluate("window.moved") > 0) == moves


@pytest.mark.parametrize(
    "hash_",
    [
        "#",
        "#view=nothing&path=fast&size=1e9",
        "#%E0%A4%A&user=%00&member={",
        f"{ANN}&history=gone&session=gone&why=gone&only=gone&near=gone",
        "#view=group&group=nobody&own_weight=7",
        "#view=compare&right.index=gone",
    ],
)
def test_no_address_breaks_the_page(address: str, visit: Visit, hash_: str) -> None:
    with visit(f"{address}{hash_}") as seen:
        page = seen.page
        settled(page)
        expect(page.locator("#views [aria-current]")).to_have_count(1)
        # an answer that refuses is a line of the browser's console, and no error of the page
        assert [one for one in seen.errors if "status of" not in one] == []
        page.get_by_role("link", name="List", exact=True).click()
        page.get_by_label("Pick a user").fill("ann-3")
        options(page).first.click()
        again = page.get_by_role("button", name="All items again")
        if again.count():
            again.click()
        settled(page)
        expect(places(page)).to_have_count(10)


def test_a_page_that_opens_while_the_service_is_away_asks_again(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        page.route("**/v1/playground", lambda route: route.abort())
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("does not answer")
        page.unroute("**/v1/playground")
        page.get_by_role("button", name="Try again").click()
        settled(page)
        expect(places(page)).to_have_count(10)


def test_a_service_with_keys_asks_for_one_and_keeps_it_nowhere(shop: Shop, visit: Visit) -> None:
    with serving(shop, service=keyed(shop)) as address, visit(f"{address}{ANN}") as seen:
        page = seen.page
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("a key of this service is needed")
        assert serious(page) == []
        for _ in range(3):
            page.keyboard.press("Escape")
        expect(dialog).to_be_visible()
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        expect(page.get_by_label("A key with the scope admin")).to_have_value("")
        page.keyboard.type(SERVICE_KEY)
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(places(page)).to_have_count(10)
        page.get_by_text("Copy as").click()
        code = page.get_by_label("The list as text")
        expect(code).to_contain_text('"Authorization: Bearer $SEEALSO_SERVICE_KEY"')
        kept = page.evaluate(
            "JSON.stringify([location.href, {...localStorage}, {...sessionStorage},"
            " document.cookie, document.documentElement.outerHTML])"
        )
        assert SERVICE_KEY not in kept
        assert all(SERVICE_KEY not in one for one in seen.requests)
        page.reload()
        expect(dialog).to_be_visible()
