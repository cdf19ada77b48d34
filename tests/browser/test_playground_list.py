"""The playground's list in a real browser: who it is for, what it holds, and how it is changed."""

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.hostile import HOSTILE
from tests.browser.playground import (
    ANN,
    DESK,
    PHONE,
    ask,
    choices,
    ids,
    ids_of,
    places,
    settled,
    tab_to,
)
from tests.integration.catalogues import Shop


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_it_begins_with_a_user_and_their_list(address: str, visit: Visit, width: int) -> None:
    with visit(address, width=width) as seen:
        settled(seen.page)
        user = httpx.get(f"{address}v1/playground/users").json()["users"][0]["user_id"]
        assert seen.page.url.endswith(f"#user={user}")
        answer = ask(address, {"user": user})
        assert ids(seen.page) == ids_of(answer)
        numbers = seen.page.locator(".value .number").all_text_contents()
        assert [float(one) for one in numbers] == [
            pytest.approx(one["probability"], abs=5e-5) for one in answer["items"]
        ]
        # the most probable one fills its bar
        widths = seen.page.locator(".places .bar").evaluate_all(
            "all => all.map(one => parseFloat(one.style.getPropertyValue('--share')))"
        )
        assert max(widths) == 100
        for part in ("profile", "rendering", "search", "transport", "fusion", "path"):
            expect(seen.page.locator(".facts")).to_contain_text(part)
        expect(seen.page.locator("#about")).to_contain_text("60 items")


