"""Texts and looks in one unit vector: formulas, files that hold vectors, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.config import ImagesSettings, Settings, TextSettings
from seealso.datasets.questions import Question
from seealso.encoder import (
    Bundle,
    BundleStore,
    Collaborative,
    Encoder,
    Images,
    ImageVectors,
    Projection,
    bind,
)
from seealso.encoder.description import DESCRIPTION, IMAGES
from seealso.encoder.inspection import inspect
from seealso.encoder.projection import unit_rows
from seealso.errors import BundleError, ConfigError, DataError, Unavailable
from seealso.fitting.images import choose_image_weight
from seealso.plugin.doctor import examine
from seealso.readers import Problems, read_image_vectors
from seealso.types import ImageRows, Vector

D, W, M = 6, 9, 4


def drawn(*shape: int, seed: int) -> Vector:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def images(weight: float = 0.8, width: int = W, dimension: int = M, reader: str = "") -> Images:
    mean, matrix = 0.1 * drawn(width, seed=1), drawn(width, dimension, seed=2)
    return Images(Projection(mean, matrix), weight, reader)


TEXTS = unit_rows(drawn(5, D, seed=3))
RAW = drawn(5, W, seed=4)


@given(st.floats(0.01, 10))
@settings(max_examples=25, deadline=None)
def test_content_is_text_and_weighed_look_of_unit_length(weight: float) -> None:
    one = images(weight)
    found = one.join(TEXTS, RAW)
    raw = RAW / np.linalg.norm(RAW, axis=1, keepdims=True)
    looks = (raw - one.projection.mean) @ one.projection.matrix
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    wanted = np.hstack([TEXTS, weight * looks]) / np.sqrt(1 + weight**2)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)


def test_an_item_without_image_is_its_text_and_one_without_text_its_look() -> None:
    one = images()
    texts, raw = TEXTS[:3].copy(), RAW[:3].copy()
    raw[0] = 0.0
    texts[1] = 0.0
    texts[2], raw[2] = 0.0, 0.0
    found = one.join(texts, raw)
    np.testing.assert_allclose(found[0], np.hstack([TEXTS[0], np.zeros(M)]), atol=1e-6)
    assert not found[1, :D].any()
    assert np.linalg.norm(found[1]) == pytest.approx(1.0, abs=1e-5)
    assert not found[2].any()


def test_words_meet_the_texts_of_items_alone() -> None:
    one = images()
    words = one.words(TEXTS[:1])
    assert words.shape == (1, D + M)
    cosines = one.join(TEXTS, RAW) @ words[0]
    np.testing.assert_allclose(cosines, TEXTS @ TEXTS[0] / np.hypot(1, 0.8), atol=1e-5)


def vectors(ids: list[str], width: int = W, reader: str = "") -> ImageVectors:
    batches = [
        ImageRows([one], drawn(1, width, seed=n), [f"digest{n}"]) for n, one in enumerate(ids)
    ]
    return ImageVectors.of(batches, reader)


def test_vectors_are_kept_by_item() -> None:
    kept = vectors(["a", "b", "c"])
    assert (len(kept), kept.width, "b" in kept, "x" in kept) == (3, W, True, False)
    found = kept.vectors(["c", "x", "a"])
    np.testing.assert_array_equal(found[0], drawn(1, W, seed=2)[0])
    assert not found[1].any()
    np.testing.assert_array_equal(found[2], drawn(1, W, seed=0)[0])
    assert (kept.digest("b"), kept.digest("x")) == ("digest1", "")
    with pytest.raises(DataError, match="no images"):
        ImageVectors.of([])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "the settings name none"),
        (vectors(["a"], width=3), "image vectors of 9 numbers.* have 3"),
        (vectors(["a"], reader="other"), "another image encoder"),
    ],
)
def test_images_of_another_kind_are_refused(given: ImageVectors | None, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        images().checked(given, "fitted")


@pytest.fixture
def pictured(tiny: Bundle, tmp_path: Path) -> Bundle:
    store = BundleStore(tmp_path / "store")
    return bind(tiny, text=TextSettings(), projection=None, images=images(), store=store)


def test_a_bundle_carries_the_part(pictured: Bundle, tiny: Bundle) -> None:
    loaded = Bundle.load(pictured.folder)
    assert loaded.images is not None
    assert loaded.images.content() == images().content()
    assert (loaded.fingerprint, loaded.dimension) == (pictured.fingerprint, 128 + M)
    assert (loaded.content_dimension, loaded.text_dimension) == (128 + M, 128)
    assert loaded.fingerprint != tiny.fingerprint
    encoder = Encoder(loaded)
    texts = encoder.encode_items(["Heat"])
    np.testing.assert_array_equal(encoder.encode_users(["Heat"])[:, :128], texts)
    assert encoder.encode_users(["Heat"]).shape == (1, 128 + M)
    kept = vectors(["a"])
    np.testing.assert_array_equal(
        loaded.item_vectors(["a"], texts, kept), images().join(texts, kept.vectors(["a"]))
    )
    assert inspect(loaded.folder).fingerprint == loaded.fingerprint


def behaviour(contents: int) -> Collaborative:
    """Some factors over contents of that length."""
    factors, predictor = drawn(3, 5, seed=7), drawn(contents, 5, seed=8)
    return Collaborative(("a", "b", "c"), factors, np.eye(5), predictor, 1.5, 40, 0.6, 0.7)


def test_a_bundle_with_images_and_behaviour_is_taken_in(tiny: Bundle, tmp_path: Path) -> None:
    store, part = BundleStore(tmp_path), behaviour(128 + M)
    fitted = bind(
        tiny,
        text=TextSettings(),
        projection=None,
        collaborative=part,
        images=images(),
        store=store,
    )
    found = inspect(fitted.folder)
    assert (found.dimension, found.content_dimension) == (128 + M + 5 + 2, 128 + M)
    kept, texts = vectors(["a", "x"]), Encoder(found).encode_items(["Heat", "Up"])
    contents = images().join(texts, kept.vectors(["a", "x"]))
    joined = found.item_vectors(["a", "x"], texts, kept)
    np.testing.assert_array_equal(joined, part.join(["a", "x"], contents))
    np.testing.assert_allclose(found.content_vectors(joined), contents, atol=1e-5)
    with pytest.raises(BundleError, match="over 128 dimensions does not fit"):
        bind(
            tiny,
            text=TextSettings(),
            projection=None,
            collaborative=behaviour(128),
            images=images(),
            store=store,
        )


def test_another_weight_projection_or_encoder_is_another_bundle(
    tiny: Bundle, tmp_path: Path
) -> None:
    store = BundleStore(tmp_path)
    parts = [images(), images(weight=0.9), images(dimension=3), images(reader="x"), None]
    made = {
        bind(tiny, text=TextSettings(), projection=None, images=one, store=store).fingerprint
        for one in parts
    }
    assert len(made) == len(parts)


def test_a_changed_part_is_found_out(pictured: Bundle) -> None:
    np.savez(pictured.folder / IMAGES, **images(weight=2.0).arrays())
    with pytest.raises(BundleError, match="not the file that this bundle was made with"):
        Bundle.load(pictured.folder)


def reseal(bundle: Bundle) -> None:
    """Write the new checksum, as one who tampers would."""
    from seealso.encoder.description import sha256

    told = json.loads((bundle.folder / DESCRIPTION).read_text())
    told["files"][IMAGES] = sha256(bundle.folder / IMAGES)
    (bundle.folder / DESCRIPTION).write_text(json.dumps(told))


def test_a_part_with_other_numbers_is_refused_whatever_its_checksum(pictured: Bundle) -> None:
    np.savez(pictured.folder / IMAGES, **images(weight=2.0).arrays())
    reseal(pictured)
    with pytest.raises(BundleError, match="changed after it was written"):
        Bundle.load(pictured.folder)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"mean": np.zeros(W)}, "holds other arrays"),
        (
            {
                "mean": np.zeros(W),
                "matrix": np.zeros((W, M)),
                "weight": np.array([{}], dtype=object),
                "reader": np.zeros(0, np.uint8),
            },
            "not the part for images",
        ),
    ],
)
def test_a_foreign_part_is_looked_at(
    pictured: Bundle, arrays: dict[str, Any], message: str
) -> None:
    np.savez(pictured.folder / IMAGES, **arrays)
    reseal(pictured)
    with pytest.raises(BundleError, match=message):
        inspect(pictured.folder)


# files of vectors


def read(file: Path, on_error: Any = "stop", **named: Any) -> tuple[list[ImageRows], Problems]:
    problems = Problems(on_error)
    return list(read_image_vectors(ImagesSettings(path=file, **named), problems)), problems


def parquet(folder: Path, ids: list[Any], rows: list[Any]) -> Path:
    file = folder / "images.parquet"
    frame = pl.DataFrame({"item_id": ids, "vector": pl.Series(rows, dtype=pl.List(pl.Float64))})
    frame.write_parquet(file)
    return file


def files(folder: Path) -> dict[str, dict[str, Any]]:
    """The same three vectors in every form."""
    ids, rows = ["1", "2", "c/d"], [[1.0, 2.5], [0.0, -1.0], [3.0, 0.25]]
    parquet(folder, ids, rows)
    pl.DataFrame(
        {"item_id": ids, "vector": pl.Series(rows, dtype=pl.Array(pl.Float32, 2))}
    ).write_parquet(folder / "fixed.parquet")
    lines = [json.dumps({"sku": i, "look": r}) for i, r in zip(ids, rows, strict=True)]
    (folder / "images.jsonl").write_text("\n".join(lines))
    np.savez(folder / "images.npz", ids=np.array(ids), vectors=np.array(rows, dtype=np.float32))
    np.save(folder / "images.npy", np.array(rows))
    (folder / "ids.txt").write_text("1\n2\nc/d\n")
    return {
        "images.parquet": {},
        "fixed.parquet": {},
        "images.jsonl": {"id": "sku", "vector": "look"},
        "images.npz": {},
        "images.npy": {"ids": folder / "ids.txt"},
    }


def test_every_form_gives_the_same_vectors(tmp_path: Path) -> None:
    digests = set()
    for name, named in files(tmp_path).items():
        (batch,), _ = read(tmp_path / name, **named)
        assert list(batch.ids) == ["1", "2", "c/d"], name
        np.testing.assert_array_equal(batch.vectors, [[1.0, 2.5], [0.0, -1.0], [3.0, 0.25]])
        assert batch.vectors.dtype == np.float32
        digests.add(tuple(batch.digests))
    assert len(digests) == 1
    assert len(set(*digests)) == 3


BROKEN: list[tuple[Any, Any, str]] = [
    ("b", [1.0], "vector has 1 numbers, the first vector has 2"),
    ("b", [1.0, float("nan")], "vector holds numbers that are not finite"),
    ("b", [1.0, 1e60], "vector holds numbers that are not finite"),
    ("b", [1.0, None], "vector holds numbers that are not finite"),
    ("b", [0.0, 0.0], "vector holds nothing but zeros"),
    ("b", [], "vector is empty, or no list of numbers"),
    ("b", None, "vector is empty, or no list of numbers"),
    (None, [1.0, 2.0], "item_id is empty"),
    ("a", [1.0, 2.0], "item_id 'a' already exists, on row 1"),
    ("b" * 513, [1.0, 2.0], "item_id has more than 512 bytes"),
]


@pytest.mark.parametrize(("item_id", "vector", "reason"), BROKEN)
def test_a_broken_row_is_named_and_can_be_left_out(
    tmp_path: Path, item_id: Any, vector: Any, reason: str
) -> None:
    file = parquet(tmp_path, ["a", item_id, "c"], [[1.0, 2.0], vector, [3.0, 4.0]])
    with pytest.raises(DataError) as caught:
        read(file)
    assert caught.value.message.startswith(f"images.parquet row 2: {reason}")
    assert caught.value.context["line"] == 2
    (batch,), problems = read(file, "skip")
    assert list(batch.ids) == ["a", "c"]
    assert problems.count == 1


def pickled(folder: Path) -> dict[str, Any]:
    np.savez(folder / "x.npz", ids=np.array(["a"]), vectors=np.array([{}], dtype=object))
    return {"path": folder / "x.npz"}


def short(folder: Path) -> dict[str, Any]:
    np.savez(folder / "x.npz", ids=np.array(["a"]), vectors=np.ones((2, 3)))
    return {"path": folder / "x.npz"}


def flat(folder: Path) -> dict[str, Any]:
    np.savez(folder / "x.npz", ids=np.array(["a"]), vectors=np.ones(3))
    return {"path": folder / "x.npz"}


def nameless(folder: Path) -> dict[str, Any]:
    np.savez(folder / "x.npz", vectors=np.ones((2, 3)))
    return {"path": folder / "x.npz"}


def no_zip(folder: Path) -> dict[str, Any]:
    (folder / "x.npz").write_bytes(b"PK\x03\x04 and no more")
    return {"path": folder / "x.npz"}


def absent(folder: Path) -> dict[str, Any]:
    np.save(folder / "x.npy", np.ones((2, 3)))
    return {"path": folder / "x.npy", "ids": folder / "none.txt"}


def columns(folder: Path) -> dict[str, Any]:
    return {"path": parquet(folder, ["a"], [[1.0]]), "vector": "embedding"}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (pickled, "x.npz: image vectors cannot be read: Object arrays cannot be loaded"),
        (short, "x.npz: image vectors cannot be read: 1 ids for 2 vectors"),
        (flat, r"x.npz: image vectors cannot be read: vectors of shape \(3,\)"),
        (nameless, "x.npz: image vectors cannot be read: it has no array"),
        (no_zip, "x.npz: image vectors cannot be read"),
        (absent, "none.txt: no such file or directory"),
        (columns, "images.parquet has no column 'embedding'"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(
    tmp_path: Path, made: Any, message: str
) -> None:
    named = made(tmp_path)
    with pytest.raises(DataError, match=message):
        list(read_image_vectors(ImagesSettings(**named), Problems("skip")))


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"path": "a.parquet", "folder": "b", "bundle": "c"}, "path and folder are both set"),
        ({"folder": "b"}, "folder and bundle must be set together"),
        ({"bundle": "c"}, "folder and bundle must be set together"),
        ({"path": "a.npy"}, "ids belongs to a path that ends in .npy"),
        ({"path": "a.npz", "ids": "i.txt"}, "ids belongs to a path that ends in .npy"),
    ],
)
def test_settings_that_contradict_each_other(named: dict[str, str], message: str) -> None:
    from seealso.config import load_settings

    with pytest.raises(ConfigError, match=message):
        load_settings(None, {"images": named})


@pytest.mark.parametrize("there", [True, False])
def test_doctor_looks_for_the_images(tmp_path: Path, there: bool) -> None:
    file = tmp_path / "images.npz"
    if there:
        np.savez(file, ids=np.array(["a"]), vectors=np.ones((1, 2)))
    chosen = Settings(images=ImagesSettings(path=file))

    def no_cluster() -> Any:
        raise Unavailable("none", hint="none is needed here")

    (found,) = (one for one in examine(chosen, no_cluster) if one.what == "images")
    assert found.ok is there
    assert found.found == f"{file}{'' if there else ' is missing'}"
    assert bool(found.cure) is not there


# what a look weighs

N = 40
IDS = [f"i{n}" for n in range(N)]


def asked(of: Vector) -> list[Question]:
    """Ask for each item from the three that are most like it by `of`."""
    order = np.argsort(-(of @ of.T), axis=1)
    near = [np.array([int(i) for i in order[t] if i != t][:3]) for t in range(N)]
    return [Question(one, target, one) for target, one in enumerate(near)]


def given_images(rows: Vector) -> ImageVectors:
    return ImageVectors.of([ImageRows([*IDS, "stranger"], np.vstack([rows, rows[:1]]), ["d"] * 41)])


def test_looks_weigh_where_they_tell_and_not_where_they_do_not() -> None:
    chosen = Settings(images=ImagesSettings(dimension=8))
    texts, raw = unit_rows(drawn(N, 12, seed=5)), drawn(N, 8, seed=6)
    by_looks = choose_image_weight(chosen, IDS, texts, asked(unit_rows(raw)), given_images(raw))
    assert by_looks.facts["weight"] >= 1
    assert by_looks.facts["items"] == N
    assert by_looks.facts["unmatched"] == 1
    assert by_looks.images is not None
    np.testing.assert_array_equal(by_looks.vectors, by_looks.images.join(texts, raw))
    told = by_looks.beside({"text alone": 0.5, "joined": 0.6})
    assert list(told) == ["text alone", "text and images", "joined"]
    assert told["text and images"] == 0.5
    by_texts = choose_image_weight(chosen, IDS, texts, asked(texts), given_images(raw))
    assert by_texts.facts["weight"] == 0
    assert by_texts.images is None
    assert by_texts.vectors is texts
    assert "left out" in by_texts.notes[0]


def test_without_images_nothing_is_done() -> None:
    texts = unit_rows(drawn(N, 12, seed=5))
    found = choose_image_weight(Settings(), IDS, texts, asked(texts), None)
    assert found.vectors is texts
    assert found.beside({"text alone": 0.5}) == {"text alone": 0.5}
    assert not found.facts


def test_images_that_are_all_alike_tell_nothing() -> None:
    texts = unit_rows(drawn(N, 12, seed=5))
    with pytest.raises(DataError, match="images: 40 vectors, all alike"):
        choose_image_weight(
            Settings(), IDS, texts, asked(texts), given_images(np.ones((N, 8), np.float32))
        )
