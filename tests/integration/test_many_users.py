"""Lists for very many users: ranked by items in memory, and the same as those of the index."""

from typing import Any

import pytest

from seealso.cluster.node import NodeInfo
from seealso.indexer.update import update
from seealso.plugin import RecommendationList, Recommender
from seealso.plugin.ranking import item_reader
from seealso.plugin.ranking.options import RecommendOptions
from seealso.types import User
from tests.films import Counting
from tests.integration.catalogues import OpenShop, films, views
from tests.integration.test_fit import FILMS, MEMBERS, choices_in_pairs, fitted, stocked
from tests.library import BOOKS, Library

POETRY = {"field": "kind", "values": ["poetry"]}

SECTIONS: list[dict[str, Any]] = [
    {},
    {"rules": [
        {"do": "boost", **POETRY, "add": 0.3},
        {"do": "bury", "field": "kind", "values": ["western"]},
        {"do": "exclude", "field": "year", "least": 1950},
        {"do": "pin", "items": ["b30"], "position": 2},
    ]},
    {"exposure": {
        "shares": [{"share": 0.2, **POETRY}, {"share": 0.1, "new": True}],
        "caps": [{"field": "kind", "most": 2, "window": 4}],
    }},
    {"exposure": {"diversity": 0.4, "fresh": "year", "half_life_days": 3650.0, "depth": 3}},
    {"safety": {
        "fields": {"kind": ["western"]}, "words": ["island"],
        "age": [{"item": "year"}], "region": [{"item": "kind", "user": "country"}],
    }},
]  # fmt: skip

OPTIONS: list[dict[str, Any]] = [
    {"fields": ()},
    {},
    {"fields": ("kind",), "size": 25},
    {"filters": [{"term": {"kind": "poetry"}}, {"range": {"year": {"lt": 1955}}}]},
    {"tail_share": 0.0, "size": 3},
    {"tail_share": 0.6, "size": BOOKS, "fields": ()},
    {"min_probability": 0.65, "path": "exact"},
    {"exclude": ["b7", "b30", "b41", "gone"], "size": 20},
]


def people(recommender: Recommender) -> list[User]:
    """Return users of all kinds: known, unknown, with words or an age, who have seen all."""
    return [
        *(recommender.user(f"u{n}") for n in range(12)),
        recommender.user("nobody"),
        recommender.user("critic", words="a castle in the desert"),
        recommender.user("u3", attributes={"age": 1950, "country": ["poetry", "fantasy"]}),
        recommender.user(history=[f"b{n}" for n in range(BOOKS)]),
    ]


def compare(found: list[RecommendationList], expected: list[RecommendationList]) -> None:
    """Require the same lists, to the last field, with values equal but for rounding."""
    for one, other in zip(found, expected, strict=True):
        assert one.ids == other.ids
        assert (one.note, one.path, one.user_id) == (other.note, other.path, other.user_id)
        for mine, theirs in zip(one, other, strict=True):
            there, here = theirs.as_dict(), mine.as_dict()
            for name in ("probability", "raw", "score", "boost", "co_occurrence", "neighbours"):
                assert here.pop(name) == pytest.approx(there.pop(name), abs=1e-5)
            assert here == there


def asked(cluster: Counting, recommender: Recommender, **options: Any) -> None:
    """Compare lists of the index with those by items in memory."""
    users, chosen = people(recommender), RecommendOptions(**options)
    expected = recommender.recommend_users(users, chosen)
    # the first time, so few are quicker through the index; the second time, items are read
    for _ in range(3):
        cluster.sent.clear()
        compare(recommender.recommend_many(users, chosen), expected)
    # what is read stays; only words are asked of the index
    assert cluster.sent == ["POST /_msearch"]


@pytest.fixture
def cluster(library: Library) -> Counting:
    return Counting(library.url)


@pytest.mark.parametrize("sections", SECTIONS, ids=lambda one: "-".join(one) or "plain")
def test_lists_are_those_of_the_index(
    library: Library, cluster: Counting, sections: dict[str, Any]
) -> None:
    recommender = Recommender(cluster, library.changed(**sections), library.histories)
    for options in OPTIONS:
        asked(cluster, recommender, **options)


