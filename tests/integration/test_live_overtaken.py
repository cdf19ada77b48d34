"""Who writes beside whom, one interleaving a test: no event is lost, and none counts twice.

The model test draws such interleavings at random; these are the ones that went wrong once.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.indexer.events import importance
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.update import update
from seealso.indexer.users.live import user_indices
from seealso.readers import LiveEvent
from seealso.readers.live.reader import hash_content
from tests.integration.catalogues import OpenShop, Shop, films
from tests.live import START, event, forgotten, ingested, ingester_of
from tests.members import FILMS, NAMES, asking, built, choices, updated


class Killed(BaseException):
    """Stands for kill -9 at this point."""


@pytest.fixture
def shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Iterator[Shop]:
    """A shop with items, users and no live events yet."""
    made = open_shop(opensearch_latest.url, events={"time": "day", "type": "kind"})
    made.stock(films(FILMS), choices())
    made.build()
    built(made)
    yield made
    forgotten(made)
    for one in user_indices(made.cluster, made.settings()):
        indices.delete(made.cluster, one.name)


def view(user: str, item: str) -> LiveEvent:
    name = NAMES.of(user)
    key = hash_content(name, item, "view", START, 1.0)
    return LiveEvent(key, name, item, "view", 1.0, START)


def chosen(shop: Shop, item: str) -> int:
    return int(shop.documents(item)[item]["interactions"])


def before_the_first_sum(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Do something right before gains are summed up for the first time."""
    plain, armed = importance.sum_gains, [True]

    def overtaken(*arguments: Any) -> Any:
        if armed:
            armed.pop()
            meanwhile()
        return plain(*arguments)

    monkeypatch.setattr(importance, "sum_gains", overtaken)
    return armed


def killed_at_its_last_write(monkeypatch: pytest.MonkeyPatch, run: Callable[[], object]) -> None:
    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Cluster, "request", _dying(Cluster.request, killed))
        with pytest.raises(Killed):
            run()


def _dying(plain: Callable[..., Any], killed: Callable[[], None]) -> Callable[..., Any]:
    """Return requests of which the first change of `_meta` behind a bulk write kills."""
    written: list[str] = []

    def request(self: Cluster, method: str, path: str, *more: Any, **options: Any) -> Any:
        if written and method == "PUT" and path.endswith("/_mapping"):
            killed()
        answer = plain(self, method, path, *more, **options)
        if path.endswith("/_bulk"):
            written.append(path)
        return answer

    return request


def test_two_writers_lose_no_event(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = ingester_of(shop), ingester_of(shop)
    one.catch_up()
    before = chosen(shop, "f7")
    armed = before_the_first_sum(monkeypatch, lambda: other.ingest([view("bob", "f7")]))
    one.ingest([view("eve", "f7")])
    assert not armed
    assert chosen(shop, "f7") == before + 2


def test_an_event_counts_once_where_the_alias_moves_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, ingester, once = chosen(shop, "f7"), ingester_of(shop), view("bob", "f7")
    ingester.ingest([once])
    shop.stock(films(FILMS), [*choices(), event("bob", "f7"), event("eve", "f8", 10)])
    with monkeypatch.context() as patched:
        armed = before_the_first_sum(patched, shop.build)
        ingester.ingest([once])
    assert not armed
    ingester_of(shop).catch_up()
    assert chosen(shop, "f7") == before + 1


def test_an_event_counts_once_where_importance_is_refreshed_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, ingester, once = chosen(shop, "f7"), ingester_of(shop), view("bob", "f7")
    ingester.ingest([once])
    shop.stock(films(FILMS), [*choices(), event("bob", "f7"), event("eve", "f8", 10)])
    plain, late_ones = indices.put_meta, []

    def late(cluster: Cluster, name: str, changes: Any) -> Any:
        if "importance" in changes:
            late_ones.append(ingester.ingest([once]))
        return plain(cluster, name, changes)

    with monkeypatch.context() as patched:
        patched.setattr(indices, "put_meta", late)
        refresh_importance(shop.cluster, shop.settings(), shop.inputs())
    assert len(late_ones) == 1
    ingester_of(shop).catch_up()
    assert chosen(shop, "f7") == before + 1


def test_an_update_that_was_killed_costs_items_no_live_event(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingester_of(shop).ingest([view("bob", "f7"), view("eve", "f7")])
    wanted = chosen(shop, "f7")
    stock = films(FILMS)
    stock[7]["title"] = "Another title altogether"
    shop.stock(stock, choices())
    killed_at_its_last_write(
        monkeypatch, lambda: update(shop.cluster, shop.settings(), shop.inputs())
    )
    assert shop.documents("f7")["f7"]["title"] == "Another title altogether"
    update(shop.cluster, shop.settings(), shop.inputs())
    ingester_of(shop).catch_up()
    assert chosen(shop, "f7") == wanted


def test_events_of_the_file_that_an_update_meets_first_count_once(shop: Shop) -> None:
    before, later = chosen(shop, "f7"), [event("bob", "f7"), event("eve", "f8", 10)]
    stock = films(FILMS)
    stock[7]["title"] = "Another title altogether"
    shop.stock(stock, [*choices(), *later])
    done = update(shop.cluster, shop.settings(), shop.inputs())
    assert done.written == 1
    # as it is for the items that were not written
    assert chosen(shop, "f7") == before
    assert any(note.startswith("2 of ") and "index importance" in note for note in done.notes)
    ingested(shop, later)
    assert chosen(shop, "f7") == before + 1
    # and where live events come first
    update(shop.cluster, shop.settings(), shop.inputs())
    ingester_of(shop).catch_up()
    assert chosen(shop, "f7") == before + 1


def test_an_update_of_users_that_was_killed_costs_them_no_live_event(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingested(shop, [event("ann-3", "f30")])
    assert "f30" in asking(shop).user("ann-3").seen
    shop.stock(films(FILMS), [*choices(), event("ann-3", "f31", 5)])
    killed_at_its_last_write(monkeypatch, lambda: updated(shop))
    updated(shop)
    ingester_of(shop).catch_up()
    assert {"f30", "f31"} <= asking(shop).user("ann-3").seen
