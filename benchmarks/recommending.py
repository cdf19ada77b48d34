"""A warm `Recommender.recommend`: history and new words each time, over real title vectors.

The items are titles of a film catalogue, each several times with a little noise; words differ
in every call, so that each one is encoded. Warm is what has compiled its code and met its users:
OpenSearch needs some hundred lists for that.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.films import Films, film_index
from benchmarks.measure import (
    Figure,
    Report,
    Target,
    figure,
    int8_instructions,
    take_turns,
    times,
)
from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.indexer.graph import EF_SEARCHES
from seealso.log import progress
from seealso.plugin import RecommendationList, Recommender

ROUNDS = 200
WARM_UP = 500
"""Rounds before the timed ones: OpenSearch gets quicker for the first thousand lists or so."""
FIRST = 100
"""Lists timed before any other was asked for."""
HISTORY = 10
REGULARS = 400
"""Items that histories are drawn from where they are warm."""
PARTS = {
    "profile": "the profile",
    "rendering": "rendering the request",
    "search": "the search, in OpenSearch",
    "transport": "the rest of the round trip",
    "fusion": "making one list of two",
}
"""The parts of `RecommendationList.latency_ms`."""


class Caller:
    """Calls one recommender as a service would, and keeps the latencies that it reports.

    No two callers may share a recommender: its encoder remembers the words of the other.
    """

    def __init__(
        self, recommender: Recommender, films: Films, history: Callable[[int], list[str]]
    ) -> None:
        self._recommender = recommender
        self._titles = films.titles
        self._history = history
        self.latencies: list[Mapping[str, float]] = []

    def __call__(self, turn: int) -> RecommendationList:
        """Recommend with words and a history of their own for every turn."""
        # 7919 and 104729 are prime: no two turns of a run meet in the same pair of titles
        first, second = (
            self._titles[(turn * step) % len(self._titles)] for step in (7919, 104_729)
        )
        found = self._recommender.recommend(
            history=self._history(turn), words=f"something like {first}, or {second} {turn}"
        )
        if turn >= 0:
            self.latencies.append(found.latency_ms)
        return found


def histories(items: int, pool: int) -> Callable[[int], list[str]]:
    """Return a function that draws ten different items of the first `pool` for a turn."""

    def draw(turn: int) -> list[str]:
        # turns before the timed ones are negative, seeds are not
        random = np.random.default_rng(turn % 2**32)
        return [str(number) for number in random.choice(min(pool, items), HISTORY, replace=False)]

    return draw


def recommender_of(cluster: Cluster, settings: Settings, **encoder: Any) -> Recommender:
    """Return a recommender with changes to ``[encoder]`` that has met the regulars' items."""
    changed = settings.encoder.model_copy(update=encoder)
    made = Recommender(cluster, settings.model_copy(update={"encoder": changed}))
    for start in range(0, REGULARS, HISTORY):
        made.recommend(history=[str(n) for n in range(start, start + HISTORY)])
    return made


def measure(cluster: Cluster, settings: Settings, films: Films, items: int) -> list[Figure]:
    """Time the first lists of a node, then warm ones, then what takes both cores to encode."""
    warm = histories(items, REGULARS)
    first = Caller(Recommender(cluster, settings), films, warm)
    first_seconds = take_turns({"first": first}, FIRST)["first"]
    target = Target("at most", 15)
    callers = {
        "recommend, warm, fp32": Caller(recommender_of(cluster, settings), films, warm),
        "recommend, warm, int8": Caller(
            recommender_of(cluster, settings, query_precision="int8"), films, warm
        ),
        "recommend, fp32, history not met before": Caller(
            recommender_of(cluster, settings), films, histories(items, items)
        ),
    }
    with progress("recommending", ROUNDS + WARM_UP) as tick:
        seconds = take_turns(callers, ROUNDS, warm_up=WARM_UP, tick=tick)
    # not among the others: its threads keep a core for a while after each call
    greedy = Caller(recommender_of(cluster, settings, query_threads=0), films, warm)
    greedy_seconds = take_turns({"all": greedy}, ROUNDS)["all"]
    figures = []
    for name, caller in callers.items():
        figures.append(times(name, seconds[name], target if "warm" in name else None))
        figures += part_figures(caller.latencies)
    figures.append(times("recommend, fp32, all cores encode", greedy_seconds))
    figures.append(times(f"recommend, fp32, the first {FIRST} of a node", first_seconds))
    return figures


def part_figures(latencies: Sequence[Mapping[str, float]]) -> list[Figure]:
    """Return a figure for each part, and one for the sum of their medians."""
    parts = [
        figure(f"of that, {what}", "ms", [latency[part] for latency in latencies])
        for part, what in PARTS.items()
    ]
    return [*parts, figure("these medians together", "ms", [sum(part.median for part in parts)])]


def run(items: int) -> Report:
    """Measure a warm recommend over the small catalogue's number of items."""
    with film_index(items) as stage:
        figures = measure(stage.cluster, stage.settings, stage.films, items)
    return Report(
        name="recommending",
        title=f"A warm recommend over {items:,} items",
        setting={
            "items": items,
            "titles": len(stage.films.titles),
            "dimension": stage.films.bundle.dimension,
            "history": HISTORY,
            "words": "two titles, others in every call",
            "size": stage.settings.recommend.size,
            "tail_share": stage.settings.recommend.tail_share,
            "path": "ann",
            "ef_search": EF_SEARCHES[0],
            "lists_before_the_timed_ones": WARM_UP * 3,
            "int8_instructions": int8_instructions(),
        },
        machine=stage.machine,
        figures=tuple(figures),
    )
