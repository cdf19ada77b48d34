"""The report in a real browser: it draws, fetches nothing, trusts no text, and fits a phone."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from seealso.cli.main import main
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.evaluation.report import FIGURES, REPORT
from tests.browser.conftest import Visit
from tests.browser.hostile import HOSTILE
from tests.integration.catalogues import Shop, films
from tests.integration.test_evaluate import FILMS, behaviour

HOSTILE_KIND = "<a href='https://example.org'>kind</a><script>alert('kind')</script>"
PHONE, DESK = 390, 1280


@pytest.fixture(scope="module")
def report(
    tmp_path_factory: pytest.TempPathFactory, tiny: Bundle, opensearch_latest: NodeInfo
) -> Path:
    """The folder of an evaluation through a real index that is compared with an earlier one."""
    folder = tmp_path_factory.mktemp("report")
    sections: dict[str, dict[str, Any]] = {"events": {"time": "second"}}
    shop = Shop(folder, opensearch_latest.url, f"report-{uuid4().hex[:8]}", tiny, sections)
    items = films(FILMS)
    for item in items[::3]:
        item |= {"title": f"{item['title']} {HOSTILE}", "kind": HOSTILE_KIND}
    shop.stock(items, behaviour())
    asked = ["evaluate", "--by", "kind", "--baseline", "popularity"]
    main(shop.arguments(*asked, "--out", str(folder / "old")))
    asked += ["--before", str(folder / "old" / FIGURES)]
    main(shop.arguments(*asked, "--out", str(folder / "new"), profile={"recency": 0.2}))
    return folder / "new"


@pytest.fixture(scope="module")
def figures(report: Path) -> dict[str, Any]:
    """The JSON twin of the report."""
    found: dict[str, Any] = json.loads((report / FIGURES).read_bytes())
    return found


def rows(table: Locator) -> dict[str, list[str]]:
    """Return the cells of a table by what stands first in each line."""
    told = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return {first: rest for first, *rest in told}


def under(page: Page, heading: str) -> Locator:
    """Return the first table below a heading."""
    found = page.locator("h3", has_text=heading).first
    return found.locator("xpath=following::table[1]")


def drawn(page: Page) -> list[dict[str, float]]:
    """Return how many marks each plot shows, and its size on the page."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('.plot')].every(p => p.querySelector('.main-svg'))"
    )
    found: list[dict[str, float]] = page.locator(".plot").evaluate_all(
        """plots => plots.map(plot => ({
            marks: plot.querySelectorAll('.point path, path.point, .js-line').length,
            width: plot.querySelector('.main-svg').getBoundingClientRect().width,
            height: plot.querySelector('.main-svg').getBoundingClientRect().height,
        }))"""
    )
    return found


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_plot_draws_and_nothing_is_fetched(report: Path, visit: Visit, width: int) -> None:
    with visit(report / REPORT, width=width) as seen:
        plots = drawn(seen.page)
        assert len(plots) == seen.page.locator("[data-figure]").count() > 6
        for plot in plots:
            assert plot["marks"] > 0
            assert plot["height"] > 100
            assert 250 < plot["width"] <= width
        assert seen.errors == []
        outside = [url for url in seen.requests if not url.startswith(("file:", "data:", "blob:"))]
        assert outside == []
        # the page itself, and nothing beside it
        assert [url for url in seen.requests if url.startswith("file:")] == [
            (report / REPORT).as_uri()
        ]


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_page_never_scrolls_sideways(report: Path, visit: Visit, width: int) -> None:
    with visit(report / REPORT, width=width) as seen:
        drawn(seen.page)
        for each in seen.page.locator("details").all():
            each.evaluate("one => one.open = true")
        wide = seen.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width


