"""The other views of the playground in a real browser: they say what the service answers."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.playground import (
    ANN,
    DESK,
    PHONE,
    ask,
    ids_of,
    items_of,
    options,
    settled,
    tab_to,
)
from tests.integration.catalogues import Shop

BOTH = f"{ANN}&view=compare&path=exact&right.tail_share=0.6&right.path=exact"


def columns(page: Page) -> list[list[str]]:
    """Return the items of both lists."""
    return [items_of(page.locator(".column").nth(at).locator("li")) for at in (0, 1)]


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_two_lists_and_what_moved_between_them(address: str, visit: Visit, width: int) -> None:
    with visit(f"{address}{BOTH}", width=width) as seen:
        page = seen.page
        settled(page)
        left = ids_of(ask(address, {"user": "ann-1", "path": "exact"}))
        right = ids_of(ask(address, {"user": "ann-1", "path": "exact", "tail_share": 0.6}))
        assert columns(page) == [left, right]
        assert left != right
        both = {*left} & {*right}
        figures = page.locator(".overlap dd").all_text_contents()
        assert float(figures[1]) == pytest.approx(len(both) / len({*left, *right}), abs=1e-3)
        assert 0 < float(figures[0]) < 1
        expect(page.locator(".overlap")).to_contain_text(f"{len(both)} of 10 in common")
        lines = page.locator(".gutter path")
        assert {str(one.get_attribute("data-item")) for one in lines.all()} == both
        marks = page.locator(".column").nth(1).locator(".mark [aria-hidden]").all_text_contents()
        assert [one == "new" for one in marks] == [one not in left for one in right]
        for at, item in enumerate(right):
            if item in left and left.index(item) != at:
                steps = left.index(item) - at
                assert marks[at] == f"{'↑' if steps > 0 else '↓'}{abs(steps)}"
        # a line ends in the middle of its row
        one = f"[data-item='{next(iter(both))}']"
        row = page.locator(".column").nth(1).locator(one).bounding_box()
        line = page.locator(".gutter").locator(one).bounding_box()
        assert row is not None
        assert line is not None
        middle = row["y"] + row["height"] / 2
        assert line["y"] - 3 <= middle <= line["y"] + line["height"] + 3


def test_each_side_has_its_index_and_its_sliders(address: str, visit: Visit, shop: Shop) -> None:
    earlier = sorted(shop.names)[0]
    with visit(f"{address}{ANN}&view=compare") as seen:
        page = seen.page
        settled(page)
        expect(page.locator(".overlap dd").first).to_have_text("1.000")
        right = page.get_by_role("group", name="Right")
        right.get_by_label("Index").select_option(earlier)
        right.get_by_label("Diversity, as a number").fill("0.9")
        settled(page)
        assert f"right.index={earlier}" in page.url
        assert "right.diversity=0.9" in page.url
        expect(page.locator(".board .facts").nth(1)).to_contain_text(earlier)
        body = {"user": "ann-1", "index": earlier, "diversity": 0.9}
        assert columns(page)[1] == ids_of(ask(address, body))


def test_a_side_that_cannot_be_asked_is_said_above_both(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&view=compare") as seen:
        page = seen.page
        settled(page)
        before = page.locator(".board").bounding_box()
        page.route("**/v1/playground/list", lambda route: route.abort())
        page.get_by_role("group", name="Right").get_by_label("Path").select_option("ann")
        problem = page.locator("#view .problem:visible")
        expect(problem).to_contain_text("The service does not answer; is it running?")
        after = page.locator(".board").bounding_box()
        assert before is not None
        assert after is not None
        assert after["height"] == before["height"]


@pytest.mark.parametrize("better", ["Left is better", "The same", "Right is better"])
def test_a_blind_vote_is_saved_and_then_revealed(
    address: str, visit: Visit, shop: Shop, better: str
) -> None:
    file = Path(shop.settings().service.votes)
    before = file.read_text().splitlines() if file.exists() else []
    with visit(f"{address}{BOTH}") as seen:
        page = seen.page
        settled(page)
        sides = columns(page)
        tab_to(page, page.get_by_label("Blind vote"))
        page.keyboard.press("Space")
        settled(page)
        shuffled = columns(page)
        assert sorted(shuffled) == sorted(sides)
        # nothing says which is which
        assert page.locator(".board h3").all_text_contents() == ["List A", "List B"]
        for part in (".sides", ".overlap dd", ".gutter path", ".board .facts"):
            expect(page.locator(f"{part}:visible")).to_have_count(0)
        assert page.locator(".mark [aria-hidden]").all_text_contents() == [""] * 20
        tab_to(page, page.get_by_role("button", name=better))
        page.keyboard.press("Enter")
        expect(page.locator(".vote")).to_contain_text(f"Saved: {len(before) + 1} vote")
        first = "Left" if shuffled == sides else "Right"
        expect(page.locator(".board h3").first).to_contain_text(first)
        expect(page.locator(".overlap dd")).to_have_count(2)
        page.get_by_role("button", name="Vote again").press("Enter")
        assert page.locator(".board h3").all_text_contents() == ["List A", "List B"]
    vote: dict[str, Any] = json.loads(file.read_text().splitlines()[-1])
    assert vote["better"] == better.split()[0].lower().replace("the", "same")
    assert [vote[side]["items"] for side in ("left", "right")] == shuffled
    shares = [one["request"].get("tail_share") for one in (vote["left"], vote["right"])]
    assert shares == ([None, 0.6] if shuffled == sides else [0.6, None])
    assert "ann-1" not in json.dumps(vote)


def test_a_group_is_built_with_the_keyboard(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&view=group&size=5") as seen:
        page = seen.page
        expect(page.locator(".empty")).to_be_visible()
        tab_to(page, page.get_by_label("Add a user"))
        page.keyboard.type("ann-2")
        expect(options(page).first).to_be_visible()
        page.keyboard.press("Enter")
        settled(page)
        tab_to(page, page.get_by_label("Add somebody by words"))
        page.keyboard.type("castle")
        page.keyboard.press("Enter")
        tab_to(page, page.get_by_role("button", name="Add the user of this page"))
        page.keyboard.press("Enter")
        settled(page)
        members = page.get_by_role("list", name="Members").locator(".name")
        assert members.all_text_contents() == ["ann-2", "castle", "ann-1"]
        page.get_by_label("Strategy").select_option("least-misery")
        page.get_by_label("Left out is what was seen by").select_option("nothing")
        settled(page)
        body = {
            "members": ["ann-2", {"words": "castle"}, "ann-1"],
            "size": 5,
            "strategy": "least-misery",
            "seen": "nothing",
        }
        answer = httpx.post(f"{address}v1/playground/group", json=body).json()
        rows = page.locator(".grid tbody tr")
        assert items_of(rows) == ids_of(answer)
        heads = page.locator(".grid thead th").all_text_contents()
        assert heads[3:] == answer["members"]
        cells = rows.first.locator("td.number").all_text_contents()[1:]
        values = [answer["items"][0]["members"][name] for name in answer["members"]]
        assert [float(one) for one in cells] == [pytest.approx(one, abs=5e-5) for one in values]
        # what ann-2 gets of it, beside what a list of their own gives
        own = ask(address, {"user": "ann-2", "size": 5})["items"]
        share = sum(one["members"]["ann-2"] for one in answer["items"]) / sum(
            one["probability"] for one in own
        )
        shown = page.locator(".satisfaction li").first.locator(".number").text_content()
        assert shown == f"{100 * share:.0f} %"
        page.get_by_role("button", name="Remove castle").press("Enter")
        settled(page)
        assert members.all_text_contents() == ["ann-2", "ann-1"]


def test_a_known_group_weighs_its_own_history(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&view=group") as seen:
        page = seen.page
        page.get_by_label("Or a known group").select_option("smiths")
        settled(page)
        assert page.locator(".satisfaction .name").all_text_contents()[:2] == ["ann-1", "ann-2"]
        page.get_by_label("Weight of its own history, as a number").fill("0.5")
        settled(page)
        assert "own_weight=0.5" in page.url
        body = {"group": "smiths", "own_weight": 0.5}
        answer = httpx.post(f"{address}v1/playground/group", json=body).json()
        found = page.locator(".grid tbody tr")
        assert items_of(found) == ids_of(answer)


def test_the_recall_of_the_graph_for_this_user(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&view=recall&size=20") as seen:
        page = seen.page
        settled(page)
        body = {"user": "ann-1", "size": 20, "tail_share": 0}
        exact, ann = (ids_of(ask(address, body | {"path": path})) for path in ("exact", "ann"))
        missed = [one for one in exact if one not in ann]
        found = len(exact) - len(missed)
        expect(page.locator(".verdict")).to_contain_text(f"{found} of {len(exact)}")
        expect(page.locator(".cells .found")).to_have_count(found)
        assert items_of(page.locator("ol.hidden li")) == missed
        # an answer that lacks an item: it is named
        page.route(
            "**/v1/playground/list",
            lambda route: (
                route.fulfill(json=_without(route.fetch().json(), exact[2]))
                if '"ann"' in (route.request.post_data or "")
                else route.continue_()
            ),
        )
        page.get_by_label("Size, as a number").fill("10")
        settled(page)
        expect(page.locator("ol.hidden li")).to_have_attribute("data-item", exact[2])
        expect(page.locator("ol.hidden li")).to_contain_text("place 3")


def _without(answer: dict[str, Any], item: str) -> dict[str, Any]:
    return answer | {"items": [one for one in answer["items"] if one["item_id"] != item]}


def test_hidden_choices_come_back_at_their_places(address: str, visit: Visit) -> None:
    with visit(f"{address}{ANN}&view=holdout&hidden=2") as seen:
        page = seen.page
        settled(page)
        known = httpx.post(f"{address}v1/playground/user", json={"user": "ann-1"}).json()
        history = [one["item_id"] for one in known["history"]]
        listed = ids_of(ask(address, {"history": history[2:], "size": 100}))
        rows = page.locator("ol.hidden li")
        assert items_of(rows) == history[:2]
        for row, item in zip(rows.all(), history, strict=False):
            expect(row).to_contain_text(f"place {listed.index(item) + 1}")
        first = sum(listed.index(one) < 10 for one in history[:2])
        expect(page.locator(".verdict")).to_contain_text(f"{first} of 2")
        expect(page.locator(".verdict")).to_contain_text("NDCG@10")
        # what serves has met the answers: who reads the figure reads that
        expect(page.locator(".note")).to_contain_text("has learnt the hidden choices")
        expect(page.locator(".strip circle")).to_have_count(2)
        page.get_by_label("Newest choices to hide, as a number").fill("1")
        settled(page)
        expect(rows).to_have_count(1)
        page.get_by_label("Newest choices to hide, as a number").fill("20")
        settled(page)
        expect(page.locator(".empty")).to_contain_text("too short")


def test_each_member_is_measured_by_a_list_of_their_own(address: str, visit: Visit) -> None:
    # the first is left out, and the second is named twice
    members = [
        "nobody",
        "ann-1",
        "ann-1",
        {"words": "castle"},
        {"user": "ann-3", "session": ["f3"]},
    ]
    named = "&".join(f"member={quote(json.dumps(one))}" for one in members)
    with visit(f"{address}#view=group&{named}") as seen:
        page = seen.page
        settled(page)
        expect(page.locator(".note")).to_contain_text("nobody")
        asked = {"ann-1": members[1], "member 3": members[3], "ann-3": members[4]}
        group = httpx.post(
            f"{address}v1/playground/group", json={"members": [*members[:2], *members[3:]]}
        ).json()
        assert group["members"] == [*asked]
        for row, (name, member) in zip(
            page.locator(".satisfaction li").all(), asked.items(), strict=True
        ):
            own = ask(address, {"user": member} if isinstance(member, str) else member)
            best = sum(one["probability"] for one in own["items"])
            found = sum(one["members"][name] for one in group["items"])
            expect(row).to_contain_text(f"{name}{100 * found / best:.0f} %")


def test_a_known_user_with_something_liked_becomes_a_member_whole(
    address: str, visit: Visit
) -> None:
    with visit(f"{address}{ANN}&session=f3&view=group") as seen:
        page = seen.page
        settled(page)
        page.get_by_role("button", name="Add the user of this page").click()
        settled(page)
        expect(page.get_by_role("list", name="Members")).to_contain_text("ann-1, 1 item liked now")
        group = {"members": [{"user": "ann-1", "session": ["f3"]}]}
        answer = httpx.post(f"{address}v1/playground/group", json=group).json()
        assert items_of(page.locator(".grid tbody tr")) == ids_of(answer)


def test_members_without_a_column_are_counted(address: str, visit: Visit) -> None:
    members = "&".join(f"member=%22ann-{number}%22" for number in range(20))
    with visit(f"{address}#view=group&{members}") as seen:
        settled(seen.page)
        expect(seen.page.locator(".satisfaction li")).to_have_count(20)
        expect(seen.page.locator(".result")).to_contain_text(
            "The first 8 of 20 members have a column."
        )
