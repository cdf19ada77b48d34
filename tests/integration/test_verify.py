"""What verification finds in a loaded index, and that the alias never moves to what it refused."""

import json
from collections.abc import Iterator

import pytest

from seealso.cli.main import main
from seealso.cluster import BulkWriter, indices
from seealso.cluster.node import NodeInfo
from seealso.encoder import BundleStore, Encoder
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.recall import ask_for_users, measure_recall, without_exclusions
from seealso.indexer.verify import verify, verify_again
from seealso.plugin import Recommender
from seealso.types import Path
from tests.integration.catalogues import OpenShop, Record, Shop, films

WHOLE = {"index": {"verify_sample": 60}}
"""Look at every document of a small catalogue."""


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Shop:
    return open_shop(opensearch.url)


@pytest.fixture
def latest_shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Shop:
    return open_shop(opensearch_latest.url)


def chosen_in_turn(films: int) -> Iterator[Record]:
    """Return events of 300 users, each of whom chose one film."""
    return ({"user_id": f"u{n}", "item_id": f"f{n % films}"} for n in range(300))


def spoilt(shop: Shop, name: str, item_id: str) -> None:
    """Exchange the vector of one document for another."""
    cluster = shop.cluster
    first, second = (shop.documents(i)[i] for i in (item_id, "f1"))
    with BulkWriter(cluster, name) as writer:
        writer.index(item_id, {**first, "vector": second["vector"]})
    indices.refresh(cluster, name)


def test_verify_finds_a_wrong_vector(shop: Shop) -> None:
    shop.stock(films(60))
    report = shop.build()
    settings = shop.settings(**WHOLE)
    encoder = Encoder(BundleStore(settings.encoder.store).by_fingerprint(report.fingerprint))
    assert verify(shop.cluster, report.index, encoder, settings).sample == 60
    spoilt(shop, report.index, "f20")
    with pytest.raises(MappingMismatch, match="'f20' encoded again gives another vector"):
        verify(shop.cluster, report.index, encoder, settings)


