"""A graph with rounded vectors: a quarter of the memory, the lists and values of whole ones."""

from typing import Any

import pytest

from seealso import api
from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError, ConfigError
from seealso.indexer import memory
from seealso.indexer.graph import EF_SEARCHES
from seealso.indexer.verify import verify_again
from seealso.plugin import Recommender
from seealso.plugin.recommendations import RecommendationList
from tests.integration.catalogues import OpenShop, Shop, films, views
from tests.integration.test_hardened_clusters import without_expensive_queries

FILMS = 400
ROUNDED: dict[str, Any] = {"vector_bits": 7}
HISTORY = ["f3", "f77", "f140"]


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Shop:
    """A shop whose films are of different importance."""
    made = open_shop(opensearch.url)
    made.stock(films(FILMS), views({f"f{n}": 1 + n % 7 for n in range(FILMS)}))
    return made


def by_path(recommender: Recommender, path: str, **options: Any) -> RecommendationList:
    return recommender.recommend(history=HISTORY, path=path, size=20, tail_share=0, **options)


def test_lists_and_values_are_those_of_whole_vectors(shop: Shop) -> None:
    shop.build(index=ROUNDED)
    name = str(shop.live)
    mapping = shop.cluster.request("GET", f"/{name}/_mapping")[name]["mappings"]
    parameters = mapping["properties"]["vector"]["method"]["parameters"]
    assert parameters["encoder"]["name"] == "sq"
    with Recommender(shop.cluster, shop.settings()) as recommender:
        exact, near = by_path(recommender, "exact"), by_path(recommender, "ann")
        assert near.path == "ann"
        assert near.ids == exact.ids
        found = {one.item_id: one.raw for one in exact}
        assert {one.item_id: one.raw for one in near} == pytest.approx(found, abs=1e-5)
        least = exact[9].probability
        assert least is not None
        likely = by_path(recommender, "ann", min_probability=least - 1e-6)
        assert likely.ids == exact.ids[:10]
        within = {"terms": {"kind": ["western", "war"]}}
        assert (
            by_path(recommender, "ann", filters=within).ids
            == by_path(recommender, "exact", filters=within).ids
        )
        related = recommender.related("f3", path="ann"), recommender.related("f3", path="exact")
        assert related[0].ids == related[1].ids
        members = [recommender.user(history=HISTORY), recommender.user(history=["f9"])]
        group = [
            recommender.recommend_group(members, path=path, strategy="average")
            for path in ("ann", "exact")
        ]
        assert group[0].ids == group[1].ids


def test_the_graph_is_judged_by_what_lists_get(shop: Shop) -> None:
    report = shop.build(index=ROUNDED)
    assert report.verification.recall is not None
    assert report.verification.recall > 0.95
    # verified again, the graph is that of the index, whatever the settings say by now
    again = verify_again(shop.cluster, report.index, shop.settings())
    assert again.recall == report.verification.recall
    # who changes the setting gets another index, not one that is half of each
    changed = shop.build(swap=False)
    assert not changed.resumed
    with Recommender(shop.cluster, shop.settings(), index=changed.index) as recommender:
        assert by_path(recommender, "ann").ids == by_path(recommender, "exact").ids


def test_the_most_candidates_that_a_build_tries_are_taken(shop: Shop) -> None:
    shop.build(index=ROUNDED)
    settings = shop.settings(recommend={"ef_search": EF_SEARCHES[-1]})
    with Recommender(shop.cluster, settings) as recommender:
        assert by_path(recommender, "ann").ids == by_path(recommender, "exact").ids


@pytest.mark.alone
def test_where_no_script_compares_again_the_list_says_so(shop: Shop) -> None:
    shop.build(index=ROUNDED)
    with Recommender(shop.cluster, shop.settings()) as recommender:
        exact = by_path(recommender, "exact")
        with without_expensive_queries(shop.cluster):
            found = by_path(recommender, "auto")
    assert "by rounded vectors, so probabilities are nearly right" in found.note
    # four hundred films by nine sentences are near each other
    assert len(set(found.ids) & set(exact.ids)) > 10
    raw = {one.item_id: one.raw for one in exact}
    both = [one for one in found if one.item_id in raw]
    assert [one.raw for one in both] == pytest.approx([raw[one.item_id] for one in both], abs=0.02)


def test_only_lucene_rounds(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="vector_bits = 7 needs engine = 'lucene'"):
        shop.settings(index={**ROUNDED, "engine": "faiss"})


def test_a_graph_that_does_not_fit_is_refused_before_anything_is_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shop.settings().index.with_bits(32)
    needed = memory.plan_memory(shop.cluster, FILMS, 32, whole)
    assert needed.available is not None
    assert needed.available > 2**30
    too_many = needed.available // (needed.each // FILMS) + FILMS
    with pytest.raises(ClusterError, match="do not fit into the memory of the nodes") as caught:
        memory.plan_memory(shop.cluster, too_many, 32, whole)
    assert "index.vector_bits = 7" in str(caught.value.hint)
    # nobody has a catalogue of that size for a test
    monkeypatch.setattr(memory, "OVERHEAD", 1e9)
    encoded: list[str] = []
    monkeypatch.setattr("seealso.indexer.binding.item_encoder", encoded.append)
    for refused in (shop.build, lambda: api.plan_build_index(shop.settings())):
        with pytest.raises(ClusterError, match="do not fit"):
            refused()
    assert (shop.names, encoded) == ([], [])


def test_vectors_are_rounded_where_whole_ones_take_over_half_of_the_memory(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = api.plan_build_index(shop.settings())
    report = shop.build()
    assert report.memory == planned.memory
    assert "rounded" not in report.memory
    index = shop.settings().index
    plan = memory.plan_memory(shop.cluster, FILMS, shop.bundle.dimension, index)
    assert plan.available is not None
    # as if whole vectors took three quarters of what the nodes have
    monkeypatch.setattr(memory, "OVERHEAD", 1.1 * 0.75 * plan.available / plan.each)
    rounded = shop.build()
    assert "with vectors rounded to 7 bits (whole: " in rounded.memory
    assert not rounded.resumed
    assert indices.meta(shop.cluster, rounded.index)["vector_bits"] == 7
    # who asks for whole vectors gets them, as long as there is room
    asked = shop.build(index={"vector_bits": 32})
    assert "rounded" not in asked.memory
    assert indices.meta(shop.cluster, asked.index)["vector_bits"] == 32
    # replicas need the same again, and these do not fit
    with pytest.raises(ClusterError, match="in each of 2 copies; nodes have"):
        shop.build(index={"vector_bits": 32, "replicas": 1})


@pytest.mark.parametrize("other", [{"engine": "faiss"}, {"space": "euclidean"}])
def test_what_cannot_be_rounded_stays_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    index = shop.settings(index=other).index
    plan = memory.plan_memory(shop.cluster, FILMS, 32, index)
    assert plan.available is not None
    monkeypatch.setattr(memory, "OVERHEAD", 1.1 * 0.75 * plan.available / plan.each)
    assert not memory.plan_memory(shop.cluster, FILMS, 32, index).index.rounded


def test_seven_bits_take_a_quarter(shop: Shop) -> None:
    whole = memory.graph_bytes(1000, 642, shop.settings().index)
    rounded = memory.graph_bytes(1000, 642, shop.settings(index=ROUNDED).index)
    # the documentation's own figures: 2,966 and 847 bytes a vector at 642 dimensions
    assert (whole, rounded) == (2_965_600, 847_000)
