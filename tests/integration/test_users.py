"""The users index on a real cluster: built, updated, asked, forgotten, exported."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seealso.cli.main import main
from seealso.cluster import fetch, indices
from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError, ConfigError, DataError, MappingMismatch
from seealso.indexer.users.build import UsersReport, build_users, update_users
from seealso.indexer.users.live import live_users, user_indices
from seealso.indexer.users.mapping import users_alias
from seealso.indexer.users.people import read_people
from seealso.indexer.users.privacy import forget, held
from seealso.interactions import Problems, Pseudonyms
from seealso.plugin import Recommender
from seealso.plugin.users_index import UsersIndex
from tests.integration.catalogues import OpenShop, Record, Shop, films, write_lines

KEY = "a key of the tests, and of nothing else"
NAMES = Pseudonyms(KEY.encode())
FILMS = 40
PEOPLE = 24


def choices() -> list[Record]:
    """Return who saw what: user n the films n, n + 1, ... of one kind, in that order."""
    return [
        {
            "user_id": f"ann-{user}",
            "item_id": f"f{(8 * step + user) % FILMS}",
            "kind": "view" if step else "buy",
            "day": f"2024-01-{step + 1:02}",
        }
        for user in range(PEOPLE)
        for step in range(4)
    ]


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Iterator[Shop]:
    """A shop with an index, whose users are to be indexed, too."""
    made = open_shop(opensearch.url, events={"time": "day", "type": "kind"})
    made.stock(films(FILMS), choices())
    made.build()
    yield made
    for one in user_indices(made.cluster, made.settings()):
        indices.delete(made.cluster, one.name)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key where the command line looks for it."""
    monkeypatch.setenv("SEEALSO_USERS_KEY", KEY)


def built(shop: Shop, names: Pseudonyms = NAMES, **more: Any) -> UsersReport:
    settings = shop.settings()
    people = read_people(settings, shop.cluster, Problems("stop"))
    profiler = Recommender(shop.cluster, settings).profiler()
    return build_users(shop.cluster, settings, people, names, profiler, **more)


def updated(shop: Shop) -> UsersReport:
    settings = shop.settings()
    people = read_people(settings, shop.cluster, Problems("stop"))
    return update_users(
        shop.cluster, settings, people, NAMES, Recommender(shop.cluster, settings).profiler()
    )


def asking(shop: Shop, **sections: Any) -> Recommender:
    settings = shop.settings(**sections)
    return Recommender(shop.cluster, settings, users=UsersIndex(shop.cluster, settings, NAMES))


def documents(shop: Shop, *user_ids: str) -> dict[str, Record]:
    names = {NAMES.of(user_id): user_id for user_id in user_ids}
    found = fetch(shop.cluster, users_alias(shop.alias), list(names), source=["*"])
    return {names[key]: hit["_source"] for key, hit in found.items()}


def test_everybody_is_written_under_a_pseudonym(shop: Shop) -> None:
    report = built(shop)
    assert (report.users, report.written, report.unchanged) == (PEOPLE, PEOPLE, 0)
    assert report.vectorless == 0
    live = live_users(shop.cluster, shop.settings(), NAMES)
    assert live.name == report.index
    assert live.fingerprint == indices.meta(shop.cluster, str(shop.live))["fingerprint"]
    found = documents(shop, "ann-3")["ann-3"]
    assert [one["item"] for one in found["history"]] == ["f27", "f19", "f11", "f3"]
    assert found["history"][-1] == {
        "item": "f3", "type": "buy", "value": 1.0, "time": "2024-01-01T00:00:00+00:00",
    }  # fmt: skip
    assert found["latest"] == ["f27", "f19", "f11", "f3"]
    assert found["seen"] == ["f11", "f19", "f27", "f3"]
    every = shop.cluster.request("POST", f"/{report.index}/_search", {"size": PEOPLE})
    assert "ann-" not in json.dumps(every)


def test_the_vector_is_what_a_query_asks_with(shop: Shop) -> None:
    built(shop)
    stored = np.array(documents(shop, "ann-3")["ann-3"]["vector"])
    weights = 0.8 ** np.arange(4)
    items = [shop.vector(item) for item in ("f27", "f19", "f11", "f3")]
    expected = sum(w * v / np.linalg.norm(v) for w, v in zip(weights, items, strict=True))
    assert stored @ (expected / np.linalg.norm(expected)) == pytest.approx(1, abs=1e-5)
