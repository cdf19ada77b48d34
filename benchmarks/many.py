"""Lists for many users: by items in memory, and through the index, with 64 or one user a request.

Films, users and their ratings are real, and vectors are joined from titles and ratings as `seealso
fit` joins them. Two requests are sent at a time, as in ``recommend-batch`` and ``evaluate``.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Final

import numpy as np

from benchmarks.measure import Figure, Report, Target, figure, machine, ratio, take_turns
from benchmarks.node import ROOT, running_node
from seealso.api import export_model
from seealso.cluster import Cluster
from seealso.config import Settings, load_settings
from seealso.encoder import BundleStore
from seealso.evaluation.protocols import hold_out
from seealso.fitting.bundles import read_contents, write_joined
from seealso.fitting.recipe import Recipe, learn_collaborative
from seealso.indexer.build import build
from seealso.indexer.inputs import inputs
from seealso.log import progress
from seealso.models.co_occurrence import CoOccurrenceConfig
from seealso.plugin import Recommender
from seealso.plugin.batch.lists import REQUESTS_AT_ONCE, recommend_in_order
from seealso.plugin.profiles.users import read_histories
from seealso.plugin.ranking.options import RecommendOptions
from seealso.readers import Histories, Problems
from seealso.types import User

SETTINGS = "examples/ml-latest-small/seealso.toml"
ROUNDS = 5
OPTIONS = RecommendOptions(fields=())
MEMORY = "items in memory"
TOGETHER = "through the index, 64 users a request"
ALONE = "through the index, a user a request"

RECIPE: Final = Recipe(
    factors=256, alpha=40, regularisation=50, recency=0.5, weight=1.4, ridge=100.0,
    cold_length=0.75, cold_start_bonus=0.3,
    co_occurrence=CoOccurrenceConfig(
        distance=0.9, backward=0.5, shrink=10.0, recency=0.8, share=3.0
    ),
)  # fmt: skip
"""What `seealso fit` once chose for these films."""


@contextmanager
def film_index(
    heap: str, recipe: Recipe = RECIPE, dimension: int | None = None
) -> Iterator[tuple[Cluster, Settings, Histories, dict[str, Any]]]:
    """Start a node with a joined index of the films, and stop it in the end.

    The index is made by `recipe`, with vectors of texts cut to `dimension` numbers.
    """
    plain = {
        "store": ROOT / "joined",
        "cache": ROOT / "vectors.sqlite",
        "dimension": dimension,
    }
    settings = load_settings(SETTINGS, {"encoder": plain, "index": {"alias": "many"}})
    store = BundleStore(settings.encoder.store)
    base = export_model(settings) if not store.has("minilm") else store.find("minilm")
    read = inputs(settings, None, Problems("skip"))
    (held,) = hold_out(settings, read.items, read.learnt, names=["leave-one-out"], split="test")
    bare, texts = read_contents(settings, base, read.items, held.dataset)
    part = learn_collaborative(held.dataset, texts, recipe)
    joined = write_joined(settings, bare, part, "joined")
    encoder = settings.encoder.model_copy(update={"bundle": joined.name})
    settings = settings.model_copy(update={"encoder": encoder})
    with running_node(heap) as (cluster, facts):
        known = machine(facts)
        build(cluster, settings, read)
        histories = read_histories(cluster, settings, None, Problems("skip"))
        if histories is None:
            raise AssertionError("the example names its events")
        yield cluster, settings, histories, known


def through_index(
    recommender: Recommender, users: Sequence[User], at_once: int
) -> Callable[[int], object]:
    """Return what asks the index for the list of each user."""
    parts = [users[start : start + at_once] for start in range(0, len(users), at_once)]

    def ask(_: int) -> object:
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            return [*pool.map(lambda some: recommender.recommend_users(some, OPTIONS), parts)]

    return ask


def measure(recommenders: Sequence[Recommender], users: Sequence[User]) -> list[Figure]:
    """Time the three ways in turns, after a round of each."""
    in_memory, together, alone = recommenders

    def rank_in_memory(_: int) -> object:
        return [*recommend_in_order(in_memory, iter(users), OPTIONS)]

    rank_in_memory(-1)
    started = perf_counter()
    in_memory.recommend_many(users[:1], OPTIONS)
    reading = perf_counter() - started
    ways = {
        MEMORY: rank_in_memory,
        TOGETHER: through_index(together, users, 64),
        ALONE: through_index(alone, users, 1),
    }
    with progress("lists for many users", ROUNDS + 1) as tick:
        seconds = take_turns(ways, ROUNDS, warm_up=1, tick=tick)
    fast, target = seconds[MEMORY], Target("at least", 5)
    return [
        ratio(f"{MEMORY}, times faster than {TOGETHER}", seconds[TOGETHER], fast, target),
        ratio(f"{MEMORY}, times faster than {ALONE}", seconds[ALONE], fast),
        *(figure(f"{name}, users a second", "1/s", len(users) / seconds[name]) for name in ways),
        figure("reading all items, at most", "ms", np.array([reading * 1000])),
    ]


def run(_: int) -> Report:
    """Measure over the films, whatever the size of the other catalogues."""
    with film_index("2g") as (cluster, settings, histories, known):
        recommenders = [Recommender(cluster, settings, histories) for _ in range(3)]
        users = [recommenders[0].user(user_id) for user_id in histories.users()]
        figures = measure(recommenders, users)
        live = recommenders[0].live
        setting = {
            "items": live.documents,
            "users": len(users),
            "dimension": live.encoder.bundle.dimension,
            "size": settings.recommend.size,
            "tail_share": settings.recommend.tail_share,
            "path": "exact",
        }
    return Report(
        name="many",
        title=f"Lists for many users over {setting['items']:,} films",
        setting=setting,
        machine=known,
        figures=tuple(figures),
    )