def test_badges_say_what_made_a_place(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&size=40&tail_share=0.5") as seen:
        settled(seen.page)
        names = {"co_occurrence": "co-occurrence"}
        chosen = {one["item_id"] for one in choices()}
        items = ask(address, {"user": "ann-1", "size": 40, "tail_share": 0.5})["items"]
        for row, one in zip(places(seen.page).all(), items, strict=True):
            badges = row.locator(".badge").all_text_contents()
            assert badges[0] == names.get(one["source"], one["source"])
            assert ("neighbours" in badges) == (
                one["neighbours"] > 0 or one["source"] == "neighbours"
            )
            assert ("tail" in badges) == (one["tail"] or one["source"] == "tail")
            assert ("cold" in badges) == (one["item_id"] not in chosen)
        every = {*seen.page.locator(".badge").all_text_contents()}
        assert {"tail", "cold"} <= every


def test_a_place_is_liked_or_left_out_where_it_stands(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        settled(page)
        liked, other = ids(page)[:2]
        tab_to(page, places(page).nth(0).get_by_role("button", name="Like "))
        page.keyboard.press("Enter")
        settled(page)
        assert ids(page) == ids_of(ask(address, {"user": "ann-1", "session": [liked]}))
        # the focus stays in the list
        assert page.evaluate("document.activeElement.closest('.places') !== null")
        places(page).locator(f"[data-key='out {other}']").click()
        settled(page)
        body = {"user": "ann-1", "session": [liked], "exclude": [other]}
        assert ids(page) == ids_of(ask(address, body))
        assert other not in ids(page)
        page.get_by_role("list", name="Left out").get_by_role("button").press("Enter")
        page.get_by_role("list", name="Liked now").get_by_role("button", name="Take back").press(
            "Enter"
        )
        settled(page)
        assert ids(page) == ids_of(ask(address, {"user": "ann-1"}))


SLIDERS = {
    "Size": ("size", "7"),
    "Tail share": ("tail_share", "0.5"),
    "Diversity": ("diversity", "0.8"),
    "Least importance": ("importance", "1"),
}


@pytest.mark.parametrize("label", [*SLIDERS])
def test_a_slider_and_its_number_change_the_list(address: str, visit: Visit, label: str) -> None:
    name, value = SLIDERS[label]
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        settled(page)
        number = page.get_by_label(f"{label}, as a number")
        slider = page.get_by_role("slider", name=label, exact=True)
        tab_to(page, number)
        page.keyboard.press("Control+a")
        page.keyboard.type(value)
        settled(page)
        assert f"{name}={value}" in page.url
        expect(slider).to_have_value(value)
        own = (
            {"filters": [{"range": {"importance": {"gte": 1}}}]}
            if name == "importance"
            else {name: json.loads(value)}
        )
        assert ids(page) == ids_of(ask(address, {"user": "ann-1", **own}))
        tab_to(page, slider)
        page.keyboard.press("Home")
        settled(page)
        assert float(number.input_value()) == float(slider.get_attribute("min") or 0)
        number.fill(value)
        page.get_by_role("button", name="As by default").click()
        settled(page)
        assert page.url.endswith(ANN)
        assert ids(page) == ids_of(ask(address, {"user": "ann-1"}))


def test_the_least_probability_goes_by_powers(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&size=30") as seen:
        page = seen.page
        settled(page)
        values = sorted(float(one) for one in page.locator(".value .number").all_text_contents())
        middle = round(values[len(values) // 2], 4)
        page.get_by_label("Least probability, as a number").fill(str(middle))
        settled(page)
        left = [float(one) for one in page.locator(".value .number").all_text_contents()]
        assert 0 < len(left) < len(values)
        assert min(left) >= middle - 1e-4
        slider = page.get_by_role("slider", name="Least probability")
        slider.press("End")
        settled(page)
        expect(page.get_by_label("Least probability, as a number")).to_have_value("0.99")
        expect(page.locator(".empty")).to_contain_text("No item is left")


def test_index_and_path_are_chosen(shop: Shop, address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        settled(page)
        earlier, live = sorted(shop.names)
        expect(page.locator(".facts")).to_contain_text(live)
        page.get_by_label("Index").select_option(earlier)
        page.get_by_label("Path").select_option("ann")
        settled(page)
        expect(page.locator(".facts")).to_contain_text(f"path ann · {earlier}")


def test_the_reasons_of_a_place_add_up(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        settled(page)
        value = places(page).nth(0).get_by_role("button", name="why ")
        tab_to(page, value)
        expect(value).to_have_attribute("aria-expanded", "false")
        page.keyboard.press("Enter")
        table = places(page).nth(0).locator(".reasons table")
        expect(table).to_be_visible()
        settled(page)
        cells = table.locator("td.number").all_text_contents()
        *shares, total = [float(one.replace("−", "-")) for one in cells]
        assert len(shares) > 1
        # each is written with four digits
        assert sum(shares) == pytest.approx(total, abs=1e-4 * len(shares))
        first = ask(address, {"user": "ann-1"})["items"][0]
        number = value.locator(".number").text_content()
        assert total == pytest.approx(first["raw"], abs=1e-3)
        expect(table.locator("tfoot")).to_contain_text(f"= {number}")
        # titles of the history, and no ids
        assert "chosen" in table.locator("th").all_text_contents()
        assert f"why={first['item_id']}" in page.url
        page.keyboard.press("Enter")
        expect(table).to_have_count(0)


def test_a_list_does_not_wait_for_its_reasons(address: str, visit: Visit) -> None:
    first = ids_of(ask(address, {"user": "ann-1"}))[0]
    with visit(f"{address}{ANN}&why={first}") as seen:
        page = seen.page
        table = page.locator(".reasons table")
        expect(table).to_be_visible()
        held: list[Any] = []
        page.route("**/v1/playground/reasons", lambda route: held.append(route))
        page.get_by_label("Size, as a number").fill("3")
        expect(places(page)).to_have_count(3)
        # those of the list before stand there, and say that others are on their way
        expect(page.locator(".reasons[aria-busy]")).to_contain_text("the sum")
        page.wait_for_timeout(100)
        assert len(held) == 1
        held[0].continue_()
        settled(page)
        expect(table.locator("tfoot")).to_be_visible()
        # what cannot be explained is said at its place, beside a list that is as it was
        page.unroute("**/v1/playground/reasons")
        page.route("**/v1/playground/reasons", lambda route: route.abort())
        page.get_by_label("Size, as a number").fill("4")
        expect(page.locator(".reasons .problem")).to_contain_text("does not answer")
        expect(places(page)).to_have_count(4)
        page.unroute("**/v1/playground/reasons")
        page.locator(".reasons .problem").get_by_role("button").click()
        expect(table.locator("tfoot")).to_be_visible()


def test_reasons_of_another_index_than_the_lists_say_so(address: str, visit: Visit) -> None:
    def moved(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        found["reasons"][0]["index"] = "another"
        route.fulfill(response=answer, json=found)

    with visit(f"{address}{ANN}") as seen:
        settled(seen.page)
        seen.page.route("**/v1/playground/reasons", moved)
        places(seen.page).nth(0).get_by_role("button", name="why ").click()
        expect(seen.page.locator(".reasons .note")).to_contain_text("The index has changed")


def test_a_list_follows_while_a_slider_is_drawn(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        settled(page)
        begun = len(seen.requests)
        drawn = page.evaluate(
            """async () => {
              const slider = document.querySelector("input[type=range]");
              const list = document.querySelector(".places");
              const found = new Set();
              for (let step = 1; step <= 40; step += 1) {
                slider.value = step;
                slider.dispatchEvent(new Event("input"));
                await new Promise((resolve) => setTimeout(resolve, 25));
                found.add(list.children.length);
              }
              return found.size;
            }"""
        )
        assert drawn > 2
        settled(page)
        assert len(ids(page)) == 40
        asked = [one for one in seen.requests[begun:] if one.endswith("/list")]
        # one after the other: those that nobody waits for any more would be in the way of the last
        assert len(asked) < 40


def test_an_error_stands_at_its_place_and_goes(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        settled(page)
        page.route("**/v1/playground/list", lambda route: route.abort())
        page.get_by_label("Tail share, as a number").fill("0.3")
        problem = page.locator("#view .problem:visible")
        expect(problem).to_contain_text("The service does not answer; is it running?")
        assert len(ids(page)) == 10
        page.unroute("**/v1/playground/list")
        # nothing has to be changed for another try
        problem.get_by_role("button", name="Try again").press("Enter")
        settled(page)
        expect(problem).to_have_count(0)
        assert ids(page) == ids_of(ask(address, {"user": "ann-1", "tail_share": 0.3}))
        busy = {"status": 503, "headers": {"retry-after": "5"}}
        said = {"detail": "OpenSearch does not answer", "hint": "ask again after Retry-After"}
        page.route("**/v1/playground/list", lambda route: route.fulfill(**busy, json=said))
        page.get_by_label("Tail share, as a number").fill("0.4")
        expect(problem).to_contain_text("OpenSearch does not answer; try again in 5 seconds")
        page.unroute("**/v1/playground/list")
        page.goto(f"{address}{ANN}&index=gone")
        expect(problem).to_contain_text("gone")


def test_the_newest_answer_wins(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        settled(page)
        size = page.get_by_label("Size, as a number")
        slow: list[Any] = []
        page.route("**/v1/playground/list", lambda route: slow.append(route))
        size.fill("3")
        page.wait_for_timeout(100)
        page.unroute("**/v1/playground/list")
        size.fill("5")
        settled(page)
        assert len(slow) == 1
        assert len(ids(page)) == 5


def test_titles_are_text(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&size=30&history=f0&history=f4&why=f8") as seen:
        settled(seen.page)
        assert seen.dialogs == seen.errors == []
        expect(seen.page.get_by_text(HOSTILE).first).to_be_visible()
        inside = (
            "#view :is(.title, .what, .reasons) :is(b, img, script), .items :is(b, img, script)"
        )
        assert seen.page.locator(inside).count() == 0
