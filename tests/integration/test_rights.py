"""The narrowest roles of docs/reference/security.md suffice: a proxy lets no other request pass."""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest

from docs.rights import Task, allows, role
from seealso.cluster import Cluster, indices, scan
from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError
from seealso.indexer import lifecycle
from seealso.indexer.events.running import SourceRun
from seealso.indexer.events.sources import UbiEvents
from seealso.indexer.events.store import events_name
from seealso.indexer.privacy import export_user, forget
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.update import update
from seealso.plugin import Recommender
from seealso.plugin.ranking.options import RecommendOptions
from seealso.plugin.search.ubi import UbiLog
from seealso.plugin.users_index import UsersIndex
from seealso.readers import Problems
from tests.integration.catalogues import OpenShop, Shop, films, views
from tests.integration.gateways import Refusal, Request, gateway
from tests.live import START, event, ingested, ingester_of
from tests.members import NAMES, asking, built, run, updated


@contextmanager
def acting_as(shop: Shop, *tasks: Task, source: str = "-", but: str = "none") -> Iterator[None]:
    """Let `shop` ask through a proxy that allows what `tasks` need, `but` for one path."""
    ubi = (shop.settings().ubi.events, shop.settings().ubi.queries)

    def admit(request: Request) -> Refusal | None:
        path = request.target.partition("?")[0]
        if but not in path and any(
            allows(task, request.method, path, alias=shop.alias, source=source, ubi=ubi)
            for task in tasks
        ):
            return None
        error = {
            "type": "security_exception",
            "reason": f"no permissions for {request.method} {path}",
        }
        return 403, orjson.dumps({"error": {"root_cause": [error], **error}, "status": 403})

    with gateway(shop.url, admit) as running:
        url, shop.url = shop.url, running.url
        try:
            yield
        finally:
            shop.url = url


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Shop:
    made = open_shop(opensearch.url)
    made.stock(films(40), views({"f1": 5, "f2": 3}))
    return made


