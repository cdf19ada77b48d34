"""Building an index on a real cluster: what is in it, and that it is checked before it serves."""

import json
from itertools import pairwise

import numpy as np
import pytest

from seealso.cluster import BulkWriter, Cluster, IndexSource, fetch, indices, scan
from seealso.cluster.addresses import write_aliases
from seealso.cluster.node import NodeInfo
from seealso.encoder import BundleStore, Encoder, ItemText, encode_views
from seealso.errors import ClusterError
from seealso.indexer.build import plan
from seealso.indexer.documents import item_vector
from seealso.indexer.lifecycle import build_lock
from seealso.plugin import Recommender
from tests.integration.catalogues import OpenShop, Shop, films, views
from tests.training_data import as_items

COUNTS = {f"f{i}": i for i in range(1, 20)}


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Shop:
    return open_shop(opensearch.url)


@pytest.fixture
def latest_shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Shop:
    return open_shop(opensearch_latest.url)


def test_every_field_is_what_the_inputs_say(shop: Shop) -> None:
    items = films(80)
    shop.stock(items, views(COUNTS))
    report = shop.build()
    assert (report.items, report.written, report.unchanged) == (80, 80, 0)
    assert (report.resumed, report.swapped, report.previous) == (False, True, None)
    assert shop.live == report.index
    assert report.verification.documents == 80
    assert report.verification.least_cosine > 0.999
    bundle = BundleStore(shop.settings().encoder.store).by_fingerprint(report.fingerprint)
    text = ItemText(shop.settings().text)
    rendered, vectors = encode_views(Encoder(bundle), text, as_items(items))
    stored = shop.documents(*(item["item_id"] for item in items))
    for item, words, vector in zip(items, rendered, vectors, strict=True):
        document = stored[item["item_id"]]
        count = COUNTS.get(item["item_id"], 0)
        # importance: from the floor .5 to the ceiling 2 by the logarithm of the events, or 1
        weight = 0.5 + 1.5 * np.log1p(count) / np.log1p(19) if count else 1.0
        assert item.items() <= document.items()
        assert document["text"] == words
        assert document["interactions"] == count
        assert document["importance"] == pytest.approx(weight)
        assert document["tail"] == (count == 0)
        np.testing.assert_allclose(document["vector"], weight * vector, atol=2e-3)
    assert report.tail == sum(document["tail"] for document in stored.values()) == 61


def test_the_index_serves_with_the_settings_it_should(latest_shop: Shop) -> None:
    latest_shop.stock(films(60))
    name = latest_shop.build(index={"replicas": 1, "shards": 2, "analyzer": "english"}).index
    cluster = latest_shop.cluster
    settings = cluster.request("GET", f"/{name}/_settings")[name]["settings"]["index"]
    assert settings["number_of_replicas"] == "1"
    assert settings["number_of_shards"] == "2"
    assert settings.get("refresh_interval", "1s") != "-1"
    properties = cluster.request("GET", f"/{name}/_mapping")[name]["mappings"]["properties"]
    assert properties["title"] == {"type": "text", "analyzer": "english"}
    assert properties["kind"]["type"] == "keyword"
    assert properties["price"] == {"type": "double"}
    assert properties["vector"]["dimension"] == 128
    segments = cluster.request("GET", f"/_cat/segments/{name}", params={"format": "json"})
    assert len([one for one in segments if one["prirep"] == "p"]) == 2


def test_without_force_merge_the_segments_stay(latest_shop: Shop) -> None:
    latest_shop.stock(films(200))
    name = latest_shop.build(index={"force_merge": False, "bulk_bytes": 20_000}).index
    merges = latest_shop.cluster.request("GET", f"/{name}/_stats/merge,flush")
    assert latest_shop.live == name
    assert indices.count(latest_shop.cluster, name) == 200
    assert merges["_all"]["primaries"]["merges"]["total"] == 0


