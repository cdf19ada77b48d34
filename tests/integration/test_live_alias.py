"""An alias that moves while questions are on the way: followed, and never answered for wrongly."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock, Semaphore
from typing import Any
from uuid import uuid4

import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.config import Settings
from seealso.encoder import Bundle
from seealso.errors import ClusterError
from seealso.indexer.build import build
from seealso.indexer.inputs import inputs
from seealso.plugin import RecommendationList, Recommender
from seealso.plugin.serving import SWAPS_FOLLOWED
from seealso.plugin.shared_reading import READINGS_AT_ONCE
from seealso.readers import Problems
from seealso.types import Calibration
from tests.library import Library

WORDS = "a castle of poetry"
THREADS = 8

Built = tuple[str, ...]
"""Physical indices of one alias; the first and third have one model, the second another."""


@pytest.fixture(scope="module")
def library(
    opensearch: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("live")
    library = Library.found(folder, opensearch.url, f"books-{uuid4().hex[:8]}", tiny)
    yield library
    library.close()


@pytest.fixture(scope="module")
def built(library: Library) -> Built:
    whitened = library.changed(encoder={"whiten": True})
    return tuple(
        build(library.cluster, settings, inputs(settings, None, Problems("stop"))).index
        for settings in (library.settings, whitened, library.settings)
    )


@pytest.fixture(scope="module")
def truth(library: Library, built: Built) -> dict[str, RecommendationList]:
    """What each index answers while nothing moves."""
    answers = {}
    for index in built:
        indices.point_alias(library.cluster, library.alias, index)
        answers[index] = library.recommender().recommend(words=WORDS)
    first, second, _ = answers.values()
    # two models that answer differently, so that a mixed answer would show
    assert first.fingerprint != second.fingerprint
    assert [item.raw for item in first] != [item.raw for item in second]
    return answers


class Intercepted(Cluster):
    """A cluster whose requests can be met before they are sent and after they are answered."""

    def __init__(self, url: str) -> None:
        super().__init__(url, retries=1)
        # shared with what a recommender makes of this cluster
        self.before: list[Callable[[str, str], object]] = []
        self.after: list[Callable[[str, str], object]] = []

    def request(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        for call in self.before:
            call(method, path)
        answer = super().request(method, path, *args, **kwargs)
        for call in self.after:
            call(method, path)
        return answer


@pytest.fixture
def cluster(library: Library) -> Iterator[Intercepted]:
    cluster = Intercepted(library.url)
    yield cluster
    cluster.close()


def check(found: RecommendationList, truth: dict[str, RecommendationList]) -> None:
    expected = truth[found.index]
    assert found.fingerprint == expected.fingerprint
    assert found.ids == expected.ids
    assert [item.raw for item in found] == pytest.approx([item.raw for item in expected])


def asked(settings: Settings, cluster: Cluster, library: Library) -> Recommender:
    return Recommender(cluster, settings, library.histories)


def test_an_alias_that_moves_before_every_search_is_answered_all_the_same(
    library: Library, built: Built, truth: dict[str, RecommendationList], cluster: Intercepted
) -> None:
    indices.point_alias(library.cluster, library.alias, built[0])
    recommender = asked(library.settings, cluster, library)
    looks: list[str] = []

    def move(_method: str, path: str) -> None:
        if path == f"/{library.alias}/_mapping":
            looks.append(path)
            indices.point_alias(library.cluster, library.alias, built[len(looks) % 2])

    cluster.before.append(move)
    found = recommender.recommend(words=WORDS)
    assert len(looks) == SWAPS_FOLLOWED
    check(found, truth)
    assert found.index == indices.find_live(library.cluster, library.alias)


NOTHING_FITS = {"term": {"kind": "no such kind"}}


def test_every_method_sees_a_swap_at_once_even_where_nothing_is_found(
    library: Library, built: Built
) -> None:
    indices.point_alias(library.cluster, library.alias, built[0])
    recommender = library.recommender()
    body = {"query": {"match": {"title": "castle"}}}
    ways: dict[str, Callable[[], Any]] = {
        "an empty list": lambda: recommender.recommend("u1", filters=NOTHING_FITS).index,
        "an empty list of related items": lambda: (
            recommender.related("b1", filters=NOTHING_FITS).index
        ),
        "a group's empty list": lambda: (
            recommender.recommend_group(["u1", "u5"], filters=NOTHING_FITS).index
        ),
        "a list of nobody": lambda: recommender.recommend("nobody", filters=NOTHING_FITS).index,
        "reasons": lambda: recommender.explain("u1", "b1").index,
        "profiles": lambda: str(recommender.profiles([recommender.user("u1")])[0].vector),
        "a user encoder": lambda: recommender.user_encoder().fingerprint,
        "a body": lambda: str(recommender.personalise(body, recommender.user("u1"))),
        "a search without hits": lambda: str(
            recommender.search({"query": NOTHING_FITS}, recommender.user("u1"))
        ),
        "a stored request": lambda: recommender.stored_request(recommender.user("u1")),
        "a group's stored request": lambda: recommender.stored_group_request(["u1", "u5"]),
    }
    for way, ask in ways.items():
        for index in (built[0], built[1]):
            indices.point_alias(library.cluster, library.alias, index)
            ask()
            assert recommender.live.name == index, way


def test_an_index_that_is_deleted_under_a_service_is_left(
    library: Library, built: Built, truth: dict[str, RecommendationList]
) -> None:
    settings = library.settings
    made = build(library.cluster, settings, inputs(settings, None, Problems("stop"))).index
    recommender = library.recommender()
    assert recommender.recommend(words=WORDS).index == made
    indices.point_alias(library.cluster, library.alias, built[0])
    indices.delete(library.cluster, made)
    check(recommender.recommend(words=WORDS), truth)
    check(recommender.recommend(words=WORDS), truth)


def test_an_alias_of_two_indices_is_named_and_one_put_right_is_followed(
    library: Library, built: Built, truth: dict[str, RecommendationList]
) -> None:
    indices.point_alias(library.cluster, library.alias, built[0])
    recommender = library.recommender()
    second = {"add": {"index": built[1], "alias": library.alias}}
    indices.act_on_aliases(library.cluster, [second])
    with pytest.raises(ClusterError, match="points to 2 indices"):
        recommender.recommend(words=WORDS)
    indices.point_alias(library.cluster, library.alias, built[1])
    check(recommender.recommend(words=WORDS), truth)


def test_what_an_index_says_of_itself_is_read_again_when_it_changes(
    library: Library, built: Built
) -> None:
    indices.point_alias(library.cluster, library.alias, built[0])
    recommender = library.recommender()
    before = recommender.recommend("u1")
    shifted = {"calibration": {"b": 0.3, "t": 2.0}}
    kept = indices.meta(library.cluster, built[0])["calibration"]
    try:
        indices.put_meta(library.cluster, built[0], shifted)
        after = recommender.recommend("u1")
    finally:
        indices.put_meta(library.cluster, built[0], {"calibration": kept})
    assert after.ids == before.ids
    assert after[0].probability == pytest.approx(
        Calibration(b=0.3, t=2.0).probability(before[0].raw)
    )


def test_the_model_of_an_index_that_comes_back_is_not_loaded_again(
    library: Library, built: Built, truth: dict[str, RecommendationList]
) -> None:
    indices.point_alias(library.cluster, library.alias, built[0])
    recommender = library.recommender()
    encoders = []
    for turn in range(6):
        indices.point_alias(library.cluster, library.alias, built[turn % 2])
        check(recommender.recommend(words=WORDS), truth)
        encoders.append(recommender.live.encoder)
    assert encoders[0] is encoders[2] is encoders[4]
    assert encoders[1] is encoders[3] is encoders[5]
    assert encoders[0] is not encoders[1]


def test_what_was_seen_earlier_never_takes_the_place_of_what_was_seen_later(
    library: Library, built: Built, truth: dict[str, RecommendationList], cluster: Intercepted
) -> None:
    indices.point_alias(library.cluster, library.alias, built[0])
    recommender = asked(library.settings, cluster, library)
    indices.point_alias(library.cluster, library.alias, built[1])
    looked, other_done, first_look = Event(), Event(), Lock()

    def hold_the_first(_method: str, path: str) -> None:
        # the first thread has read where the alias points, and is late with what it read
        asks = path == f"/{library.alias}/_alias/{library.alias}"
        if asks and first_look.acquire(blocking=False):
            looked.set()
            other_done.wait(timeout=1)

    later: list[str] = []

    def note_what_is_asked(_method: str, path: str) -> None:
        if path == "/_msearch" and other_done.is_set():
            later.append(recommender.live.name)

    cluster.before.append(note_what_is_asked)
    cluster.after.append(hold_the_first)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(recommender.recommend, words=WORDS)
        assert looked.wait(timeout=60)
        indices.point_alias(library.cluster, library.alias, built[2])
        quick = pool.submit(recommender.recommend, words=WORDS)
        quick.add_done_callback(lambda _: other_done.set())
        check(slow.result(), truth)
        check(quick.result(), truth)
    check(recommender.recommend(words=WORDS), truth)
    assert set(later) == {recommender.live.name} == {built[2]}


def test_readings_that_wait_are_one_for_all_and_see_what_came_before_they_began(
    library: Library, built: Built, truth: dict[str, RecommendationList], cluster: Intercepted
) -> None:
    indices.point_alias(library.cluster, library.alias, built[0])
    recommender = asked(library.settings, cluster, library)
    answered, begun, go_on = Semaphore(0), Semaphore(0), Event()
    readings: list[str] = []

    def hold(_method: str, path: str) -> None:
        if path == f"/{library.alias}/_mapping":
            readings.append(path)
            begun.release()
            go_on.wait(timeout=60)

    def note_answer(_method: str, path: str) -> None:
        if path == "/_msearch":
            answered.release()

    cluster.before.append(hold)
    cluster.after.append(note_answer)
    with ThreadPoolExecutor(THREADS) as pool:
        first = []
        for _ in range(READINGS_AT_ONCE):
            first.append(pool.submit(recommender.recommend, words=WORDS))
            assert begun.acquire(timeout=60)
        # no more readings may be under way: those who ask now wait for the next one
        waiting = [
            pool.submit(recommender.recommend, words=WORDS)
            for _ in range(THREADS - READINGS_AT_ONCE)
        ]
        assert all(answered.acquire(timeout=60) for _ in [*first, *waiting])
        assert len(readings) == READINGS_AT_ONCE
        indices.point_alias(library.cluster, library.alias, built[1])
        go_on.set()
        lists = [one.result() for one in [*first, *waiting]]
    # all were asked of the first index, and none was answered by it
    for found in lists:
        assert found.index == built[1]
        check(found, truth)


def test_many_threads_follow_swaps_that_never_rest(
    library: Library, built: Built, truth: dict[str, RecommendationList]
) -> None:
    indices.point_alias(library.cluster, library.alias, built[0])
    recommender = library.recommender()
    enough = Event()

    def ask_on() -> list[RecommendationList]:
        lists = []
        while not enough.is_set() or len(lists) < 20:
            lists.append(recommender.recommend(words=WORDS))
        return lists

    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(ask_on) for _ in range(THREADS)]
        for turn in range(60):
            indices.point_alias(library.cluster, library.alias, built[turn % 2])
        enough.set()
        lists = [found for one in running for found in one.result()]
    assert len(lists) >= 20 * THREADS
    for found in lists:
        check(found, truth)
    assert {found.index for found in lists} == set(built[:2])
    last = recommender.recommend(words=WORDS)
    assert last.index == indices.find_live(library.cluster, library.alias) == built[1]