def test_a_graph_that_misses_much_is_asked_more_thoroughly(
    latest_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # two links a film, and the one that is nearest of few: one is reached from few others
    poor = {"m": 2, "ef_construction": 8, "verify_sample": 8}
    latest_shop.stock(films(2000))
    monkeypatch.setattr("seealso.indexer.verify.EF_SEARCHES", (10, 2000))
    built = latest_shop.build(index=poor)
    checked = built.verification
    assert checked.ef_search == 2000
    assert checked.recall is not None
    assert checked.recall > 0.9
    meta = indices.meta(latest_shop.cluster, built.index)
    assert (meta["ef_search"], meta["graph_recall"]) == (2000, checked.recall)
    assert (meta["item_ef_search"], meta["item_recall"]) == (2000, checked.recall)
    # one who asks less thoroughly finds less, and is told
    less = latest_shop.settings(index=poor, recommend={"ef_search": 10})
    again = verify_again(latest_shop.cluster, built.index, less)
    assert again.recall is not None
    assert again.recall < checked.recall
    for ef_search, few in ((10, True), (2000, False)):
        asking = latest_shop.settings(recommend={"path": "ann", "ef_search": ef_search})
        note = Recommender(latest_shop.cluster, asking).recommend(history=["f1"]).note
        assert ("fewer candidates than it needs (ef_search 2000)" in note) == few
    # without a wish, what the build found is what is checked again
    same = verify_again(latest_shop.cluster, built.index, latest_shop.settings(index=poor))
    assert (same.ef_search, same.recall) == (2000, checked.recall)
    assert same.summary.endswith(f"graph recall {checked.recall:.2f} (ef_search 2000)")


def test_the_graph_is_asked_without_the_items_that_were_seen_and_with_them(
    latest_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a filter OpenSearch 3 may find all, and without it nothing; many have one text."""
    gift = {"title": "Gift card", "description": "A gift card"}
    same = [{**one, **gift, "item_id": f"g{n}"} for n, one in enumerate(films(2000))]
    chosen = [
        {"user_id": f"u{user}", "item_id": f"f{(7 * user + 13 * turn) % 500}"}
        for user in range(300)
        for turn in range(10)
    ]
    latest_shop.stock([*films(500), *same], chosen)
    monkeypatch.setattr("seealso.indexer.verify.EF_SEARCHES", (200,))
    built = latest_shop.build()
    settings = latest_shop.settings(recommend={"exact_limit": 10})
    bundle = BundleStore(settings.encoder.store).by_fingerprint(built.fingerprint)
    events = latest_shop.inputs().events
    seen = ask_for_users(latest_shop.cluster, built.index, bundle, events, settings)
    within, without, both = (
        measure_recall(latest_shop.cluster, built.index, kinds, (200,), rounded=False).share or 0
        for kinds in ([seen], [without_exclusions(seen)], [seen, without_exclusions(seen)])
    )
    # how much is chance: a graph that is made by several threads is another one each time
    assert both == min(within, without)
    assert built.verification.user_recall == both


def test_related_items_are_asked_for_as_thoroughly_as_they_need(latest_shop: Shop) -> None:
    latest_shop.stock(films(60), chosen_in_turn(60))
    built = latest_shop.build()
    assert built.verification.user_recall == built.verification.recall == 1.0
    large = latest_shop.settings(recommend={"exact_limit": 10})
    ways = [({}, Path.ANN), ({"item_recall": 0.5}, Path.EXACT)]
    for told, path in ways:
        indices.put_meta(latest_shop.cluster, built.index, told)
        recommender = Recommender(latest_shop.cluster, large)
        assert recommender.related("f1").path is path
        assert recommender.recommend(words="a film of the sea").path is path
        assert recommender.recommend(history=["f1"]).path is Path.ANN
    # who takes the graph all the same is told, and who asks it less thoroughly than needed
    indices.put_meta(latest_shop.cluster, built.index, {"item_recall": 0.99, "item_ef_search": 800})
    few = latest_shop.settings(recommend={"exact_limit": 10, "ef_search": 200})
    asking = Recommender(latest_shop.cluster, few)
    for found in (asking.related("f1"), asking.recommend(words="a film of the sea")):
        assert found.note.endswith("fewer candidates than it needs (ef_search 800)")
    assert "candidates" not in asking.recommend(history=["f1"]).note


def test_the_graph_is_asked_for_users_who_know_items_of_the_index(
    latest_shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    known = [(f"u{n}", f"f{n % 60}") for n in range(1, 600, 2)]
    others = [(f"u{n}", f"x{n}") for n in range(0, 600, 2)]
    events = sorted(known + others, key=lambda one: int(one[0][1:]))
    latest_shop.stock(films(60), ({"user_id": u, "item_id": i} for u, i in events))
    built = latest_shop.build()
    assert built.verification.user_recall == 1.0
    assert indices.meta(latest_shop.cluster, built.index)["graph_recall"] == 1.0
    # what stands in the index can be checked without the events
    settings = latest_shop.settings(**WHOLE)
    latest_shop.events.unlink()
    checked = verify_again(latest_shop.cluster, built.index, settings)
    assert (checked.sample, checked.user_recall) == (60, None)
    assert "note: the graph is asked for no user: " in capsys.readouterr().err


def test_verify_finds_a_lost_document_and_another_bundle(latest_shop: Shop) -> None:
    latest_shop.stock(films(60))
    report = latest_shop.build()
    settings = latest_shop.settings()
    encoder = Encoder(BundleStore(settings.encoder.store).by_fingerprint(report.fingerprint))
    with BulkWriter(latest_shop.cluster, report.index) as writer:
        writer.delete("f3")
    indices.refresh(latest_shop.cluster, report.index)
    with pytest.raises(MappingMismatch, match="holds 59 documents, the catalogue has 60 items"):
        verify(latest_shop.cluster, report.index, encoder, settings)
    with pytest.raises(MappingMismatch, match=f"built with bundle {report.fingerprint}, not"):
        verify(latest_shop.cluster, report.index, Encoder(latest_shop.bundle), settings)


def test_an_index_is_verified_before_anything_is_live(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.stock(films(60))
    report = shop.build(swap=False)
    assert shop.live is None
    again = verify_again(shop.cluster, report.index, shop.settings())
    assert (again.documents, again.sample) == (60, report.verification.sample)
    assert again.least_cosine == pytest.approx(report.verification.least_cosine, abs=1e-5)
    main(shop.arguments("--json", "index", "verify", report.index))
    assert json.loads(capsys.readouterr().out)["documents"] == 60


def test_an_index_is_verified_with_its_own_bundle(latest_shop: Shop) -> None:
    """Not with that of the live index."""
    latest_shop.stock(films(60))
    live = latest_shop.build()
    other = latest_shop.build(swap=False, text={"item": "{{ description }}"})
    assert other.fingerprint != live.fingerprint
    settings = latest_shop.settings()
    for report in (live, other):
        assert verify_again(latest_shop.cluster, report.index, settings).documents == 60
    spoilt(latest_shop, other.index, "f20")
    with pytest.raises(MappingMismatch, match="'f20' encoded again gives another vector"):
        verify_again(latest_shop.cluster, other.index, latest_shop.settings(**WHOLE))


def test_what_cannot_be_verified_is_named(latest_shop: Shop) -> None:
    latest_shop.stock(films(30))
    cluster, settings = latest_shop.cluster, latest_shop.settings()
    name = latest_shop.build().index
    for wrong in (latest_shop.alias, f"{latest_shop.alias}-*"):
        with pytest.raises(ClusterError, match="is not the name of an index"):
            verify_again(cluster, wrong, settings)
    with pytest.raises(ClusterError, match="no such index"):
        verify_again(cluster, f"{latest_shop.alias}-none", settings)
    indices.put_meta(cluster, name, {"state": "building"})
    with pytest.raises(MappingMismatch, match=f"{name}: is building, not ready"):
        verify_again(cluster, name, settings)


def test_a_build_that_fails_its_verification_serves_nobody(
    latest_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest_shop.stock(films(60))
    first = latest_shop.build().index
    with monkeypatch.context() as strict:
        strict.setattr("seealso.indexer.verify.LEAST_COSINE", 1.1)
        with pytest.raises(MappingMismatch, match="encoded again gives another vector"):
            latest_shop.build()
    assert latest_shop.live == first
    rejected = indices.list_indices(latest_shop.cluster, latest_shop.alias)[-1]
    assert rejected.state == "rejected"
    # the next one does not go on with it, which would find it complete and fail again
    third = latest_shop.build()
    assert third.resumed is False
    assert latest_shop.names == [first, third.index]
