"""Eight clients query while a reindex swaps and rolls back: no failure, no mixed answer."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import numpy as np
import pytest

from seealso.cluster import scan
from seealso.cluster.node import NodeInfo
from seealso.encoder import BundleStore, Encoder, UserText
from seealso.indexer import lifecycle
from seealso.plugin import RecommendationList, Recommender
from seealso.types import Vector
from tests.integration.catalogues import OpenShop, Shop, films, views

CLIENTS = 8
LIKED = "f7"
WORDS = "a western about a sailor"
COUNTS = {f"f{i}": i for i in range(1, 30)}
WAYS = ("related", "words", "history")

Expected = dict[str, tuple[list[str], list[float]]]


def ask(recommender: Recommender, way: str) -> RecommendationList:
    if way == "related":
        return recommender.related(LIKED, size=10)
    if way == "words":
        return recommender.recommend(words=WORDS, size=10, tail_share=0)
    return recommender.recommend(history=[LIKED], size=10, tail_share=0)


def expected(shop: Shop, index: str, fingerprint: str) -> Expected:
    """Compute by numpy what the model of `index` answers in each way."""
    documents = [hit["_source"] for hits in scan(shop.cluster, index) for hit in hits]
    ids = [document["item_id"] for document in documents]
    stored: Vector = np.array([document["vector"] for document in documents])
    bundle = BundleStore(shop.settings().encoder.store).by_fingerprint(fingerprint)
    encoder = Encoder(bundle)
    text = UserText(bundle.text).render(
        words=WORDS, attributes={}, history=(), budget=64, count_tokens=encoder.count_tokens
    )
    (words,) = encoder.encode_users([text])
    liked = stored[ids.index(LIKED)]
    liked = liked / np.linalg.norm(liked)
    answers = {}
    for way, vector in (("related", liked), ("history", liked), ("words", words)):
        raw = stored @ vector
        if way != "words":
            raw[ids.index(LIKED)] = -np.inf
        best = np.argsort(-raw)[:10]
        answers[way] = ([ids[i] for i in best], raw[best].tolist())
    return answers


class Clients:
    """Clients that ask without a pause and keep every answer."""

    def __init__(self, recommender: Recommender, pool: ThreadPoolExecutor) -> None:
        self.answers: list[tuple[str, RecommendationList]] = []
        self._recommender = recommender
        self._stop = Event()
        self._lock = Lock()
        self._running = [pool.submit(self._ask, number) for number in range(CLIENTS)]

    def _ask(self, number: int) -> None:
        while not self._stop.is_set():
            way = WAYS[number % len(WAYS)]
            found = ask(self._recommender, way)
            with self._lock:
                self.answers.append((way, found))
            number += 1

    def await_answers(self, index: str) -> None:
        """Return when `index` has given each client some new answers."""
        seen = len(self.answers)
        deadline = time.monotonic() + 120
        while sum(found.index == index for _, found in self.answers[seen:]) < 3 * CLIENTS:
            self.raise_failure()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def raise_failure(self) -> None:
        for one in self._running:
            if one.done():
                one.result()

    def stop(self) -> None:
        self._stop.set()


@pytest.mark.slow
def test_swap_and_rollback_under_load(opensearch: NodeInfo, open_shop: OpenShop) -> None:
    shop = open_shop(opensearch.url)
    shop.stock(films(200), views(COUNTS))
    first = shop.build(encoder={"dimension": 16})
    reports = [first]
    recommender = Recommender(shop.cluster, shop.settings())
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = Clients(recommender, pool)
        try:
            clients.await_answers(first.index)
            reports.append(shop.build(swap=False, encoder={"dimension": 24}))
            for _ in range(4):
                lifecycle.swap(shop.cluster, shop.alias, reports[1].index)
                clients.await_answers(reports[1].index)
                lifecycle.rollback(shop.cluster, shop.alias)
                clients.await_answers(first.index)
            reports.append(shop.build(encoder={"dimension": 24}))
            clients.await_answers(reports[2].index)
        finally:
            clients.stop()
    clients.raise_failure()
    fingerprints = {report.index: report.fingerprint for report in reports}
    truth = {index: expected(shop, index, fingerprints[index]) for index in fingerprints}
    # two models that answer differently, so that a mixed answer would show
    assert len(set(fingerprints.values())) == 2
    assert truth[first.index]["words"] != truth[reports[1].index]["words"]
    for way, found in clients.answers:
        ids, raw = truth[found.index][way]
        assert found.fingerprint == fingerprints[found.index]
        assert found.ids == ids
        np.testing.assert_allclose([item.raw for item in found], raw, atol=1e-4)
    assert {found.index for _, found in clients.answers} == set(fingerprints)
    assert len(clients.answers) >= 10 * 3 * CLIENTS
