"""The playground in a real Chromium: how long after a key or a click the list is drawn anew.

A process of its own serves the page over the films. The clock is the browser's: it begins with what
somebody does, and ends in the first picture after the list on the page has changed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from playwright.sync_api import Page, sync_playwright

from benchmarks.films import Stage, film_index
from benchmarks.load import service
from benchmarks.measure import Figure, Report, Target, figure
from benchmarks.recommending import HISTORY, REGULARS, histories
from seealso.log import progress
from tests.browser.chromium import launch

ITEMS: Final = 9_742
"""Every film once."""

ROUNDS: Final = 100
WARM_UP: Final = 50
TARGET: Final = Target("at most", 100)

FOLLOWED: Final = """
act => new Promise((resolve, reject) => {
  const list = document.querySelector(".places");
  const problem = document.querySelector("#view .problem");
  const begun = performance.now();
  let asked = false;
  const observer = new MutationObserver(() => {
    // the list is busy from when something is done until it shows what came of it
    asked ||= list.hasAttribute("aria-busy");
    if (!asked || list.hasAttribute("aria-busy")) return;
    observer.disconnect();
    if (!problem.hidden) reject(new Error(problem.textContent));
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
  });
  observer.observe(list, { attributes: true });
  setTimeout(() => reject(new Error("the list does not follow")), 10_000);
  eval(act);
})
"""

LIKE: Final = "document.querySelector('.places [data-key^=\"like\"]').click()"
TYPE: Final = (
    "const words = document.querySelector('textarea');"
    "words.value = {words!r}; words.dispatchEvent(new Event('input'))"
)
SLIDE: Final = (
    "const slider = [...document.querySelectorAll('input[type=range]')][1];"
    "slider.value = {share}; slider.dispatchEvent(new Event('input'))"
)


def run(_: int) -> Report:
    """Measure the page over the films, whatever the number of items of the others is."""
    with film_index(ITEMS) as stage:
        figures = measure(stage)
    return Report(
        name="playground",
        title=f"The playground over {ITEMS:,} films",
        setting={
            "items": ITEMS,
            "dimension": stage.films.bundle.dimension,
            "history": HISTORY,
            "size": stage.settings.recommend.size,
            "rounds_before_the_timed_ones": WARM_UP,
        },
        machine=stage.machine,
        figures=tuple(figures),
    )


def measure(stage: Stage) -> list[Figure]:
    """Time what a reader does, each thing in a page of its own."""
    titles, draw = stage.films.titles, histories(ITEMS, REGULARS)
    acts: Mapping[str, Callable[[int], str]] = {
        "a like, until the list is drawn": lambda _: LIKE,
        "a step of the tail share": lambda turn: SLIDE.format(share=turn % 10 / 20 + 0.5),
        "other words": lambda turn: TYPE.format(words=titles[turn]),
    }
    figures = []
    with service(stage, 1) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for why in (False, True):
            for name, act in acts.items():
                what = f"{name}, with reasons open" if why else name
                page = browser.new_page(bypass_csp=True)
                page.goto(address)
                values = []
                with progress(what, WARM_UP + ROUNDS) as tick:
                    for turn in range(WARM_UP + ROUNDS):
                        _begin(page, draw(turn), why=why)
                        values.append(page.evaluate(FOLLOWED, act(turn)))
                        tick(1)
                figures.append(figure(what, "ms", values[WARM_UP:], TARGET))
                page.close()
        browser.close()
    return figures


def _begin(page: Page, history: Sequence[str], *, why: bool) -> None:
    """Let the page show somebody's list, and nothing more be on its way."""
    state = "&".join(["size=10", *(f"history={one}" for one in history)])
    page.evaluate("state => { location.hash = state }", state)
    _rest(page)
    if why:
        page.evaluate("document.querySelector('.places .value').click()")
        page.wait_for_selector(".reasons table")
        _rest(page)


def _rest(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('.places > li')")
    # titles and badges that come later are no part of the next answer
    page.wait_for_load_state("networkidle")
    page.wait_for_function("() => !document.querySelector('[aria-busy]')")
    page.wait_for_timeout(100)