def test_items_are_read_once(library: Library, cluster: Counting) -> None:
    recommender = Recommender(cluster, library.settings, library.histories)
    users, read = people(recommender), "DELETE /_search/point_in_time"
    cluster.sent.clear()
    for _ in range(4):
        recommender.recommend_many(users, RecommendOptions())
    assert cluster.sent.count(read) == 1
    # histories, and what the index ranks for so few; words of all who have any, three times
    assert cluster.sent.count("POST /_msearch") == 4
    for clause in ({"term": {"kind": "poetry"}}, {"term": {"kind": "western"}}):
        for _ in range(2):
            recommender.recommend_many(users, RecommendOptions(filters=clause))
    # once for each filter
    assert cluster.sent.count(read) == 3


def test_lists_by_behaviour_are_those_of_the_index(
    open_shop: OpenShop, opensearch: NodeInfo
) -> None:
    shop = stocked(open_shop, opensearch)
    shop.stock(films(FILMS), choices_in_pairs())
    assert fitted(shop).fitted.recipe.co_occurrence is not None
    shop.build(encoder={"bundle": "fitted"})
    cluster = Counting(shop.url)
    recommender = Recommender(cluster, shop.settings(), None)
    users = [
        recommender.user(history=[f"f{(n * step) % FILMS}" for step in (1, 4, 7)])
        for n in range(MEMBERS)
    ]
    for options in (RecommendOptions(), RecommendOptions(tail_share=0.3, size=20)):
        expected = recommender.recommend_users(users, options)
        assert any(one.co_occurrence for found in expected for one in found)
        for _ in range(2):
            cluster.sent.clear()
            compare(recommender.recommend_many(users, options), expected)
    assert cluster.sent == ["POST /_msearch"]
    for user in users[:3]:
        (whole,) = recommender.recommend_users([user], RecommendOptions(tail_share=0.0, size=20))
        ranked = recommender.rank(user, sorted(whole.ids))
        assert ranked.ids == whole.ids
        assert [one.raw for one in ranked] == pytest.approx([one.raw for one in whole], abs=1e-5)


@pytest.mark.parametrize("path", ["ann", "reference"])
def test_other_paths_are_asked_of_the_index(library: Library, cluster: Counting, path: Any) -> None:
    recommender = Recommender(cluster, library.settings, library.histories)
    users, options = people(recommender), RecommendOptions(path=path)
    for _ in range(2):
        cluster.sent.clear()
        recommender.recommend_many(users, options)
    assert cluster.sent == ["POST /_msearch"]


def test_items_are_read_again_after_a_while(
    library: Library, cluster: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = Recommender(cluster, library.settings, library.histories)
    users, options = people(recommender), RecommendOptions()
    for seconds, read in ((1e9, 1), (1e-6, 2)):
        monkeypatch.setattr(item_reader, "READ_AGAIN_SECONDS", seconds)
        for _ in range(3):
            recommender.recommend_many(users, options)
        assert cluster.sent.count("DELETE /_search/point_in_time") >= read


def test_an_updated_index_is_read_again(open_shop: OpenShop, opensearch: NodeInfo) -> None:
    shop = open_shop(opensearch.url)
    shop.stock(films(40), views({"f1": 5, "f2": 3}))
    shop.build()
    recommender = Recommender(Counting(shop.url), shop.settings())
    users = [recommender.user(history=["f1", f"f{n}"]) for n in range(2, 20)]
    options = RecommendOptions(size=50)
    for _ in range(2):
        assert all(len(one) == 38 for one in recommender.recommend_many(users, options))
    shop.stock(films(41), views({"f1": 5, "f2": 3}))
    update(shop.cluster, shop.settings(), shop.inputs(), delete=["f39"])
    found = recommender.recommend_many(users, options)
    compare(found, recommender.recommend_users(users, options))
    assert all("f40" in one.ids and "f39" not in one.ids for one in found)


def test_what_was_seen_is_not_shown_though_it_became_a_tail_item(
    open_shop: OpenShop, opensearch: NodeInfo
) -> None:
    shop = open_shop(opensearch.url)
    shop.stock(films(40), views({f"f{n}": 5 for n in range(30)}))
    shop.build()
    recommender = Recommender(Counting(shop.url), shop.settings())
    users = [recommender.user(history=["f1", f"f{n}"]) for n in range(2, 20)]
    options = RecommendOptions(size=10, tail_share=1.0)
    for _ in range(2):
        recommender.recommend_many(users, options)
    for number in range(30):
        path = f"/{shop.live}/_update/f{number}"
        shop.cluster.request("POST", path, {"doc": {"tail": True}}, {"refresh": "true"})
    lists = recommender.recommend_many(users, options)
    assert all(not set(found.ids) & user.seen for found, user in zip(lists, users, strict=True))
    assert all(found.ids for found in lists)
