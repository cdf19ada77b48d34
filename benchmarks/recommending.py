"""A warm `Recommender.recommend`: history and new words each time, over real title vectors.

The items are titles of a film catalogue, each several times with a little noise; words differ
in every call, so that each one is encoded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.measure import Figure, Report, Target, figure, machine, take_turns, times
from benchmarks.node import ROOT, running_node
from benchmarks.synthetic import BOUNDS, SPREAD
from seealso.cli.demo import ensure_bundle
from seealso.cluster import BulkWriter, Cluster, indices
from seealso.config import EncoderSettings, IndexSettings, Settings
from seealso.encoder import Bundle, BundleStore
from seealso.indexer.documents import stored_vector
from seealso.indexer.encoding import bind_to_catalogue, item_encoder, open_cache
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
WARM_UP = 20
HISTORY = 10
REGULARS = 400
"""Items that histories are drawn from where they are warm."""
TAIL_SHARE = 0.2


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


def measure(cluster: Cluster, settings: Settings, films: Films, items: int) -> list[Figure]:
    """Time warm calls with the fp32 and the int8 model, and calls with unknown histories."""
    warm = histories(items, REGULARS)

    def recommender(precision: str) -> Recommender:
        encoder = settings.encoder.model_copy(update={"query_precision": precision})
        made = Recommender(cluster, settings.model_copy(update={"encoder": encoder}))
        for start in range(0, REGULARS, HISTORY):
            made.recommend(history=[str(n) for n in range(start, start + HISTORY)])
        return made

    callers = {
        "recommend, warm, fp32": Caller(recommender("fp32"), films, warm),
        "recommend, warm, int8": Caller(recommender("int8"), films, warm),
        "recommend, fp32, history not met before": Caller(
            recommender("fp32"), films, histories(items, items)
        ),
    }
    with progress("recommending", ROUNDS + WARM_UP) as tick:
        seconds = take_turns(callers, ROUNDS, warm_up=WARM_UP, tick=tick)
    target = Target("at most", 15)
    figures = []
    for name, caller in callers.items():
        figures.append(times(name, seconds[name], target if "warm" in name else None))
        for part, what in (("profile", "the profile"), ("search", "the search, in OpenSearch")):
            values = [latency[part] for latency in caller.latencies]
            figures.append(figure(f"of that, {what}", "ms", values))
    return figures


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
        write_index(cluster, settings, films, items)
        known = machine(facts)
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
        },
        machine=known,
        figures=tuple(figures),
    )
