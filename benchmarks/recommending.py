"""A warm `Recommender.recommend`: history and new words each time, over real title vectors.

The items are titles of a film catalogue, each several times with a little noise; words differ
in every call, so that each one is encoded. Warm is what has compiled its code and met its users:
OpenSearch needs some hundred lists for that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.measure import (
    Figure,
    Report,
    Target,
    figure,
    int8_instructions,
    machine,
    take_turns,
    times,
)
from benchmarks.node import ROOT, running_node
from benchmarks.synthetic import BOUNDS, SPREAD
from seealso.cli.demo import ensure_bundle
from seealso.cluster import BulkWriter, Cluster, indices
from seealso.config import EncoderSettings, IndexSettings, Settings
from seealso.encoder import Bundle, BundleStore, item_encoder, open_cache
from seealso.indexer.documents import stored_vector
from seealso.indexer.encoding import bind_to_catalogue
from seealso.indexer.mapping import derives_safely, index_body, index_meta
from seealso.interactions import FileSource, Problems, read_items
from seealso.log import progress
from seealso.plugin import RecommendationList, Recommender
from seealso.types import Item, Space, Vector

CATALOGUE = "examples/ml-latest-small/movies.csv.gz"
ALIAS = "recommending"
NOISE = 0.3
"""Length of the noise that tells the copies of a title apart."""
ROUNDS = 200
WARM_UP = 500
"""Rounds before the timed ones: OpenSearch gets quicker for the first thousand lists or so."""
FIRST = 100
"""Lists timed before any other was asked for."""
HISTORY = 10
REGULARS = 400
"""Items that histories are drawn from where they are warm."""
TAIL_SHARE = 0.2
PARTS = {
    "profile": "the profile",
    "rendering": "rendering the request",
    "search": "the search, in OpenSearch",
    "transport": "the rest of the round trip",
    "fusion": "making one list of two",
}
"""The parts of `RecommendationList.latency_ms`."""


@dataclass(frozen=True, eq=False)
class Films:
    """A real catalogue, its rendered titles and vectors, shape (films, dimension)."""

    titles: list[str]
    vectors: Vector
    bundle: Bundle


def read_films(settings: Settings) -> Films:
    """Read the films and bind the bundle to them."""
    source = FileSource(settings.catalogue.path) if settings.catalogue.path else None
    if source is None:
        raise AssertionError("the benchmark names its catalogue")
    items: list[Item] = []
    for batch in read_items(source, settings.catalogue, Problems("skip")):
        items += batch
    cache = open_cache(settings)
    base = BundleStore(settings.encoder.store).find(settings.encoder.bundle)
    bundle = bind_to_catalogue(base, items, settings, cache)
    titles = [str(item.fields["title"]) for item in items]
    with progress("encoding titles", len(items)) as tick:
        vectors = item_encoder(bundle, settings, cache).encode_items(titles, tick=tick)
    return Films(titles, vectors, bundle)


def write_index(cluster: Cluster, settings: Settings, films: Films, items: int) -> None:
    """Write the index behind the alias, merged, with the bundle's fingerprint."""
    random = np.random.default_rng(7)
    name = indices.new_name(ALIAS)
    for old in indices.listing(cluster, ALIAS):
        indices.delete(cluster, old.name)
    meta = index_meta(settings, films.bundle, {}, "recommending")
    derived = derives_safely(cluster.version())
    body = index_body(settings, meta, films.bundle.dimension, derived_source=derived)
    indices.create(cluster, name, body)
    with progress("writing", items) as tick, BulkWriter(cluster, name) as writer:
        for number in range(items):
            writer.index(str(number), _document(number, films, random))
            tick(1)
    with progress("merging"):
        indices.finish_loading(cluster, name, replicas=0, merge=True)
    indices.put_meta(cluster, name, {"state": "ready"})
    indices.point(cluster, ALIAS, name)


def _document(number: int, films: Films, random: np.random.Generator) -> dict[str, Any]:
    place = number % len(films.titles)
    dimension = films.bundle.dimension
    noise = random.standard_normal(dimension, dtype=np.float32) * NOISE / np.sqrt(dimension)
    vector = (films.vectors[place] + noise).astype(np.float32)
    weight = float(np.exp(SPREAD * random.standard_normal()).clip(*BOUNDS))
    return {
        "item_id": str(number),
        "title": films.titles[place],
        "text": films.titles[place],
        "importance": weight,
        "interactions": 1,
        "tail": bool(random.random() < TAIL_SHARE),
        "vector": stored_vector(vector / np.linalg.norm(vector), weight, Space.COSINE),
    }


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
        random = np.random.default_rng(turn + WARM_UP)
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
    settings = Settings.model_validate(
        {
            "catalogue": {"path": CATALOGUE, "rename": {"movieId": "item_id"}},
            "text": {"item": "{{ title }}"},
            "index": IndexSettings(alias=ALIAS),
            "encoder": EncoderSettings(cache=ROOT / "vectors.sqlite"),
        }
    )
    ROOT.mkdir(parents=True, exist_ok=True)
    ensure_bundle(settings)
    films = read_films(settings)
    with running_node("2g") as (cluster, facts):
        known = machine(facts)
        write_index(cluster, settings, films, items)
        figures = measure(cluster, settings, films, items)
    return Report(
        name="recommending",
        title=f"A warm recommend over {items:,} items",
        setting={
            "items": items,
            "titles": len(films.titles),
            "dimension": films.bundle.dimension,
            "history": HISTORY,
            "words": "two titles, others in every call",
            "size": settings.recommend.size,
            "tail_share": settings.recommend.tail_share,
            "path": "ann",
            "ef_search": settings.recommend.ef_search,
            "lists_before_the_timed_ones": WARM_UP * 3,
            "int8_instructions": int8_instructions(),
        },
        machine=known,
        figures=tuple(figures),
    )
