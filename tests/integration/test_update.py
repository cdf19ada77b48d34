"""Changing a live index in place: items that changed or went, and importance without encoding."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from seealso.cli.main import main
from seealso.cluster import BulkWriter, indices
from seealso.cluster.node import NodeInfo
from seealso.encoder import Encoder
from seealso.errors import BundleError, ClusterError, DataError, MappingMismatch
from seealso.indexer.documents import item_direction, item_vector
from seealso.indexer.inputs import Inputs, inputs
from seealso.indexer.live import live_index
from seealso.indexer.refresh import RESCALE, refresh_importance
from seealso.indexer.update import MOST_DELETED, UpdateReport, plan_update, update
from seealso.indexer.verify import verify
from seealso.plugin import Recommender
from seealso.readers import FileSource, Problems, read_items
from seealso.types import Item
from tests.integration.catalogues import OpenShop, Shop, films, views
from tests.integration.complaints import Complain

COUNTS = {f"f{i}": i for i in range(1, 20)}


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Shop:
    """A shop of 80 films, 19 of them with events, built."""
    shop = open_shop(opensearch.url)
    shop.stock(films(80), views(COUNTS))
    shop.build()
    return shop


@pytest.fixture
def latest_shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Shop:
    """The same on the latest version."""
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(80), views(COUNTS))
    shop.build()
    return shop


def change(
    shop: Shop,
    *,
    delete: Iterable[str] = (),
    missing: bool = False,
    most: float = MOST_DELETED,
    on_error: Literal["skip", "stop"] = "stop",
) -> UpdateReport:
    settings = shop.settings()
    return update(
        shop.cluster,
        settings,
        inputs(settings, shop.cluster, Problems(on_error)),
        delete=list(delete),
        delete_missing=missing,
        most_deleted=most,
    )


def refuse(*_: object) -> None:
    raise AssertionError("the model was run")


def test_new_changed_and_deleted_items(shop: Shop) -> None:
    items = films(82)
    items[3] = {**items[3], "title": "Another title"}
    items[4] = {**items[4], "price": 99.0}
    shop.stock(items, views(COUNTS))
    before = shop.documents("f5")["f5"]
    planned = plan_update(shop.cluster, shop.settings(), shop.inputs(), delete=["f7", "absent"])
    assert (planned.written, planned.unchanged, planned.deleted) == (4, 77, 1)
    assert indices.count(shop.cluster, shop.alias) == 80
    report = change(shop, delete=["f7", "absent"])
    assert (report.written, report.unchanged, report.deleted) == (4, 77, 1)
    stored = shop.documents("f3", "f4", "f5", "f7", "f80", "f81")
    assert "f7" not in stored
    assert stored["f3"]["title"] == "Another title"
    assert stored["f4"]["price"] == 99.0
    assert stored["f5"] == before
    live = live_index(shop.cluster, shop.settings())
    encoder = Encoder(live.bundle)
    (expected,) = encoder.encode_items([stored["f3"]["text"]])
    assert item_vector(stored["f3"], live.bundle) @ expected > 0.999
    # 80 and 2 new ones, one deleted: and still what the index says of itself
    assert verify(shop.cluster, live.name, encoder, shop.settings()).documents == 81
    assert Recommender(shop.cluster, shop.settings()).related("f81", size=3).ids
    again = change(shop)
    assert (again.written, again.unchanged) == (1, 81)  # f7 comes back: the catalogue has it


def test_delete_what_the_catalogue_no_longer_has(latest_shop: Shop) -> None:
    """More than 5 % of the index only by a word of its own; and before anything is written."""
    latest_shop.stock([*films(70, start=10), *films(1, start=90)], views(COUNTS))
    with pytest.raises(DataError, match="10 of 80 items would be deleted, more than 5%") as refused:
        change(latest_shop, missing=True)
    assert "--yes" in (refused.value.hint or "")
    settings = latest_shop.settings()
    planned = plan_update(latest_shop.cluster, settings, latest_shop.inputs(), delete_missing=True)
    assert (planned.written, planned.deleted) == (1, 10)
    assert str(planned.refusal) == refused.value.message
    assert indices.count(latest_shop.cluster, latest_shop.alias) == 80
    report = change(latest_shop, missing=True, most=1.0)
    assert (report.written, report.unchanged, report.deleted) == (1, 70, 10)
    assert indices.count(latest_shop.cluster, latest_shop.alias) == 71
    # what is named, by somebody who looked, may be a few of a small index
    assert change(latest_shop, delete=[f"f{n}" for n in range(70, 80)]).deleted == 10
    with pytest.raises(DataError, match="11 of 61 items would be deleted"):
        change(latest_shop, delete=[f"f{n}" for n in range(20, 31)])


def test_what_is_named_to_be_deleted_is_never_written(latest_shop: Shop) -> None:
    """Still in the catalogue, changed there or new: the run deletes it, and says who brings it."""
    stock = [*films(82), {"item_id": "x1", "title": "Never to be seen"}]
    stock[3] = {**stock[3], "title": "Another title"}
    latest_shop.stock(stock, views(COUNTS))
    named = ["f3", "f4", "x1"]
    settings, inputs_ = latest_shop.settings(), latest_shop.inputs()
    planned = plan_update(latest_shop.cluster, settings, inputs_, delete=named)
    report = change(latest_shop, delete=named)
    assert report == planned
    assert (report.written, report.unchanged, report.deleted) == (2, 78, 2)
    assert latest_shop.documents("f3", "f4", "x1", "f80").keys() == {"f80"}
    assert report.notes[0] == (
        "3 of the 3 ids to delete are still in the catalogue, such as 'f3', 'f4', 'x1': the next "
        "build, or update without --delete, adds them again; remove them from it"
    )
    # the catalogue is what counts: nothing remembers who was deleted
    again = change(latest_shop)
    assert (again.written, again.notes) == (3, ())


def test_ids_to_delete_that_are_not_there_are_said(latest_shop: Shop) -> None:
    latest_shop.stock(films(70), views(COUNTS))
    report = change(latest_shop, delete=['"f71"', '"f72"', '"f73"', "f74", "gone"])
    assert (report.deleted, report.notes) == (
        1,
        (
            "4 of 5 lines of --delete name items that are not in the index, such as "
            "'\"f71\"', '\"f72\"', '\"f73\"'; the likely cause: an id differs by quotes or "
            "brackets around it ('\"f71\"' is there as 'f71')",
        ),
    )
    rows = change(latest_shop, delete=["f75,A film", "item_id,title"])
    assert rows.deleted == 0
    assert "'f75,A film' is there as 'f75'" in rows.notes[0]
    assert change(latest_shop, delete=["f75"]).notes == ()


def test_a_dry_run_ends_as_the_run_does(
    latest_shop: Shop, tmp_path: Path, complain: Complain, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the same line and exit code, whatever it foresees."""
    latest_shop.stock(films(70), views(COUNTS))
    run = ("index", "update", "--delete-missing")
    refused = complain(latest_shop, *run)
    with pytest.raises(SystemExit) as ended:
        main(latest_shop.arguments(*run, "--dry-run"))
    said = capsys.readouterr()
    assert ended.value.code == refused.code == 3
    assert f"error: {refused.error}" in said.err
    assert "would delete  10" in said.out
    empty = tmp_path / "gone.txt"
    empty.write_text("\n \n")
    main(latest_shop.arguments("index", "update", "--delete", str(empty), "--dry-run"))
    assert f"note: {empty}: names no ids" in capsys.readouterr().err


