"""A warm `Recommender.recommend`: history and new words each time, over real title vectors.

The items are titles of a film catalogue, each several times with a little noise; words differ
in every call, so that each one is encoded. Warm is what has compiled its code and met its users:
OpenSearch needs some hundred lists for that. Beside each list is its floor: what the model, HTTP
and JSON take, with everything else made ready before.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import urllib3

from benchmarks.films import Films, Stage, film_index
from benchmarks.measure import (
    Figure,
    Report,
    Target,
    figure,
    int8_instructions,
    ratio,
    take_turns,
    times,
)
from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.encoder import query_encoder
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
FP32, BY_HISTORY = "recommend, warm, fp32", "recommend, warm, by history alone"
TARGETS = {FP32: Target("at most", 10), BY_HISTORY: Target("at most", 7)}
PARTS = {
    "profile": "the profile",
    "rendering": "rendering the request",
    "search": "the search, in OpenSearch",
    "transport": "the rest of the round trip",
    "fusion": "making one list of two",
}
"""The parts of `RecommendationList.latency_ms`."""


Question = Callable[[int], Mapping[str, Any]]
"""Returns the arguments of `Recommender.recommend` for a turn."""


class Recording(Cluster):
    """A cluster that keeps the bodies of the searches sent to it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.searches: list[bytes] = []

    def request(self, method: str, path: str, body: Any = None, *more: Any, **named: Any) -> Any:
        """Send a request."""
        if path == "/_msearch":
            self.searches.append(body)
        return super().request(method, path, body, *more, **named)


class Caller:
    """Calls one recommender as a service would, and keeps the latencies that it reports.

    No two callers may share a recommender: its encoder remembers the words of the other.
    """

    def __init__(self, recommender: Recommender, question: Question) -> None:
        self._recommender = recommender
        self._question = question
        self.latencies: list[Mapping[str, float]] = []

    def __call__(self, turn: int) -> RecommendationList:
        """Recommend to the user of a turn."""
        found = self._recommender.recommend(**self._question(turn))
        if turn >= 0:
            self.latencies.append(found.latency_ms)
        return found


class Floor:
    """What a list cannot do without: the words read by the model, the searches sent as they are."""

    def __init__(self, stage: Stage, question: Question) -> None:
        self._encoder = query_encoder(stage.films.bundle, stage.settings)
        self._http = urllib3.PoolManager()
        self._url = f"{stage.cluster.url}/_msearch"
        self._question = question
        self._searches = self._record(stage, range(-WARM_UP, ROUNDS))

    def _record(self, stage: Stage, turns: Sequence[int]) -> dict[int, bytes]:
        """Return the searches of each turn's list."""
        cluster = Recording(stage.cluster.url)
        recommender = recommender_of(cluster, stage.settings)
        cluster.searches.clear()
        for turn in turns:
            recommender.recommend(**self._question(turn))
        return dict(zip(turns, cluster.searches, strict=True))

    def __call__(self, turn: int) -> None:
        """Read the words of a turn, send its searches, and read the answer."""
        words = self._question(turn).get("words")
        if words:
            self._encoder.encode_users([words])
        body, headers = self._searches[turn], {"content-type": "application/x-ndjson"}
        answer = self._http.request("POST", self._url, body=body, headers=headers)
        if not all(one["hits"]["hits"] for one in orjson.loads(answer.data)["responses"]):
            raise AssertionError(f"no hits: {answer.data!r:.200}")


def worded(films: Films, history: Callable[[int], list[str]]) -> Question:
    """Return questions with words of their own for every turn, and a history."""

    def ask(turn: int) -> Mapping[str, Any]:
        # 7919 and 104729 are prime: no two turns of a run meet in the same pair of titles
        first, second = (
            films.titles[(turn * step) % len(films.titles)] for step in (7919, 104_729)
        )
        words = f"something like {first}, or {second} {turn}"
        return {"history": history(turn), "words": words}

    return ask


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


def measure(stage: Stage, items: int) -> list[Figure]:
    """Time the first lists of a node, then warm ones, then what takes both cores to encode."""
    cluster, settings = stage.cluster, stage.settings
    regulars = histories(items, REGULARS)
    warm = worded(stage.films, regulars)
    first = Caller(Recommender(cluster, settings), warm)
    first_seconds = take_turns({"first": first}, FIRST)["first"]
    new = worded(stage.films, histories(items, items))
    callers = {
        FP32: Caller(recommender_of(cluster, settings), warm),
        "recommend, warm, int8": Caller(
            recommender_of(cluster, settings, query_precision="int8"), warm
        ),
        "recommend, fp32, history not met before": Caller(recommender_of(cluster, settings), new),
        BY_HISTORY: Caller(
            recommender_of(cluster, settings), lambda turn: {"history": regulars(turn)}
        ),
    }
    floors = {
        FP32: Floor(stage, warm),
        BY_HISTORY: Floor(stage, lambda turn: {"history": regulars(turn)}),
    }
    apart = {f"{name}: its floor": floor for name, floor in floors.items()}
    with progress("recommending", ROUNDS + WARM_UP) as tick:
        seconds = take_turns({**callers, **apart}, ROUNDS, warm_up=WARM_UP, tick=tick)
    # not among the others: its threads keep a core for a while after each call
    greedy = Caller(recommender_of(cluster, settings, query_threads=0), warm)
    greedy_seconds = take_turns({"all": greedy}, ROUNDS)["all"]
    figures = [
        ratio(f"{name}, times its floor", seconds[name], seconds[f"{name}: its floor"])
        for name in floors
    ]
    for name, caller in callers.items():
        figures.append(times(name, seconds[name], TARGETS.get(name)))
        figures += part_figures(caller.latencies)
    figures += [times(name, seconds[name]) for name in apart]
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
        figures = measure(stage, items)
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
            "lists_before_the_timed_ones": WARM_UP * 4,
            "int8_instructions": int8_instructions(),
        },
        machine=stage.machine,
        figures=tuple(figures),
    )
