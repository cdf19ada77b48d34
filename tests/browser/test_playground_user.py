"""Who the playground's lists are for, in a real browser: picked, made up, by mouse and by keys."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.playground import (
    ANN,
    PHONE,
    ask,
    ids,
    ids_of,
    options,
    places,
    settled,
    tab_to,
    titles,
)


def test_a_user_is_picked_with_the_keyboard_and_back_goes_back(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        field = page.get_by_label("Pick a user")
        tab_to(page, field)
        page.keyboard.type("ann-2")
        found = options(page)
        expect(found.first).to_contain_text("ann-2")
        expect(found.first).to_contain_text("6 events")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        chosen = page.locator("[role=option][aria-selected=true] span").text_content()
        page.keyboard.press("Enter")
        settled(page)
        expect(page.locator(".who strong")).to_have_text(chosen or "")
        assert ids(page) == ids_of(ask(address, {"user": chosen}))
        page.go_back()
        settled(page)
        expect(page.locator(".who strong")).to_have_text("ann-1")
        assert ids(page) == ids_of(ask(address, {"user": "ann-1"}))
        page.go_forward()
        expect(page.locator(".who strong")).to_have_text(chosen or "")


def test_somebody_is_made_up_with_the_keyboard_alone(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}", width=PHONE) as seen:
        page = seen.page
        summary = page.locator("#who > summary")
        tab_to(page, summary)
        page.keyboard.press("Enter")
        tab_to(page, page.get_by_role("button", name="Make somebody up"))
        page.keyboard.press("Enter")
        settled(page)
        expect(page.locator(".note")).to_contain_text("Note")
        tab_to(page, page.get_by_label("In their own words"), back=True)
        page.keyboard.type("a western in the desert")
        settled(page)
        alone = ids(page)
        assert alone == ids_of(ask(address, {"words": "a western in the desert"}))
        search = page.get_by_label("Add an item to the history")
        for words in ("harbour", "castle"):
            tab_to(page, search)
            page.keyboard.type(words)
            expect(options(page).first).to_contain_text(words)
            page.keyboard.press("Enter")
            settled(page)
        history = page.get_by_role("list", name="History")
        assert ["castle" in titles(history)[0], "harbour" in titles(history)[1]] == [True, True]
        first = titles(history)[0]
        tab_to(page, history.get_by_role("button", name=f"Move {first} down"))
        page.keyboard.press("Enter")
        settled(page)
        assert titles(history)[1] == first
        # the focus goes along, and can take it back up
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        settled(page)
        assert titles(history)[0] == first
        link = page.url
        listed = ids(page)
        assert listed != alone
        tab_to(page, history.get_by_role("button", name=f"Remove {first}"))
        page.keyboard.press("Enter")
        settled(page)
        assert first not in titles(history)
    # a link opens the same
    with visit(link) as seen:
        settled(seen.page)
        assert ids(seen.page) == listed
        expect(seen.page.get_by_label("In their own words")).to_have_value(
            "a western in the desert"
        )


def test_what_was_found_is_clicked_or_dragged(address: str, visit: Visit) -> None:
    with visit(f"{address}#words=castle") as seen:
        page = seen.page
        settled(page)
        history = page.get_by_role("list", name="History")
        page.get_by_label("Add an item to the history").fill("harbour")
        first = options(page).first.locator("span").text_content()
        options(page).first.click()
        settled(page)
        assert titles(history) == [first]
        page.get_by_label("Add an item to the history").fill("desert")
        second = options(page).first.locator("span").text_content()
        # what is found covers the history until it is dragged
        box = history.bounding_box()
        assert box is not None
        options(page).first.hover()
        page.mouse.down()
        page.mouse.move(box["x"] + 60, box["y"] + 60, steps=8)
        page.mouse.move(box["x"] + 60, box["y"] + box["height"] - 3, steps=8)
        page.mouse.up()
        settled(page)
        assert titles(history) == [first, second]
        expect(options(page)).to_have_count(0)
        page.get_by_label("Add an item to the history").fill("no such item")
        expect(page.get_by_text("Nothing is found.")).to_be_visible()


def test_items_are_dragged_into_a_history_within_it_and_out_of_it(
    address: str, visit: Visit
) -> None:
    with visit(f"{address}{ANN}") as seen:
        page = seen.page
        settled(page)
        history = page.get_by_role("list", name="History")
        before = titles(history)
        place = places(page).nth(2)
        title = place.locator(".title").text_content()
        place.locator(".title").drag_to(history, target_position={"x": 40, "y": 3})
        settled(page)
        assert titles(history) == [title, *before]
        assert title not in places(page).locator(".title").all_text_contents()
        history.locator("li").nth(0).drag_to(
            history.locator("li").nth(2), target_position={"x": 40, "y": 30}
        )
        settled(page)
        assert titles(history) == [*before[:2], title, *before[2:]]
        history.locator("li").nth(2).drag_to(page.locator(".facts"))
        settled(page)
        assert titles(history) == before
        page.get_by_role("button", name="As it is known").click()
        settled(page)
        assert page.url.endswith(ANN)