def test_rows_that_could_not_be_read_are_not_gone(latest_shop: Shop) -> None:
    """Which items they were nobody knows: what is missing may be among them."""
    latest_shop.stock(films(79), views(COUNTS))
    with latest_shop.catalogue.open("a") as catalogue:
        catalogue.write('{"item_id": "f79", "title": \n')
    with pytest.raises(
        DataError, match=r"lacks 1 of 80 items, and 1 of its rows could not be read"
    ):
        change(latest_shop, missing=True, on_error="skip", most=1.0)
    assert indices.count(latest_shop.cluster, latest_shop.alias) == 80
    # what is named is deleted all the same
    assert change(latest_shop, delete=["f79"], missing=True, on_error="skip").deleted == 1


def test_a_broken_value_or_a_row_too_many_is_no_item_less(latest_shop: Shop) -> None:
    stock = films(78)
    stock[7] = {**stock[7], "price": [9.99, 12.5]}
    latest_shop.stock([*stock, films(1)[0]], views(COUNTS))
    assert change(latest_shop, missing=True, on_error="skip").deleted == 2
    assert "f7" in latest_shop.documents("f7")


def test_update_keeps_to_what_the_index_was_built_with(latest_shop: Shop) -> None:
    latest_shop.stock(films(81), views({**COUNTS, "f80": 19}))
    other = latest_shop.settings(
        text={"item": "{{ kind }}"}, importance={"weights": {"view": 0.0}, "ceiling": 9.0}
    )
    report = update(latest_shop.cluster, other, latest_shop.inputs(other))
    assert report.written == 1
    document = latest_shop.documents("f80")["f80"]
    assert document["text"].startswith(document["title"])
    assert document["importance"] == pytest.approx(2.0)