def test_a_large_shard_is_merged_to_one_segment_on_request_alone(
    latest_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest_shop.stock(films(200))
    small = {"bulk_bytes": 20_000}

    def count_segments(name: str) -> int:
        stats = latest_shop.cluster.request("GET", f"/{name}/_stats/segments")
        return int(stats["_all"]["primaries"]["segments"]["count"])

    assert count_segments(latest_shop.build(index=small).index) == 1
    monkeypatch.setattr("seealso.indexer.writing.MERGE_LIMIT", 199)
    several = latest_shop.build(index=small).index
    merges = latest_shop.cluster.request("GET", f"/{several}/_stats/merge")
    assert merges["_all"]["primaries"]["merges"]["total"] == 0
    assert indices.count(latest_shop.cluster, several) == 200
    found = latest_shop.cluster.request("GET", f"/{several}", params={"flat_settings": "true"})
    # what is set while an index is loaded is gone
    assert "index.translog.flush_threshold_size" not in found[several]["settings"]
    # and what keeps its segments from growing stays
    assert found[several]["settings"]["index.merge.policy.max_merged_segment"] == "500mb"
    assert count_segments(latest_shop.build(index={**small, "force_merge": True}).index) == 1


@pytest.mark.parametrize("space", ["euclidean", "manhattan"])
def test_other_spaces_keep_the_unit_vector(shop: Shop, space: str) -> None:
    shop.stock(films(60), views(COUNTS))
    report = shop.build(index={"space": space})
    name = report.index
    assert np.linalg.norm(shop.vector("f19")) == pytest.approx(1, abs=1e-5)
    found = Recommender(shop.cluster, shop.settings(index={"space": space})).related("f19", size=5)
    every = {h["_id"]: h["_source"] for hits in scan(shop.cluster, name) for h in hits}
    order = 2 if space == "euclidean" else 1
    origin = np.array(every["f19"]["vector"])
    expected = {
        item_id: document["importance"]
        / (1 + np.linalg.norm(origin - np.array(document["vector"]), ord=order))
        for item_id, document in every.items()
        if item_id != "f19"
    }
    best = sorted(expected, key=lambda i: -expected[i])[:5]
    assert found.ids == best


def test_views_are_added_by_weight(latest_shop: Shop) -> None:
    latest_shop.stock(films(60))
    text = {
        "item": "{{ title }}",
        "views": {"kind": "{{ kind }}"},
        "weights": {"item": 1.0, "kind": 2.0},
    }
    plain = {"whiten": False}
    latest_shop.build(text=text, encoder=plain)
    item = films(60)[7]
    encoder = Encoder(latest_shop.bundle)
    title, kind = encoder.encode_items([item["title"], item["kind"]])
    stored = item_vector(latest_shop.documents("f7")["f7"], encoder.bundle)
    mixed = title + 2 * kind
    np.testing.assert_allclose(stored, mixed / np.linalg.norm(mixed), atol=2e-3)
    assert latest_shop.documents("f7")["f7"]["text"] == item["title"]


def test_items_without_text_are_kept_without_a_vector(shop: Shop) -> None:
    silent = {"item_id": "silent", "kind": "war", "price": 3}
    shop.stock([*films(60), silent], views({"silent": 30}))
    report = shop.build()
    assert report.verification.documents == 61
    document = shop.documents("silent")["silent"]
    assert "vector" not in document
    assert document["tail"] is True
    assert document["importance"] == 2.0
    # nothing is known about the user, so the most important item comes first
    first = Recommender(shop.cluster, shop.settings()).recommend(size=1)
    assert first.ids == ["silent"]


def test_importance_by_an_expression(latest_shop: Shop) -> None:
    latest_shop.stock(films(60))
    latest_shop.build(importance={"kind": "expression", "expression": "60 - price"})
    stored = latest_shop.documents("f0", "f30", "f49")
    # prices run from 1 to 50
    assert stored["f0"]["importance"] == pytest.approx(2.0)
    assert stored["f49"]["importance"] == pytest.approx(0.5)
    assert stored["f30"]["importance"] == pytest.approx(0.5 + 1.5 * 19 / 49)


def test_an_index_as_catalogue(shop: Shop, index_name: str) -> None:
    cluster, name = shop.cluster, f"{index_name}-source"
    indices.create(cluster, name, {"aliases": write_aliases(name)})
    with BulkWriter(cluster, name) as writer:
        for item in films(60):
            writer.index(item["item_id"], {k: v for k, v in item.items() if k != "item_id"})
    indices.refresh(cluster, name)
    assert IndexSource(cluster, name).name == f"index {name}"
    catalogue = {"path": None, "index": name, "id": "_id"}
    report = shop.build(catalogue=catalogue)
    assert report.items == 60
    assert films(60)[59].items() <= shop.documents("f59")["f59"].items()
    indices.delete(cluster, name)


def test_ids_of_any_characters(shop: Shop) -> None:
    ids = ["a/b", "with space", "花样年华", "100%", 'quote"d', "..", "_under", "#?&=", "né\tü"]
    shop.stock([{**item, "item_id": i} for item, i in zip(films(len(ids)), ids, strict=True)])
    report = shop.build()
    assert report.items == len(ids)
    found = Recommender(shop.cluster, shop.settings(recommend={"tail_share": 0})).related(
        "花样年华", size=20
    )
    assert sorted([*found.ids, "花样年华"]) == sorted(ids)
    liked = Recommender(shop.cluster, shop.settings()).recommend(history=["a/b"], size=20)
    assert set(liked.ids) == set(ids) - {"a/b"}


def test_items_with_the_same_text(latest_shop: Shop) -> None:
    """The graph finds other ones of equal neighbours than the exact search: no fault of its."""
    same = [{**films(2)[i % 2], "item_id": f"f{i}"} for i in range(120)]
    latest_shop.stock(same)
    checked = latest_shop.build().verification
    assert (checked.recall, checked.user_recall) == (1.0, None)


def test_scroll_leaves_vectors_readable(shop: Shop) -> None:
    """docs/decisions/0001-derived-source.md: an index on 3.x must not derive its vectors."""
    shop.stock(films(300))
    name = shop.build().index
    before = shop.vector("f5")
    for source in (True, False):
        assert sum(len(hits) for hits in scan(shop.cluster, name, source=source, batch=50)) == 300
    copy = {"source": {"index": name}, "dest": {"index": f"{name}-copy"}}
    shop.cluster.request("POST", "/_reindex", copy, {"refresh": "true"})
    np.testing.assert_array_equal(shop.vector("f5"), before)
    assert Recommender(shop.cluster, shop.settings()).related("f5", size=5).ids
    copied = fetch(shop.cluster, f"{name}-copy", ["f5"], source=["vector"])["f5"]
    np.testing.assert_allclose(copied["_source"]["vector"], before, rtol=1e-6)
    indices.delete(shop.cluster, f"{name}-copy")


def test_a_dry_run_writes_nothing(latest_shop: Shop) -> None:
    latest_shop.stock(films(60), views(COUNTS))
    settings = latest_shop.settings()
    planned = plan(latest_shop.cluster, settings, latest_shop.inputs())
    assert (planned.items, planned.tail, planned.live) == (60, 41, None)
    assert latest_shop.names == []
    assert not latest_shop.cache.exists()
    assert not settings.encoder.store.exists()


def test_no_swap_leaves_the_alias(latest_shop: Shop) -> None:
    latest_shop.stock(films(60))
    first = latest_shop.build()
    second = latest_shop.build(swap=False)
    assert latest_shop.live == first.index
    assert (second.swapped, second.previous) == (False, first.index)
    assert latest_shop.names == [first.index, second.index]


def test_a_second_build_encodes_nothing_again(
    latest_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest_shop.stock(films(60))
    first = latest_shop.build()

    def refuse(*_: object) -> None:
        raise AssertionError("the model was run")

    with monkeypatch.context() as patched:
        patched.setattr("seealso.encoder.encoder.Encoder._run", refuse)
        second = latest_shop.build()
    assert (second.fingerprint, second.written) == (first.fingerprint, 60)
    assert second.index != first.index


def test_two_builds_of_one_alias_do_not_meet(latest_shop: Shop) -> None:
    latest_shop.stock(films(60))
    with (
        build_lock(latest_shop.cluster, latest_shop.alias),
        pytest.raises(ClusterError, match="another build or update is running"),
    ):
        latest_shop.build()
    assert latest_shop.names == []


def test_an_alias_that_is_an_index_is_left_alone(latest_shop: Shop) -> None:
    latest_shop.stock(films(60))
    cluster = latest_shop.cluster
    indices.create(cluster, latest_shop.alias, {})
    with pytest.raises(ClusterError, match="is an index, not an alias"):
        latest_shop.build()
    assert cluster.exists(f"/{latest_shop.alias}")
    assert latest_shop.names == []
    indices.delete(cluster, latest_shop.alias)


def test_names_sort_by_time() -> None:
    names = [indices.new_name("films") for _ in range(50)]
    assert all(earlier < later for earlier, later in pairwise(names))
    assert json.dumps(names[0]).startswith('"films-20')


def test_a_cluster_closes_its_connections(opensearch: NodeInfo) -> None:
    cluster = Cluster(opensearch.url)
    assert ".".join(map(str, cluster.version())) == opensearch.version
    cluster.close()