def test_the_tables_hold_the_figures_of_the_json(
    report: Path, figures: dict[str, Any], visit: Visit
) -> None:
    protocol = figures["protocols"][0]
    with visit(report / REPORT) as seen:
        best = rows(under(seen.page, "Who ranks best"))
        whole = [one for one in protocol["scores"] if one["part"] == "all"]
        assert list(best) == [one["system"] for one in whole]
        for one in whole:
            ndcg = one["metrics"]["ndcg@10"]
            assert best[one["system"]][0] == f"{one['metrics']['hr@10']['mean']:.4f}"
            assert best[one["system"]][1] == f"{one['metrics']['hr@20']['mean']:.4f}"
            assert best[one["system"]][2] == (
                f"{ndcg['mean']:.4f} ({ndcg['low']:.4f} to {ndcg['high']:.4f})"
            )
        change = protocol["changes"][0]
        moved = rows(under(seen.page, "Before and after"))
        assert list(moved) == [one["part"] for one in change["moves"]]
        for one in change["moves"]:
            users, before, after, difference, *_, gain, lose = moved[one["part"]]
            paired = one["differences"]["ndcg@10"]
            assert (users, gain, lose) == (
                f"{one['users']:,}",
                f"{one['gained']}",
                f"{one['lost']}",
            )
            assert before == f"{one['before']['ndcg@10']:.4f}"
            assert after == f"{one['after']['ndcg@10']:.4f}"
            assert difference == (
                f"{paired['mean']:+.4f} ({paired['low']:+.4f} to {paired['high']:+.4f})"
            )
        assert rows(seen.page.locator("table").first) == {"recency": ["0.8", "0.2"]}


def test_lists_stand_side_by_side_and_what_was_hidden_is_marked(
    report: Path, figures: dict[str, Any], visit: Visit
) -> None:
    contrasts = figures["protocols"][0]["changes"][0]["contrasts"]
    with visit(report / REPORT) as seen:
        heading = seen.page.locator("h3", has_text="Lists before and after").first
        people = heading.locator("xpath=following::div[@class='person']")
        for place, told in enumerate(contrasts):
            person = people.nth(place)
            sides = person.locator("ol")
            assert person.locator("h4").all_text_contents()[1:] == ["before", "after"]
            for side, name in enumerate(("before", "after")):
                titles = sides.nth(side).locator("li")
                assert [one.strip() for one in titles.all_text_contents()] == told["lists"][name]
                marked = [
                    one.strip() for one in sides.nth(side).locator(".hit").all_text_contents()
                ]
                assert marked == [one for one in told["lists"][name] if one == told["target"]]
        boxes = [people.first.locator("ol").nth(side).bounding_box() for side in (0, 1)]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[0]["y"] == boxes[1]["y"]
        assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]


def test_the_text_of_users_is_inert(report: Path, visit: Visit) -> None:
    with visit(report / REPORT) as seen:
        drawn(seen.page)
        for each in seen.page.locator("details").all():
            each.evaluate("one => one.open = true")
        assert seen.dialogs == []
        assert seen.errors == []
        # it is there, letter by letter
        expect(seen.page.get_by_text(HOSTILE).first).to_be_visible()
        expect(seen.page.locator("td", has_text=HOSTILE_KIND).first).to_be_visible()
        assert seen.page.locator("li b, li img, td a, .plot a").count() == 0
        running = seen.page.locator("script:not([type='application/json'])")
        assert running.count() == 2


def test_a_click_opens_the_figures_and_hides_a_line(report: Path, visit: Visit) -> None:
    with visit(report / REPORT) as seen:
        drawn(seen.page)
        heading = seen.page.locator("h3", has_text="For whom").first
        folded = heading.locator("xpath=following::details[1]")
        expect(folded.locator("table")).to_be_hidden()
        folded.locator("summary").click()
        expect(folded.locator("table")).to_be_visible()
        plot = heading.locator("xpath=following::div[contains(@class, 'plot')][1]")
        shown = plot.locator(".legend .traces")
        before = plot.locator(".point path").count()
        shown.first.locator(".legendtoggle").click()
        expect(plot.locator(".point path")).not_to_have_count(before)


def test_it_can_be_read_without_scripts_and_in_the_dark(report: Path, visit: Visit) -> None:
    with visit(report / REPORT, java_script_enabled=False) as seen:
        expect(under(seen.page, "Who ranks best")).to_be_visible()
        expect(seen.page.locator(".verdict")).to_be_visible()
    with visit(report / REPORT, color_scheme="dark") as seen:
        drawn(seen.page)
        ink, paper = seen.page.evaluate(
            "() => [getComputedStyle(document.body).color, "
            "getComputedStyle(document.body).backgroundColor]"
        )
        assert (ink, paper) == ("rgb(230, 232, 235)", "rgb(22, 24, 28)")
        tick = seen.page.locator(".plot .ytick text").first
        expect(tick).to_have_css("fill", ink)
