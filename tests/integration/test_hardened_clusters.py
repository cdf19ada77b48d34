"""Lists on clusters as operators set them up: without expensive queries, with many shards, slow."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError, PartialAnswer, Unavailable
from seealso.indexer.graph import EXPENSIVE
from seealso.indexer.update import update
from seealso.plugin import Recommender
from seealso.plugin.doctor import examine
from seealso.plugin.ranking.options import RecommendOptions
from seealso.plugin.search.ubi import UbiLog
from seealso.types import HistoryEntry, User
from tests.integration.catalogues import OpenShop, films
from tests.integration.gateways import Request, gateway
from tests.library import TEXTLESS, Library
from tests.members import NAMES

MANY = 100_000


@contextmanager
def without_expensive_queries(cluster: Cluster) -> Iterator[None]:
    def put(value: bool | None) -> None:
        cluster.request("PUT", "/_cluster/settings", {"persistent": {EXPENSIVE: value}})

    put(False)
    try:
        yield
    finally:
        put(None)


@pytest.mark.alone
def test_a_cluster_without_expensive_queries_ranks_by_the_graph(library: Library) -> None:
    recommender = library.recommender()
    lists = {
        "recommend": lambda: recommender.recommend("u1", words="a castle"),
        "related": lambda: recommender.related("b1"),
        "rank": lambda: recommender.rank("u1", [f"b{n}" for n in range(60)]),
        "group": lambda: recommender.recommend_group(["u1", "u5"], words="a castle"),
    }
    before = {name: ask() for name, ask in lists.items()}
    most_important = recommender.popular()
    probabilities = [one.probabilities for one in before["group"]]
    reasons = recommender.explain("u1", before["recommend"].ids[0])
    with without_expensive_queries(library.cluster):
        after = {name: ask() for name, ask in lists.items()}
        popular = recommender.popular()
        explained = recommender.explain("u1", before["recommend"].ids[0])
        findings = {one.what: one for one in examine(library.settings, lambda: library.cluster)}
        said = {}
        for name, ask in {
            "path exact": lambda: recommender.recommend("u1", path="exact"),
            "a personalised search": lambda: recommender.search(
                {"query": {"match_all": {}}}, recommender.user("u1")
            ),
        }.items():
            with pytest.raises(ClusterError) as caught:
                ask()
            said[name] = caught.value.message
    for name, found in after.items():
        assert found.ids == before[name].ids, name
        assert found.path == "ann"
        assert f"{EXPENSIVE} is false" in found.note
    assert [one.probabilities for one in after["group"]] == [
        pytest.approx(own, abs=1e-5) for own in probabilities
    ]
    # no graph and no script has a part in it
    assert (popular.ids, popular.note) == (most_important.ids, "")
    assert explained.raw == pytest.approx(reasons.raw, abs=1e-5)
    assert not findings["scripts"].ok
    assert EXPENSIVE in findings["scripts"].found
    for name, message in said.items():
        assert message.startswith(name)
        assert EXPENSIVE in message


def test_a_user_who_has_seen_a_hundred_thousand_items_is_shown_none_of_them(
    library: Library,
) -> None:
    seen = frozenset(f"b{n}" for n in range(10, 10 + MANY))
    heavy = User("heavy", (HistoryEntry("b11"), HistoryEntry("b17")), seen, {}, "a castle")
    recommender = library.recommender()
    for path in ("exact", "ann"):
        (found,) = recommender.recommend_batch([heavy], size=20, tail_share=0.2, path=path)
        assert set(found.ids) == {f"b{n}" for n in range(10)}
    shared = recommender.recommend_group([heavy, recommender.user("u1")], size=20)
    assert shared.ids
    assert not set(shared.ids) & seen


def test_no_request_of_many_heavy_users_is_large(library: Library) -> None:
    seen = frozenset(f"b{n}" for n in range(10, 10 + MANY))
    people = [User(f"h{n}", (HistoryEntry("b11"),), seen) for n in range(8)]
    with gateway(library.url) as running:
        recommender = Recommender(Cluster(running.url, retries=0, timeout=120), library.settings)
        found = recommender.recommend_batch(people)
    assert [one.ids == found[0].ids for one in found] == [True] * len(people)
    assert found[0].ids
    assert max(len(one.body) for one in running.seen) < 10_000_000


def test_a_group_of_heavy_users_is_answered_or_the_limit_is_named(library: Library) -> None:
    others = range(10, 10 + 6 * MANY, MANY)
    people = [
        User(f"h{start}", (HistoryEntry("b11"),), frozenset(f"b{start + n}" for n in range(MANY)))
        for start in others
    ]
    # half a million ids to leave out are no quick search
    settings = library.changed(cluster={"deadline": 60})
    with gateway(library.url) as running:
        recommender = Recommender(Cluster(running.url, retries=0, timeout=120), settings)
        found = recommender.recommend_group(people, size=20)
        assert set(found.ids) == {f"b{n}" for n in range(10)}
        assert max(len(one.body) for one in running.seen) > 4_000_000

    def small(request: Request) -> tuple[int, bytes] | None:
        return (413, b"<html>too large</html>") if len(request.body) > 4_000_000 else None

    with gateway(library.url, small) as running:
        recommender = Recommender(Cluster(running.url, retries=0, timeout=120), settings)
        with pytest.raises(ClusterError, match="the request is larger than") as caught:
            recommender.recommend_group(people)
    assert "MB, most of it ids of items to leave out: raise that limit" in (caught.value.hint or "")
    assert "groups.seen" in (caught.value.hint or "")


@pytest.mark.parametrize("path", ["exact", "ann"])
def test_thousands_of_words_and_ids_are_blocked(library: Library, path: str) -> None:
    words = [f"never said {n}" for n in range(3000)]
    file = library.folder / "many-blocked.txt"
    file.write_text("".join(f"x{n}\n" for n in range(3000)) + "b8\n", "utf-8")
    safety: dict[str, Any] = {"words": [*words, "island"], "blocklist": str(file)}
    plain = library.recommender(safety={"words": ["island"]})
    asking = library.recommender(safety=safety)
    for words_of in ("", "a castle on an island"):
        more: dict[str, Any] = {"words": words_of, "size": 60, "path": path, "tail_share": 0}
        wanted = plain.recommend("u1", **more).ids
        found = asking.recommend("u1", **more).ids
        assert found == [one for one in wanted if one != "b8"]
    assert asking.recommend_group(["u1", "u5"], size=60, path=path).ids


def test_a_cluster_that_hangs_is_given_up_in_time(library: Library) -> None:
    recommender = library.recommender(cluster={"deadline": 1.0})
    # a listener that takes connections and never answers
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        hanging = Cluster(f"http://127.0.0.1:{deaf.getsockname()[1]}", retries=5, timeout=30)
        recommender._lists._cluster = hanging.hurry(recommender.settings.cluster.deadline)
        started = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer in"):
            recommender.recommend(words="a castle")
        assert time.monotonic() - started < 5


def test_lists_are_the_same_with_more_shards(library: Library) -> None:
    """The same documents in one shard and in three."""
    whole, name = library.recommender(), f"{library.alias}-shards"
    body = library.cluster.request("GET", f"/{whole.live.name}")[whole.live.name]
    kept = {"knn": True, "number_of_shards": 3, "number_of_replicas": 0}
    indices.create(
        library.cluster, name, {"mappings": body["mappings"], "settings": {"index": kept}}
    )
    copied = {"source": {"index": whole.live.name}, "dest": {"index": name}}
    library.cluster.request("POST", "/_reindex", copied, {"refresh": "true"})
    parted = Recommender(library.cluster, library.settings, library.histories, index=name)
    try:
        for ask in (
            lambda one: one.recommend("u1"),
            lambda one: one.recommend("u1", words="a castle of poetry", tail_share=0.5),
            lambda one: one.recommend("u1", path="ann"),
            lambda one: one.recommend("nobody", size=30),
            lambda one: one.related("b1"),
            lambda one: one.recommend_group(["u1", "u5"], words="a castle", tail_share=0.5),
        ):
            assert ask(parted).ids == ask(whole).ids
    finally:
        indices.delete(library.cluster, name)


def test_a_running_service_sees_an_update_at_once(
    opensearch_latest: NodeInfo, open_shop: OpenShop
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(40))
    shop.build()
    serving = Recommender(shop.cluster, shop.settings())
    before = serving.related("f7").ids
    stock = films(40)
    stock[7] = {**stock[11], "item_id": "f7", "title": "A western", "description": "A horse"}
    shop.stock(stock)
    update(shop.cluster, shop.settings(), shop.inputs())
    after = serving.related("f7").ids
    assert after == Recommender(shop.cluster, shop.settings()).related("f7").ids
    assert after != before


def test_rows_of_ubi_hold_no_list_up(library: Library) -> None:
    """The disk is at flood stage: OpenSearch refuses writes."""
    name = f"{library.alias}-ubi"
    settings = library.changed(ubi={"queries": name})
    log = UbiLog(library.cluster, settings.ubi, NAMES)
    recommender = Recommender(library.cluster, settings, library.histories, ubi=log)
    block = {"index.blocks.read_only_allow_delete": True}
    try:
        recommender.recommend("u1")
        log.flush()
        library.cluster.request("PUT", f"/{name}/_settings", block)
        started = time.monotonic()
        found = [recommender.recommend("u1") for _ in range(3)]
        assert time.monotonic() - started < 15
        log.flush()
        lifted = {"index.blocks.read_only_allow_delete": None}
        library.cluster.request("PUT", f"/{name}/_settings", lifted)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            indices.refresh(library.cluster, name)
            if indices.count(library.cluster, name) == 4:
                break
            time.sleep(0.2)
        assert indices.count(library.cluster, name) == 4
        assert all(one.query_id for one in found)
    finally:
        recommender.close()
        indices.delete(library.cluster, name)


def found_in(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    """Return the hits of the shards that answer."""
    answer = cluster.request("POST", f"/{name}/_search", {"size": 100, "_source": False})
    hits: list[dict[str, Any]] = answer["hits"]["hits"]
    return hits


def test_a_list_of_half_the_shards_says_so(library: Library) -> None:
    whole, name = library.recommender(), f"{library.alias}-half"
    body = library.cluster.request("GET", f"/{whole.live.name}")[whole.live.name]
    # one node takes one of two shards, and the other one is nowhere
    kept = {
        "knn": True,
        "number_of_shards": 2,
        "number_of_replicas": 0,
        "routing.allocation.total_shards_per_node": 1,
    }
    made = {"mappings": body["mappings"], "settings": {"index": kept}}
    library.cluster.request("PUT", f"/{name}", made, {"wait_for_active_shards": "0"})
    # red stays red, but the shard that has a node must be open before it is written to
    one = {"wait_for_active_shards": "1", "timeout": "30s"}
    library.cluster.request("GET", f"/_cluster/health/{name}", params=one)
    lines = b"".join(
        orjson.dumps({"index": {"_id": item_id}}) + b"\n" + orjson.dumps(document) + b"\n"
        for item_id, document in library.documents.items()
    )
    library.cluster.request("POST", f"/{name}/_bulk", lines, {"timeout": "1s", "refresh": "true"})
    parted = Recommender(library.cluster, library.settings, library.histories, index=name)
    try:
        for found in (
            parted.recommend("u1"),
            parted.recommend("nobody"),
            parted.recommend_group(["u1", "u5"]),
        ):
            assert found.ids
            assert "1 of 2 shards did not answer" in found.note
            assert "1 of 2 shards did not answer" in found.as_dict()["note"]
        everyone = [parted.user(f"u{n}") for n in range(12)]
        for _ in range(2):
            # not all items can be read: the index ranks, as for few
            for found in parted.recommend_many(everyone, RecommendOptions()):
                assert found.ids
                assert "1 of 2 shards did not answer" in found.note
        there = {hit["_id"] for hit in found_in(library.cluster, name)}
        lost = next(f"b{number}" for number in range(30) if f"b{number}" not in there)
        with pytest.raises(PartialAnswer, match="cannot be read now: its shard does not answer"):
            parted.related(lost)
        some = min(there - {TEXTLESS})
        ranked = parted.rank("u1", [lost, some])
        assert (ranked.ids, ranked.unknown) == ([some], (lost,))
        assert ranked.note.endswith("did not answer; some of the unknown items may be there")
        liked = parted.recommend(history=[lost, min(there - {TEXTLESS})])
        assert "1 item of the history could not be read: shards do not answer" in liked.note
    finally:
        indices.delete(library.cluster, name)
