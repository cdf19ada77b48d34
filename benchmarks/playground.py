"""The playground in a real Chromium: how long after a key or a click the list is drawn anew.

A process of its own serves the page over the films. The clock is the browser's: it begins with what
somebody does, and ends in the first picture after the list on the page has changed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

from benchmarks.films import Stage, film_index
from benchmarks.load import service
from benchmarks.measure import Figure, Report, Target, figure
from benchmarks.recommending import HISTORY, histories
from seealso.log import progress
from tests.browser.chromium import launch

ITEMS: Final = 9_742
"""Every film once."""

ROUNDS: Final = 100
WARM_UP: Final = 50
TARGET: Final = Target("at most", 100)

FOLLOWED: Final = """
act => new Promise(resolve => {
  const list = document.querySelector(".places");
  const begun = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
  }).observe(list, { childList: true });
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
    titles, draw = stage.films.titles, histories(ITEMS, ITEMS)
    acts: Mapping[str, Callable[[int], str]] = {
        "a like, until the list is drawn": lambda _: LIKE,
        "a step of the tail share": lambda turn: SLIDE.format(share=turn % 20 / 20 + 0.05),
        "other words": lambda turn: TYPE.format(words=titles[turn]),
    }
    history = "&".join(f"history={one}" for one in draw(0))
    figures = []
    with service(stage, 1) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for what, act in acts.items():
            page = browser.new_page(bypass_csp=True)
            page.goto(f"{address}/#size=10&{history}")
            with progress(what, WARM_UP + ROUNDS) as tick:
                values = [_follow(page, act(turn), tick) for turn in range(WARM_UP + ROUNDS)]
            figures.append(figure(what, "ms", values[WARM_UP:], TARGET))
            page.close()
        browser.close()
    return figures


def _follow(page: Page, act: str, tick: Callable[[int], Any]) -> float:
    """Return the milliseconds after which the page has followed."""
    page.wait_for_function("() => document.querySelector('.places > li')")
    # titles and badges that come later are no part of the next answer
    page.wait_for_function("() => !document.querySelector('[aria-busy]')")
    page.wait_for_timeout(100)
    tick(1)
    found: float = page.evaluate(FOLLOWED, act)
    return found
