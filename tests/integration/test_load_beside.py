"""A swap to another model under a service: the index before answers until the model is loaded."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.testclient import TestClient

from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.config import Settings
from seealso.encoder import Bundle, Encoder
from seealso.errors import BundleError
from seealso.indexer.build import build
from seealso.indexer.inputs import inputs
from seealso.plugin import Recommender, encoders
from seealso.plugin.service.app import create_app
from seealso.readers import Problems
from tests.library import Library

BODY = {"history": ["b3", "b7"], "size": 4}

Built = tuple[str, str]
"""Two physical indices of one alias, each with a model of its own."""


@pytest.fixture(scope="module")
def library(
    opensearch: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("beside")
    library = Library.found(folder, opensearch.url, f"books-{uuid4().hex[:8]}", tiny)
    yield library
    library.close()


def built_with(library: Library, settings: Settings) -> str:
    """Build an index, and return its name."""
    return build(library.cluster, settings, inputs(settings, None, Problems("stop"))).index


@pytest.fixture
def built(library: Library) -> Built:
    """Build both indices anew; the alias points to the first."""
    whitened = library.changed(encoder={"whiten": True})
    found = built_with(library, library.settings), built_with(library, whitened)
    indices.point_alias(library.cluster, library.alias, found[0])
    return found


class Loading:
    """Holds up what loads models, and counts it."""

    def __init__(self) -> None:
        self.begun, self.go_on = Event(), Event()
        self.times = 0
        self.failure: Exception | None = None
        self._load: Callable[..., Encoder] = encoders.query_encoder

    def __call__(self, *args: Any) -> Encoder:
        self.times += 1
        self.begun.set()
        assert self.go_on.wait(60)
        if self.failure is not None:
            raise self.failure
        return self._load(*args)


@pytest.fixture
def served(library: Library, built: Built) -> Iterator[tuple[TestClient, Recommender]]:
    """A service over the first index, whose list that stands in was made already."""
    recommender = library.recommender(service={"stand_in": "none"})
    with TestClient(create_app(recommender), raise_server_exceptions=False) as client:
        assert index_of(ask(client)) == built[0]
        yield client, recommender


@pytest.fixture
def loading(
    served: tuple[TestClient, Recommender], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Loading]:
    """What loads models from now on."""
    held = Loading()
    monkeypatch.setattr(encoders, "query_encoder", held)
    yield held
    held.go_on.set()


def ask(client: TestClient, **more: Any) -> httpx.Response:
    return client.post("/v1/recommend", json={**BODY, **more})


def index_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["index"])


def wait_for(client: TestClient, index: str) -> None:
    """Ask until an index answers; no request fails meanwhile."""
    deadline = time.monotonic() + 60
    while index_of(ask(client)) != index:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_nobody_waits_for_the_model_of_a_new_index(
    library: Library, built: Built, served: tuple[TestClient, Recommender], loading: Loading
) -> None:
    client, recommender = served
    indices.point_alias(library.cluster, library.alias, built[1])
    addresses = {
        "/v1/recommend": BODY,
        "/v1/related/b7": {},
        "/v1/popular": {},
        "/v1/group": {"members": ["u1", "u2"]},
    }
    # more than may be waiting at once: none of them does
    with ThreadPoolExecutor(4) as pool:
        for address, body in addresses.items():
            asked = [pool.submit(client.post, address, json=body) for _ in range(4)]
            assert {index_of(one.result(30)) for one in asked} == {built[0]}
    assert loading.begun.wait(30)
    assert client.get("/readyz").json()["index"] == built[0]
    wrong = client.post("/v1/related/b999")
    assert wrong.status_code == 404, wrong.text
    assert ask(client, filters={"term": {"knd": "x"}}).status_code == 422
    assert ask(client, filters={"sing": {}}).status_code == 422
    before = ask(client).json()
    assert not loading.go_on.is_set()
    loading.go_on.set()
    wait_for(client, built[1])
    assert loading.times == 1
    after = ask(client).json()
    assert (after["index"], recommender.live.name) == (built[1], built[1])
    assert after["bundle"] != before["bundle"]
    # what a rollback goes back to is in memory: the next answer knows of it
    indices.point_alias(library.cluster, library.alias, built[0])
    assert index_of(ask(client)) == built[0]
    assert loading.times == 1


def test_an_index_that_is_deleted_meanwhile_is_left_for_the_new_one(
    library: Library, built: Built, served: tuple[TestClient, Recommender], loading: Loading
) -> None:
    client, _ = served
    indices.point_alias(library.cluster, library.alias, built[1])
    assert index_of(ask(client)) == built[0]
    assert loading.begun.wait(30)
    indices.delete(library.cluster, built[0])
    with ThreadPoolExecutor(3) as pool:
        asked: list[Future[httpx.Response]] = [pool.submit(ask, client) for _ in range(3)]
        time.sleep(0.3)
        # there is nothing that could answer
        assert not any(one.done() for one in asked)
        loading.go_on.set()
        assert {index_of(one.result(60)) for one in asked} == {built[1]}


def test_a_model_that_cannot_be_loaded_is_no_reason_to_answer_from_the_past(
    library: Library, built: Built, served: tuple[TestClient, Recommender], loading: Loading
) -> None:
    client, _ = served
    loading.failure = BundleError("bundle fitted is damaged", hint="build it again")
    indices.point_alias(library.cluster, library.alias, built[1])
    assert index_of(ask(client)) == built[0]
    loading.go_on.set()
    deadline = time.monotonic() + 30
    while (answer := ask(client)).status_code == 200:
        assert time.monotonic() < deadline
    # it is tried again each time, and waited for
    for found in (answer, ask(client), ask(client)):
        assert found.status_code == 500
        assert found.json()["code"] == "BundleError"
        assert "build" not in json.dumps(found.json()["hint"])
    assert client.get("/readyz").status_code == 503
    loading.failure = None
    assert index_of(ask(client)) == built[1]


def test_who_writes_vectors_waits_for_the_new_model(
    library: Library, built: Built, served: tuple[TestClient, Recommender], loading: Loading
) -> None:
    client, recommender = served
    indices.point_alias(library.cluster, library.alias, built[1])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(recommender.user_encoder)
        assert loading.begun.wait(30)
        assert index_of(ask(client)) == built[0]
        assert not waiting.done()
        loading.go_on.set()
        fingerprint = indices.meta(library.cluster, built[1])["fingerprint"]
        assert waiting.result(60).fingerprint == fingerprint
    assert index_of(ask(client)) == built[1]


def test_a_script_is_answered_by_the_new_index(library: Library, built: Built) -> None:
    with library.recommender() as recommender:
        assert recommender.recommend(**BODY).index == built[0]
        indices.point_alias(library.cluster, library.alias, built[1])
        assert recommender.recommend(**BODY).index == built[1]