def test_update_reads_everything_before_it_writes(latest_shop: Shop) -> None:
    """However many batches come before the broken row."""
    items = [{**item, "price": 7.0} for item in films(100)]
    latest_shop.stock([*items, {**items[0], "title": "again"}])
    settings = latest_shop.settings()

    def read() -> Iterator[list[Item]]:
        source = FileSource(latest_shop.catalogue, batch_rows=10)
        return read_items(source, settings.catalogue, Problems("stop"))

    with pytest.raises(DataError, match="line 101: item_id 'f0' already exists"):
        update(latest_shop.cluster, settings, Inputs(read, lambda: ()))
    assert indices.count(latest_shop.cluster, latest_shop.alias) == 80
    assert latest_shop.documents("f5")["f5"]["price"] == 6.0


def test_update_refuses_another_space(latest_shop: Shop) -> None:
    other = latest_shop.settings(index={"space": "euclidean"})
    with pytest.raises(MappingMismatch, match="was built for cosine, the settings say euclidean"):
        update(latest_shop.cluster, other, latest_shop.inputs(other))


def test_update_needs_an_index(opensearch_latest: NodeInfo, open_shop: OpenShop) -> None:
    empty = open_shop(opensearch_latest.url)
    empty.stock(films(5))
    with pytest.raises(ClusterError, match="no index was built yet"):
        change(empty)


def test_update_needs_the_bundle_of_the_index(latest_shop: Shop) -> None:
    elsewhere = latest_shop.settings(encoder={"store": str(latest_shop.folder / "other")})
    with pytest.raises(BundleError, match="no bundle with fingerprint"):
        update(latest_shop.cluster, elsewhere, latest_shop.inputs(elsewhere))


