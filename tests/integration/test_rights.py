"""The narrowest roles of docs/security.md suffice: a proxy lets their requests through alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.cluster.rights import Task, allows, role
from seealso.errors import ClusterError
from seealso.indexer import lifecycle
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.update import update
from seealso.plugin import Recommender
from tests.integration.catalogues import OpenShop, Shop, films, views
from tests.integration.gateways import Refusal, Request, gateway


@contextmanager
def acting_as(shop: Shop, *tasks: Task, source: str = "-") -> Iterator[None]:
    """Let `shop` ask through a proxy that allows what `tasks` need and nothing else."""

    def admit(request: Request) -> Refusal | None:
        path = request.target.partition("?")[0]
        if any(
            allows(task, request.method, path, alias=shop.alias, source=source) for task in tasks
        ):
            return None
        error = {
            "type": "security_exception",
            "reason": f"no permissions for {request.method} {path}",
        }
        return 403, orjson.dumps({"error": {"root_cause": [error], **error}, "status": 403})

    with gateway(shop.url, admit) as running:
        url, shop.url = shop.url, running.url
        yield
        shop.url = url


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Shop:
    made = open_shop(opensearch.url)
    made.stock(films(40), views({"f1": 5, "f2": 3}))
    return made


def test_the_role_for_building_and_the_role_for_reading(shop: Shop) -> None:
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


def test_a_role_names_the_indices_of_its_alias_alone() -> None:
    found = role("build", alias="shop")
    assert found["index_permissions"][0]["index_patterns"] == ["shop", "shop-*"]
    assert not [one for one in found["cluster_permissions"] if one == "*" or "cluster_all" in one]
    assert not allows("build", "DELETE", "/other-index", alias="shop")
    assert not allows("read", "PUT", "/shop-1/_doc/1", alias="shop")
