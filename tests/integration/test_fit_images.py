"""Images beside texts, end to end: what each club reads shows in the looks, and in no text."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
import pytest

from seealso.cli.main import main
from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.encoder import BundleStore
from seealso.errors import BundleError, DataError
from seealso.fitting.fit import fit
from seealso.fitting.fit_report import FitReport
from seealso.indexer.update import plan_update, update
from seealso.indexer.verify import verify_again
from seealso.plugin import Recommender
from seealso.types import Vector
from tests.integration.catalogues import OpenShop, Shop, films
from tests.integration.test_fit import CLUBS, FILMS, choices, club
from tests.pictures import write_encoder, write_picture

WIDTH = 12
PICTURED = [f"f{n}" for n in range(FILMS) if n != 7]
"""All but one have an image."""


def look(item_id: str, of: int | None = None) -> list[float]:
    """An image vector that shows the club, and little else."""
    noise = np.random.default_rng(int(item_id[1:])).normal(size=WIDTH)
    shown = np.zeros(WIDTH)
    shown[club(item_id) if of is None else of] = 4.0
    return [float(one) for one in shown + 0.3 * noise]


def paint(shop: Shop, looks: Iterable[tuple[str, list[float]]]) -> None:
    ids, vectors = zip(*looks, strict=True)
    pl.DataFrame({"item_id": ids, "vector": vectors}).write_parquet(shop.folder / "images.parquet")


def stocked(open_shop: OpenShop, node: NodeInfo, **sections: dict[str, Any]) -> Shop:
    made = open_shop(
        node.url,
        events={"time": "second"},
        fit={"name": "fitted", "factors": 8},
        recommend={"tail_share": 0.0},
        **sections,
    )
    path = str(made.folder / "images.parquet")
    made.sections["images"] = {"path": path, "dimension": 8}
    made.stock(films(FILMS), choices())
    paint(made, [*((one, look(one)) for one in PICTURED), ("f999", look("f999"))])
    return made


def fitted(shop: Shop) -> FitReport:
    source = shop.inputs()
    return fit(shop.settings(), source.items, source.events, source.images())


FITTED = {"encoder": {"bundle": "fitted"}}


def test_looks_decide_where_texts_say_nothing(open_shop: OpenShop, opensearch: NodeInfo) -> None:
    shop = stocked(open_shop, opensearch)
    report = fitted(shop)
    assert report.images["weight"] > 0
    assert report.images["items"] == FILMS - 1
    assert report.images["unmatched"] == 1
    assert list(report.fitted.dev)[:2] == ["text alone", "text and images"]
    assert report.fitted.dev["text and images"] > 2 * report.fitted.dev["text alone"]
    built = shop.build(**FITTED)
    assert (built.with_image, built.unmatched_images) == (FILMS - 1, 1)
    assert built.verification.least_cosine > 0.999
    meta = indices.meta(shop.cluster, built.index)
    assert meta["images"] == {"weight": report.images["weight"], "dimension": 8}
    recommender = Recommender(shop.cluster, shop.settings(), None)
    # f58 and f59 were never chosen: by their looks they belong to clubs 1 and 2
    for item_id in ("f58", "f59"):
        near = [club(one.item_id) for one in recommender.related(item_id)]
        assert near[:5] == [club(item_id)] * 5
    found = {
        path: [one.item_id for one in recommender.recommend(history=["f1", "f4"], path=path)]
        for path in ("exact", "reference", "ann")
    }
    assert [club(one) for one in found["exact"]].count(1) >= 7
    assert found["exact"] == found["reference"]
    assert set(found["ann"]) == set(found["exact"])
    # words alone meet the texts, whatever items look like
    by_words = recommender.recommend(words="A thriller of two sisters in a castle")
    assert len(by_words) == 10


def test_stored_vectors_are_those_of_the_formula(
    open_shop: OpenShop, opensearch_latest: NodeInfo
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    fitted(shop)
    built = shop.build(**FITTED)
    bundle = BundleStore(shop.settings().encoder.store).by_fingerprint(built.fingerprint)
    part, images = bundle.collaborative, bundle.images
    assert part is not None
    assert images is not None
    assert bundle.dimension == bundle.text_dimension + 8 + 8 + 2
    stored = bundle.restore(shop.vector("f3"))
    content = part.layout.contents_of(stored[None])[0]
    raw = np.array(look("f3"), dtype=np.float32)
    seen = (raw / np.linalg.norm(raw) - images.projection.mean) @ images.projection.matrix
    g = images.weight
    np.testing.assert_allclose(np.linalg.norm(content), 1.0, atol=1e-3)
    np.testing.assert_allclose(
        content[-8:], g / np.hypot(1, g) * seen / np.linalg.norm(seen), atol=1e-3
    )
    without = bundle.restore(shop.vector("f7"))
    assert not part.layout.contents_of(without[None])[0, -8:].any()


def test_an_item_whose_image_changed_is_written_again(
    open_shop: OpenShop, opensearch_latest: NodeInfo
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    fitted(shop)
    built = shop.build(**FITTED)
    settings, before = shop.settings(), shop.vector("f58")
    assert update(shop.cluster, settings, shop.inputs()).written == 0
    changed = {"f58": look("f58", of=0)}
    paint(shop, ((one, changed.get(one, look(one))) for one in PICTURED))
    assert plan_update(shop.cluster, settings, shop.inputs()).written == 1
    with pytest.raises(Exception, match="'f58' encoded again gives another vector"):
        verify_again(shop.cluster, built.index, shop.settings(index={"verify_sample": 60}))
    assert update(shop.cluster, settings, shop.inputs()).written == 1
    assert not np.allclose(shop.vector("f58"), before, atol=1e-2)
    checked = verify_again(shop.cluster, built.index, shop.settings(index={"verify_sample": 60}))
    assert checked.sample == FILMS
    near = Recommender(shop.cluster, settings, None).related("f58")
    assert [club(one.item_id) for one in near][:3] == [0, 0, 0]


def test_without_its_images_such_a_bundle_is_refused(
    open_shop: OpenShop, opensearch_latest: NodeInfo
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    fitted(shop)
    built = shop.build(**FITTED)
    named = shop.sections.pop("images")
    for attempt in (
        lambda: shop.build(**FITTED),
        lambda: update(shop.cluster, shop.settings(), shop.inputs()),
        lambda: plan_update(shop.cluster, shop.settings(), shop.inputs()),
        lambda: verify_again(shop.cluster, built.index, shop.settings()),
    ):
        with pytest.raises(BundleError, match="was fitted with images, and the settings name none"):
            attempt()
    shop.sections["images"] = named
    paint(shop, ((one, look(one)[:5]) for one in PICTURED))
    with pytest.raises(BundleError, match=r"image vectors of 12 numbers.* have 5"):
        shop.build(**FITTED)
    assert shop.names == [built.index]


def test_a_broken_image_vector_changes_nothing(
    open_shop: OpenShop, opensearch_latest: NodeInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    fitted(shop)
    looks: dict[str, Any] = {one: look(one) for one in PICTURED}
    paint(shop, (looks | {"f5": [*look("f5")[1:], float("nan")]}).items())
    with pytest.raises(DataError) as caught:
        shop.build(**FITTED)
    told = "images.parquet row 6: vector holds numbers that are not finite"
    assert caught.value.message == told
    assert shop.names == []
    main([*shop.arguments("index", "build", "--on-error", "skip", **FITTED), "--json"])
    printed = capsys.readouterr()
    assert json.loads(printed.out)["with_image"] == FILMS - 2
    assert "images.parquet: 1" in printed.err


def test_images_of_strangers_alone_cannot_be_fitted(
    open_shop: OpenShop, opensearch_latest: NodeInfo
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    paint(shop, ((f"x{n}", look(f"f{n}")) for n in range(5)))
    with pytest.raises(DataError, match="images: 0 of 60 items have one"):
        fitted(shop)


def test_comparisons_and_protocols_see_the_images(
    open_shop: OpenShop,
    opensearch_latest: NodeInfo,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    monkeypatch.chdir(shop.folder)
    main([*shop.arguments("fit"), "--json"])
    assert json.loads(capsys.readouterr().out)["images"]["weight"] > 0
    main([*shop.arguments("model", "compare", str(shop.bundle.folder), "fitted"), "--json"])
    (whole, *_) = json.loads(capsys.readouterr().out)["segments"]
    assert whole["after"]["ndcg@10"] > 2 * whole["before"]["ndcg@10"]
    arguments = shop.arguments("evaluate", "--protocol", "cold", "--no-baselines", **FITTED)
    main([*arguments, "--json"])
    cold, among = json.loads(capsys.readouterr().out)["protocols"]
    (score,) = (
        one for one in among["scores"] if (one["system"], one["part"]) == ("seealso", "all")
    )
    # by chance an item of the own club comes first in one list of CLUBS
    assert score["metrics"]["hr@10"]["mean"] > 1 / CLUBS
    assert cold["cold_items"] > 0


def test_the_looks_of_all_items_differ() -> None:
    rows: Vector = np.array([look(one) for one in PICTURED], dtype=np.float32)
    assert len(np.unique(rows, axis=0)) == len(PICTURED)


COLOURS = ((230, 40, 40), (40, 230, 40), (40, 40, 230))
"""Of the posters of each club."""


def posters(shop: Shop) -> None:
    """Hang a poster for every film but f7, and let the settings name them and an encoder."""
    folder = shop.folder / "posters"
    for item_id in PICTURED:
        n = int(item_id[1:])
        write_picture(
            folder / f"{item_id}.{('png', 'jpg')[n % 2]}", COLOURS[club(item_id)], (40 + n, 60)
        )
    encoder = write_encoder(shop.folder / "clip")
    shop.sections["images"] = {"folder": str(folder), "bundle": str(encoder), "dimension": 8}


def test_pictures_are_encoded_and_decide(
    open_shop: OpenShop, opensearch_latest: NodeInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    posters(shop)
    main([*shop.arguments("fit"), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["images"]["weight"] > 0
    assert report["dev"]["text and images"] > 2 * report["dev"]["text alone"]
    main([*shop.arguments("index", "build", **FITTED), "--json"])
    built = json.loads(capsys.readouterr().out)
    assert (built["with_image"], built["unmatched_images"]) == (FILMS - 1, 0)
    recommender = Recommender(shop.cluster, shop.settings(), None)
    for item_id in ("f58", "f59"):
        near = [club(one.item_id) for one in recommender.related(item_id)]
        assert near[:5] == [club(item_id)] * 5
    # another poster: that item alone is written again
    write_picture(shop.folder / "posters" / "f58.png", COLOURS[2], (50, 50))
    done = update(shop.cluster, shop.settings(), shop.inputs())
    assert (done.written, done.unchanged) == (1, FILMS - 1)
    # a poster that cannot be read changes nothing
    (shop.folder / "posters" / "f3.jpg").write_bytes(b"\xff\xd8\xff and no picture")
    with pytest.raises(DataError, match=r"f3.jpg is not a JPEG or PNG that can be read"):
        update(shop.cluster, shop.settings(), shop.inputs())
    # neither does another encoder
    write_encoder(shop.folder / "clip", mean=[0.4, 0.5, 0.5])
    write_picture(shop.folder / "posters" / "f3.jpg", COLOURS[0], (50, 50))
    with pytest.raises(BundleError, match="was fitted with another image encoder"):
        update(shop.cluster, shop.settings(), shop.inputs())
