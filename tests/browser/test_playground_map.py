"""The playground's map in a real browser: drawn by plotly, and circled by hand and by keys."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.playground import (
    ANN,
    DESK,
    FILMS,
    PHONE,
    ask,
    ids,
    ids_of,
    options,
    settled,
    tab_to,
)


def drawn(page: Page) -> None:
    """Wait until the map is there, with the list on it."""
    settled(page)
    expect(page.locator(".plot .points").last).to_be_attached()
    expect(page.locator(".plot .textpoint text").first).to_be_attached()


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_map_has_the_user_the_list_and_every_item(
    address: str, visit: Visit, width: int
) -> None:
    with visit(f"{address}{ANN}&view=map", width=width) as seen:
        page = seen.page
        drawn(page)
        answer = httpx.get(f"{address}v1/playground/map").json()
        assert len(answer["items"]) == FILMS
        numbers = page.locator(".plot .textpoint text").all_text_contents()
        assert sorted(numbers, key=int) == [str(place) for place in range(1, 11)]
        names = page.locator(".plot .legendtext").all_text_contents()
        assert {"long tail", "cold", "list", "user"} <= {*names}
        # the items, the list among them once more, and the user
        assert page.locator(".plot .point").count() == FILMS + 10 + 1
        expect(page.locator("#view > .hint[role=status]")).to_contain_text("60 items")
        box = page.locator(".plot .main-svg").first.bounding_box()
        assert box is not None
        assert box["width"] <= width
        assert seen.errors == []


def test_what_is_circled_by_hand_filters_the_list(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&view=map") as seen:
        page = seen.page
        drawn(page)
        box = page.locator(".plot .nsewdrag").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        # most of the map: where the items are, nobody knows
        wide, high = 0.48 * box["width"], 0.35 * box["height"]
        page.mouse.move(x - wide, y - high)
        page.mouse.down()
        for across, down in ((1, -1), (1, 1), (-1, 1), (-1, -1)):
            page.mouse.move(x + across * wide, y + down * high, steps=8)
        page.mouse.up()
        line = page.locator(".note", has_text="Only ")
        expect(line).to_be_visible()
        settled(page)
        link = page.url
        assert "only=" in link
        tab_to(page, page.get_by_role("link", name="List", exact=True), back=True)
        page.keyboard.press("Enter")
        settled(page)
        only = [part.removeprefix("only=") for part in link.split("&") if part.startswith("only=")]
        body = {"user": "ann-1", "filters": [{"ids": {"values": only}}]}
        assert ids(page) == ids_of(ask(address, body))
        page.get_by_role("button", name="All items again").click()
        settled(page)
        assert ids(page) == ids_of(ask(address, {"user": "ann-1"}))


def test_the_keyboard_circles_too(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&view=map", width=PHONE) as seen:
        page = seen.page
        drawn(page)
        tab_to(page, page.get_by_label("Items around"))
        page.keyboard.type("castle")
        expect(options(page).first).to_contain_text("castle")
        page.keyboard.press("Enter")
        around = page.locator(".around")
        expect(around).to_contain_text("around")
        few = int((around.locator("span").text_content() or "").split()[0])
        slider = page.get_by_role("slider", name="Radius")
        tab_to(page, slider)
        page.keyboard.press("End")
        many = int((around.locator("span").text_content() or "").split()[0])
        assert 1 <= few < many <= FILMS
        tab_to(page, page.get_by_role("button", name="Only these in the list"))
        page.keyboard.press("Enter")
        expect(page.locator(".note", has_text=f"Only {many} items")).to_be_visible()
        tab_to(page, page.get_by_role("button", name="All items again"), back=True)
        page.keyboard.press("Enter")
        expect(page.locator(".note", has_text="Only ")).to_have_count(0)


def test_a_map_that_cannot_be_drawn_is_said(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        page.route("**/plotly.js", lambda route: route.abort())
        page.get_by_role("link", name="Map").click()
        expect(page.locator("#view .problem:visible").first).to_contain_text("no map")


def test_who_has_no_place_on_the_map_is_said(address: str, visit: Visit) -> None:
    with visit(f"{address}#user=nobody&view=map") as seen:
        settled(seen.page)
        notes = seen.page.locator(".note")
        expect(notes.first).to_contain_text("ranked by importance alone")
        expect(notes.last).to_contain_text("Not on the map, for want of a vector: the user.")
