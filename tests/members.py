"""A shop whose users are indexed, too: who saw what, the key, and what the tests ask of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from seealso.cli.main import main
from seealso.cluster import fetch, indices
from seealso.cluster.node import NodeInfo
from seealso.indexer.users.build import UsersReport, build_users, update_users
from seealso.indexer.users.live import user_indices
from seealso.indexer.users.mapping import users_alias
from seealso.indexer.users.people import MOST_EVENTS, read_people
from seealso.indexer.users.writing import UsersWriter
from seealso.plugin import Recommender
from seealso.plugin.users_index import UsersIndex
from seealso.readers import Problems, Pseudonyms
from tests.integration.catalogues import OpenShop, Record, Shop, films

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
def peopled(opensearch: NodeInfo, open_shop: OpenShop) -> Iterator[Shop]:
    """A shop with an index, whose users are to be indexed, too."""
    made = open_shop(opensearch.url, events={"time": "day", "type": "kind"})
    made.stock(films(FILMS), choices())
    made.build()
    yield made
    for one in user_indices(made.cluster, made.settings()):
        indices.delete(made.cluster, one.name)


@pytest.fixture
def users_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key where the command line looks for it."""
    monkeypatch.setenv("SEEALSO_USERS_KEY", KEY)


def built(
    shop: Shop, names: Pseudonyms = NAMES, *, at_once: int = MOST_EVENTS, **more: Any
) -> UsersReport:
    settings = shop.settings()
    people = read_people(settings, shop.cluster, Problems("stop"), most_events=at_once)
    user_encoder = Recommender(shop.cluster, settings).user_encoder()
    return build_users(UsersWriter(shop.cluster, settings, people, names, user_encoder), **more)


def updated(shop: Shop) -> UsersReport:
    settings = shop.settings()
    people = read_people(settings, shop.cluster, Problems("stop"))
    user_encoder = Recommender(shop.cluster, settings).user_encoder()
    return update_users(UsersWriter(shop.cluster, settings, people, NAMES, user_encoder))


def asking(shop: Shop, **sections: Any) -> Recommender:
    settings = shop.settings(**sections)
    return Recommender(shop.cluster, settings, users=UsersIndex(shop.cluster, settings, NAMES))


def documents(shop: Shop, *user_ids: str) -> dict[str, Record]:
    names = {NAMES.of(user_id): user_id for user_id in user_ids}
    found = fetch(shop.cluster, users_alias(shop.alias), list(names), source=["*"])
    return {names[key]: hit["_source"] for key, hit in found.items()}


def run(shop: Shop, *command: str, **changes: Any) -> int:
    """Run a command in this process and return how it ended."""
    try:
        main(shop.arguments(*command, **changes))
    except SystemExit as end:
        return int(end.code or 0)
    return 0
