"""A service over a shop with a users index, which its tests write to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.testclient import TestClient

from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.indexer.users.live import user_indices
from seealso.plugin import Recommender
from seealso.plugin.search.ubi import UbiLog
from seealso.plugin.service import outcomes
from seealso.plugin.service.app import create_app
from seealso.plugin.users_index import UsersIndex
from tests.integration.catalogues import Shop, films
from tests.live import forgotten
from tests.members import FILMS, KEY, NAMES, asking, built, choices

Posted = Mapping[str, Any]


@pytest.fixture(scope="module")
def served(
    opensearch: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop that is served, with the key of its users where the service looks for it."""
    sections: dict[str, dict[str, Any]] = {
        "events": {"time": "day", "type": "kind"},
        "users": {"enabled": True},
    }
    alias = f"served-{uuid4().hex[:8]}"
    shop = Shop(tmp_path_factory.mktemp("served"), opensearch.url, alias, tiny, sections)
    shop.stock(films(FILMS), choices())
    shop.build()
    built(shop)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEALSO_USERS_KEY", KEY)
        yield shop
    forgotten(shop, *(one.name for one in user_indices(shop.cluster, shop.settings())))
    shop.clear()


@contextmanager
def serving(shop: Shop, **sections: Any) -> Iterator[TestClient]:
    """Ask a service over a shop."""
    app = create_app(asking(shop, **sections))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(served: Shop) -> Iterator[TestClient]:
    """Asks the service."""
    with serving(served) as made:
        yield made


@pytest.fixture
def writer(served: Shop) -> Iterator[Recommender]:
    """Recommends, and writes its lists to UBI."""
    queries = f"{served.alias}-lists"
    settings = served.settings(ubi={"enabled": True, "queries": queries})
    yield Recommender(
        served.cluster,
        settings,
        users=UsersIndex(served.cluster, settings, NAMES),
        ubi=UbiLog(served.cluster, settings.ubi, NAMES),
    )
    indices.delete(served.cluster, queries)


@pytest.fixture
def caller(writer: Recommender, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Asks a service over it, which looks each time what came of its lists."""
    monkeypatch.setattr(outcomes, "AGAIN_SECONDS", 0.0)
    with TestClient(create_app(writer), raise_server_exceptions=False) as made:
        yield made


def age(shop: Shop) -> None:
    """Make all lists two hours old."""
    indices.refresh(shop.cluster, f"{shop.alias}-lists")
    earlier = "ZonedDateTime.parse(ctx._source.timestamp).minusHours(2).toString()"
    script = {"source": f"ctx._source.timestamp = {earlier}"}
    path = f"/{shop.alias}-lists/_update_by_query"
    shop.cluster.request("POST", path, {"script": script}, {"refresh": "true"})


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem that an answer is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["code"] == code
    assert found["detail"]
    return found


def answered(answer: httpx.Response) -> dict[str, Any]:
    """Return what an answer says that is no problem."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(client: TestClient, user: str, **options: Any) -> list[str]:
    """Return the ids of a user's list."""
    found = answered(client.post("/v1/recommend", json={"user": user, **options}))
    return [one["item_id"] for one in found["items"]]


def stored(shop: Shop, event_id: str) -> dict[str, Any]:
    """Return an event as it is kept."""
    name = f"{shop.alias}-events"
    indices.refresh(shop.cluster, name)
    found: dict[str, Any] = shop.cluster.request("GET", f"/{name}/_doc/{event_id}")
    return found["_source"]