def test_the_role_for_building_and_the_role_for_reading(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    with acting_as(shop, "build"):
        first = shop.build().index
        second = shop.build(swap=False).index
        lifecycle.swap(shop.cluster, shop.alias, second)
        shop.stock(films(41), views({"f1": 5, "f2": 9}))
        done = update(shop.cluster, shop.settings(), shop.inputs(), delete=["f3"])
        assert (done.written, done.deleted) == (1, 1)
        assert refresh_importance(shop.cluster, shop.settings(), shop.inputs()).changed > 0
        assert lifecycle.rollback(shop.cluster, shop.alias).after == first
        assert [one.name for one in lifecycle.prune(shop.cluster, shop.alias, 1)] == [second]
    with acting_as(shop, "read"):
        serving = Recommender(Cluster(shop.url, retries=0), shop.settings())
        assert len(serving.recommend("u1", size=5).items) == 5
        assert len(serving.recommend(history=["f1"], words="a sailor", size=5).items) == 5
        assert len(serving.related("f1", size=5).items) == 5
        assert len(serving.recommend("nobody", size=5).items) == 5
        readers = [serving.user(history=["f1", f"f{n}"]) for n in range(2, 20)]
        for _ in range(2):
            found = serving.recommend_many(readers, RecommendOptions())
            assert all(len(one) == 10 for one in found)
    # an account that may search and no more gets the same lists, more slowly
    with acting_as(shop, "read", but="/_search/point_in_time"):
        warned = Recommender(Cluster(shop.url, retries=0), shop.settings())
        for _ in range(2):
            again = warned.recommend_many(readers, RecommendOptions())
        assert [one.ids for one in again] == [one.ids for one in found]
        assert caplog.text.count("every list is asked of the index, more slowly") == 1
    with acting_as(shop, "read"):
        with pytest.raises(ClusterError, match="not allowed"):
            shop.build()
        with pytest.raises(ClusterError, match="not allowed"):
            indices.delete(shop.cluster, first)
    assert shop.live == first


def test_a_catalogue_in_an_index_of_somebody_else(shop: Shop) -> None:
    theirs = f"theirs-{shop.alias}"
    for film in films(12):
        shop.cluster.request("PUT", f"/{theirs}/_doc/{film['item_id']}", film)
    shop.cluster.request("POST", f"/{theirs}/_refresh")
    shop.sections["catalogue"] = {"path": None, "index": theirs}
    try:
        with acting_as(shop, "build"), pytest.raises(ClusterError, match="not allowed"):
            shop.build()
        with acting_as(shop, "build", "source", source=theirs):
            assert shop.build().items == 12
            with pytest.raises(ClusterError, match="not allowed"):
                shop.cluster.request("DELETE", f"/{theirs}")
    finally:
        indices.delete(shop.cluster, theirs)


@pytest.fixture
def logged(peopled: Shop) -> Iterator[Shop]:
    """A shop whose lists and clicks are written down, too."""
    rows = {"queries": f"ubi-queries-{peopled.alias}", "events": f"ubi-events-{peopled.alias}"}
    peopled.sections["ubi"] = rows
    keyword = {"type": "keyword"}
    fields = {"client_id": keyword, "timestamp": {"type": "date"}}
    body = {"mappings": {"properties": fields}}
    peopled.cluster.request("PUT", f"/{rows['events']}", body)
    yield peopled
    for name in (*rows.values(), events_name(peopled.alias)):
        indices.delete(peopled.cluster, name)


@pytest.mark.usefixtures("users_key")
def test_the_roles_for_live_events_and_for_rows_of_ubi(logged: Shop) -> None:
    settings = logged.settings()
    with acting_as(logged, "build", "live"):
        built(logged)
        updated(logged)
        # a command also tells which items of the events are not there
        assert run(logged, "users", "update") == 0
        taken = ingested(logged, [event("ann-3", "f30"), event("eve", "f31")])
        assert (taken.written, taken.users, taken.items) == (2, 2, 2)
        # counted by the build, and old
        old = event("ann-3", "f30", day="2024-01-01T00:00:00Z")
        ingested(logged, [old])
        assert ingested(logged, [], live={"keep_days": 30}).expired == 1
        with pytest.raises(ClusterError, match="not allowed"):
            list(scan(logged.cluster, settings.ubi.events))
    with acting_as(logged, "read"):
        serving = asking(logged)
        assert "f30" in serving.user("ann-3").seen
        assert len(serving.recommend("ann-3", size=5).items) == 5
        assert len(serving.neighbours(serving.user("ann-3"), size=3)) == 3
        with pytest.raises(ClusterError, match="not allowed"):
            ingested(logged, [event("ann-3", "f32")])
    with acting_as(logged, "read", "ubi"):
        log = UbiLog(logged.cluster, settings.ubi, NAMES)
        users = UsersIndex(logged.cluster, settings, NAMES)
        Recommender(logged.cluster, settings, users=users, ubi=log).recommend("ann-3")
        log.close()
    clicked = {
        "client_id": "ann-3",
        "action_name": "click",
        "timestamp": START.isoformat(),
        "event_attributes": {"object": {"object_id": "f33"}},
    }
    path = f"/{settings.ubi.events}/_doc"
    logged.cluster.request("POST", path, clicked, {"refresh": "true"})
    with acting_as(logged, "build", "live", "ubi"):
        source = UbiEvents(logged.cluster, settings.ubi, settings.live)
        events = SourceRun(logged.cluster, settings, NAMES, source, Problems("stop"))
        reports = events.ingest(ingester_of(logged), source.read(None))
        assert sum(one.written for one in reports) == 1
        assert export_user(logged.cluster, settings, NAMES, "ann-3").counts.keys() >= {
            settings.ubi.queries, settings.ubi.events, events_name(logged.alias),
        }  # fmt: skip
        forget(logged.cluster, settings, NAMES, "ann-3")
        assert export_user(logged.cluster, settings, NAMES, "ann-3").counts == {}
        with pytest.raises(ClusterError, match="not allowed"):
            indices.delete(logged.cluster, settings.ubi.events)


def test_a_role_names_the_indices_of_its_alias_alone() -> None:
    found = role("build", alias="shop")
    assert found["index_permissions"][0]["index_patterns"] == ["shop", "shop-*"]
    assert not [one for one in found["cluster_permissions"] if one == "*" or "cluster_all" in one]
    assert not allows("build", "DELETE", "/other-index", alias="shop")
    assert not allows("read", "PUT", "/shop-1/_doc/1", alias="shop")