def test_importance_is_refreshed_without_encoding(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {f"f{i}": shop.vector(f"f{i}") for i in (0, 1, 19)}
    direction = {k: v / np.linalg.norm(v) for k, v in before.items()}
    # f0 is the favourite now, f19 has nothing left, f1 keeps the least
    shop.stock(films(80), views({"f0": 40, "f1": 1}))
    monkeypatch.setattr("seealso.encoder.encoder.Encoder._run", refuse)
    settings = shop.settings()
    counted = refresh_importance(shop.cluster, settings, shop.inputs(), write=False)
    np.testing.assert_array_equal(shop.vector("f0"), before["f0"])
    report = refresh_importance(shop.cluster, settings, shop.inputs())
    assert counted.changed == report.changed == 20
    assert report.unchanged == 60
    expected = {"f0": 2.0, "f1": 0.5 + 1.5 * np.log(2) / np.log(41), "f19": 1.0}
    stored = shop.documents("f0", "f1", "f19")
    for item_id, weight in expected.items():
        document = stored[item_id]
        assert document["importance"] == pytest.approx(weight)
        np.testing.assert_allclose(document["vector"], weight * direction[item_id], atol=1e-5)
    assert [stored[i]["interactions"] for i in ("f0", "f1", "f19")] == [40, 1, 0]
    assert [stored[i]["tail"] for i in ("f0", "f1", "f19")] == [False, False, True]
    second = refresh_importance(shop.cluster, settings, shop.inputs())
    assert (second.changed, second.unchanged) == (0, 80)
    meta = indices.meta(shop.cluster, str(shop.live))
    assert meta["importance"]["reference"] == 40


def test_rescaling_twice_does_no_harm(shop: Shop) -> None:
    """A request that was lost on the way back is sent again."""
    before = shop.vector("f9")
    params = {"importance": 1.25, "interactions": 3, "tail": False, "weigh": True}
    for _ in range(3):
        with BulkWriter(shop.cluster, str(shop.live)) as writer:
            script = {"lang": "painless", "source": RESCALE, "params": params}
            writer.update("f9", {"script": script})
    expected = 1.25 * before / np.linalg.norm(before)
    np.testing.assert_allclose(shop.vector("f9"), expected, atol=1e-5)


def test_importance_needs_no_bundle(latest_shop: Shop) -> None:
    """It encodes nothing, so that a machine without the bundle can do it."""
    latest_shop.stock(films(80), views({**COUNTS, "f30": 40}))
    settings = latest_shop.settings(encoder={"store": latest_shop.folder / "elsewhere"})
    with pytest.raises(BundleError, match="no bundle with fingerprint"):
        update(latest_shop.cluster, settings, latest_shop.inputs(settings))
    report = refresh_importance(latest_shop.cluster, settings, latest_shop.inputs(settings))
    assert report.changed > 0
    assert latest_shop.documents("f30")["f30"]["importance"] == pytest.approx(2.0)


def test_refreshed_importance_counts_in_both_paths(shop: Shop) -> None:
    shop.stock(films(80), views({"f33": 50}))
    refresh_importance(shop.cluster, shop.settings(), shop.inputs())
    recommender = Recommender(shop.cluster, shop.settings())
    lists = [recommender.related("f34", size=10, path=path) for path in ("exact", "ann")]
    for found in lists:
        for item in found:
            cosine = item_direction(shop.documents("f34")["f34"]) @ item_direction(
                shop.documents(item.item_id)[item.item_id]
            )
            assert item.raw == pytest.approx(item.importance * cosine, abs=1e-3)
    assert lists[0].ids == lists[1].ids


def test_importance_of_other_spaces_leaves_the_vector(
    opensearch_latest: NodeInfo, open_shop: OpenShop
) -> None:
    shop = open_shop(opensearch_latest.url, index={"space": "euclidean"})
    shop.stock([*films(60), {"item_id": "silent"}], views(COUNTS))
    shop.build()
    before = shop.vector("f0")
    shop.stock([*films(60), {"item_id": "silent"}], views({"f0": 9, "silent": 9}))
    refresh_importance(shop.cluster, shop.settings(), shop.inputs())
    stored = shop.documents("f0", "silent")
    assert stored["f0"]["importance"] == stored["silent"]["importance"] == 2.0
    assert stored["silent"]["tail"] is True
    np.testing.assert_allclose(stored["f0"]["vector"], before, atol=1e-6)


def test_an_expression_is_refreshed_from_stored_numbers(latest_shop: Shop) -> None:
    settings = latest_shop.settings(importance={"kind": "expression", "expression": "price"})
    report = refresh_importance(latest_shop.cluster, settings, latest_shop.inputs())
    # before, those without events had 1, which no price gives
    assert (report.changed, report.unchanged) == (80, 0)
    stored = latest_shop.documents("f0", "f49")
    assert (stored["f0"]["importance"], stored["f49"]["importance"]) == (0.5, 2.0)
    latest_shop.stock([*films(80), {**films(1)[0], "item_id": "new", "price": 25.5}])
    assert change(latest_shop).written == 1
    assert latest_shop.documents("new")["new"]["importance"] == pytest.approx(1.25)
