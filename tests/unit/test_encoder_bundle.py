"""Bundles: changes are refused, equals have equal fingerprints, nothing is half made."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seealso.config import TextSettings
from seealso.encoder import Bundle, BundleStore, Encoder, Projection, bind
from seealso.encoder.description import DESCRIPTION, MODEL, PROJECTION, TOKENIZER
from seealso.errors import BundleError
from seealso.types import Calibration

TEXT = TextSettings(item="{{ title }}")


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "bundles")


@pytest.fixture
def copied(tiny: Bundle, store: BundleStore) -> Path:
    """A copy that a test may damage: the fixture's own files are shared."""
    folder = store.root / "tiny"
    shutil.copytree(tiny.folder, folder)
    return folder


def projection(seed: int = 0, width: int = 128, cut: int = 16) -> Projection:
    rng = np.random.default_rng(seed)
    return Projection(
        rng.normal(size=width).astype(np.float32),
        rng.normal(size=(width, cut)).astype(np.float32),
    )


def test_a_copy_loads_as_the_same_bundle(tiny: Bundle, copied: Path) -> None:
    assert Bundle.load(copied) == replace(tiny, folder=copied)


@pytest.mark.parametrize("file", [MODEL, "model.int8.onnx", TOKENIZER])
def test_a_changed_file_is_refused_by_name(copied: Path, file: str) -> None:
    content = bytearray((copied / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / file).write_bytes(content)
    with pytest.raises(BundleError, match="not the file") as caught:
        Bundle.load(copied)
    assert file in caught.value.message
    assert caught.value.hint


def test_a_missing_file_is_named(copied: Path) -> None:
    (copied / TOKENIZER).unlink()
    with pytest.raises(BundleError, match=TOKENIZER):
        Bundle.load(copied)


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_length", 7), ("pooling", "cls"), ("item_prefix", "passage: "), ("text", {"item": "x"})],
)
def test_a_changed_setting_is_refused(copied: Path, name: str, value: object) -> None:
    described = json.loads((copied / DESCRIPTION).read_text())
    (copied / DESCRIPTION).write_text(json.dumps(described | {name: value}))
    with pytest.raises(BundleError, match="changed after it was written"):
        Bundle.load(copied)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"format": 99}', '{"format": 2}', '{"format": 2, "files": {"../x": "0"}}'],
)
def test_a_description_that_is_none_is_refused(copied: Path, content: str) -> None:
    (copied / DESCRIPTION).write_text(content)
    with pytest.raises(BundleError, match="bundle"):
        Bundle.load(copied)


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        ({}, "seealso model export --force"),
        ({"training": {}}, "seealso train --force"),
        ({"training": {}, "fit": {}}, "seealso build, with the text model in encoder.bundle"),
    ],
)
def test_a_bundle_of_0_1_is_refused_with_the_command_that_renews_it(
    copied: Path, origin: dict[str, object], command: str
) -> None:
    described = json.loads((copied / DESCRIPTION).read_text())
    (copied / DESCRIPTION).write_text(json.dumps(described | {"format": 1, "origin": origin}))
    with pytest.raises(BundleError, match="bundle format 2 expected, found 1") as caught:
        Bundle.load(copied)
    assert str(caught.value.hint).endswith(command)


def test_a_file_outside_the_bundle_is_not_read(copied: Path) -> None:
    described = json.loads((copied / DESCRIPTION).read_text())
    described["files"]["../../secret"] = "0"
    (copied / DESCRIPTION).write_text(json.dumps(described))
    with pytest.raises(BundleError, match="does not belong"):
        Bundle.load(copied)


def test_a_damaged_model_is_named_when_it_is_opened(tiny: Bundle, tmp_path: Path) -> None:
    shutil.copy(tiny.folder / TOKENIZER, tmp_path)
    (tmp_path / MODEL).write_bytes(b"no model")
    with pytest.raises(BundleError, match="onnxruntime cannot load it"):
        Encoder(replace(tiny, folder=tmp_path))


def test_find_by_name_path_and_fingerprint(tiny: Bundle, copied: Path, store: BundleStore) -> None:
    assert store.find("tiny").folder == copied
    assert store.find(str(copied)).folder == copied
    assert store.by_fingerprint(tiny.fingerprint).folder == copied
    assert list(store.all()) == ["tiny"]


def test_what_is_not_there_is_named_with_what_is(copied: Path, store: BundleStore) -> None:
    with pytest.raises(BundleError, match=r"no bundle 'large' .*there: tiny") as caught:
        store.find("large")
    assert "seealso model export" in str(caught.value.hint)
    with pytest.raises(BundleError, match="fingerprint 0123456789abcdef"):
        store.by_fingerprint("0123456789abcdef")


def test_a_bundle_that_cannot_be_read_is_listed_with_the_reason(
    copied: Path, store: BundleStore
) -> None:
    earlier = store.root / "earlier"
    shutil.copytree(copied, earlier)
    described = json.loads((earlier / DESCRIPTION).read_text())
    (earlier / DESCRIPTION).write_text(json.dumps(described | {"format": 1}))
    found = store.all()
    assert list(found) == ["earlier", "tiny"]
    assert isinstance(found["tiny"], Bundle)
    assert "bundle format 2 expected, found 1" in str(found["earlier"])


def test_an_empty_store_has_no_bundles(store: BundleStore) -> None:
    assert store.all() == {}


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "-x"])
def test_a_name_that_is_a_path_is_refused(store: BundleStore, name: str) -> None:
    with pytest.raises(BundleError, match="cannot be the name"):
        store.folder_of(name)


def test_bind_is_idempotent(tiny: Bundle, store: BundleStore) -> None:
    first = bind(tiny, text=TEXT, projection=projection(), store=store)
    stamp = (first.folder / DESCRIPTION).stat().st_mtime_ns
    again = bind(tiny, text=TEXT, projection=projection(), store=store)
    assert again == first == Bundle.load(first.folder)
    assert (first.folder / DESCRIPTION).stat().st_mtime_ns == stamp
    assert first.name == f"tiny-{first.fingerprint[:8]}"
    assert (first.dimension, tiny.dimension) == (16, 128)
    assert [folder.name for folder in store.root.iterdir()] == [first.name]


def test_bind_shares_the_model_files(tiny: Bundle, store: BundleStore) -> None:
    bound = bind(tiny, text=TEXT, projection=None, store=store)
    assert (bound.folder / MODEL).samefile(tiny.folder / MODEL)
    assert not (bound.folder / PROJECTION).exists()
    assert bound.model_fingerprint == tiny.model_fingerprint


def test_whatever_changes_vectors_changes_the_fingerprint(tiny: Bundle, store: BundleStore) -> None:
    bound = [
        bind(tiny, text=TEXT, projection=None, store=store),
        bind(tiny, text=TEXT, projection=projection(0), store=store),
        bind(tiny, text=TEXT, projection=projection(1), store=store),
        bind(tiny, text=TextSettings(item="{{ name }}"), projection=None, store=store),
        bind(tiny, text=TextSettings(item="{{ title }}", user="x"), projection=None, store=store),
    ]
    assert len({bundle.fingerprint for bundle in bound}) == len(bound)


def test_calibration_changes_no_fingerprint_and_is_kept(tiny: Bundle, store: BundleStore) -> None:
    plain = bind(tiny, text=TEXT, projection=None, store=store)
    fitted = Calibration(b=0.25, t=0.125)
    again = bind(tiny, text=TEXT, projection=None, calibration=fitted, store=store)
    assert again.fingerprint == plain.fingerprint
    assert store.by_fingerprint(plain.fingerprint).calibration == fitted


@pytest.mark.parametrize(
    ("fitted", "reason"),
    [
        ({"cluster": {"url": "http://elsewhere"}}, "'cluster' is not a section that is fitted"),
        (
            {"importance": {"expression": "1"}},
            "importance.expression is not a setting that is fitted",
        ),
        ({"profile": {"recency": 2.0}}, "profile: recency: must be less than or equal"),
        ({"profile": {"recency": "0.5"}}, "profile: recency: must be a number"),
        ({"neighbours": {"k": -1}}, "neighbours: k: must be greater"),
        (
            {"neighbours": {"share": float("nan")}},
            "neighbours: share: must be a finite number",
        ),
        ({"importance": {"floor": 3.0, "ceiling": 1.0}}, "importance: floor 3.0 is above ceiling"),
        ({"other": {}}, "'other' is not a section that is fitted"),
        ({"profile": [1]}, "fitted.profile: must be an object with names and values"),
        (["profile"], "fitted: must be an object with names and values"),
    ],
)
def test_a_bundle_brings_no_settings_but_fitted_ones(
    copied: Path, fitted: object, reason: str
) -> None:
    file = copied / DESCRIPTION
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), "fitted": fitted}))
    with pytest.raises(BundleError) as caught:
        Bundle.load(copied)
    assert reason in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_what_fit_writes_is_read_again(copied: Path) -> None:
    file = copied / DESCRIPTION
    fitted = {
        "profile": {"recency": 1, "tail_recency": 0.9},
        "importance": {"floor": 0.9, "ceiling": 1.1, "half_life_days": None},
        "neighbours": {"share": 0.0},
    }
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), "fitted": fitted}))
    assert Bundle.load(copied).fitted == fitted


def test_binding_a_bound_bundle_starts_from_the_model(tiny: Bundle, store: BundleStore) -> None:
    first = bind(tiny, text=TEXT, projection=projection(), store=store)
    other = bind(first, text=TextSettings(item="{{ name }}"), projection=None, store=store)
    assert other.name == f"tiny-{other.fingerprint[:8]}"
    assert (other.dimension, other.projection) == (128, None)
    assert bind(other, text=TEXT, projection=projection(), store=store) == first


def test_a_projection_of_another_model_is_refused(tiny: Bundle, store: BundleStore) -> None:
    with pytest.raises(BundleError, match="from 384 dimensions does not fit tiny, which has 128"):
        bind(tiny, text=TEXT, projection=projection(width=384), store=store)
    assert not store.root.exists()


def test_a_failed_draft_leaves_nothing_and_keeps_what_was_there(
    copied: Path, store: BundleStore
) -> None:
    def fail() -> None:
        with store.draft("tiny") as folder:
            (folder / MODEL).write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [folder.name for folder in store.root.iterdir()] == ["tiny"]
    assert store.find("tiny").name == "tiny"


def test_several_writers_of_one_bundle_leave_a_whole_one(copied: Path, store: BundleStore) -> None:
    def write(number: int) -> None:
        for _ in range(20):
            with store.draft("tiny") as folder:
                (folder / DESCRIPTION).write_text(str(number), encoding="utf-8")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    assert (copied / DESCRIPTION).read_text(encoding="utf-8") in "0123"
    assert [folder.name for folder in store.root.iterdir()] == ["tiny"]


def test_a_bundle_of_an_earlier_version_hides_no_other(
    tiny: Bundle, copied: Path, store: BundleStore
) -> None:
    earlier = store.root / "earlier"
    earlier.mkdir()
    (earlier / DESCRIPTION).write_text('{"format": 1}', encoding="utf-8")
    assert store.by_fingerprint(tiny.fingerprint).folder == copied
    with pytest.raises(BundleError, match=r"no bundle .*; .*earlier.*format 2 expected, found 1"):
        store.by_fingerprint("0123456789abcdef")


def test_a_pickle_is_no_projection(tiny: Bundle, store: BundleStore) -> None:
    file = bind(tiny, text=TEXT, projection=projection(), store=store).folder / PROJECTION
    np.savez(file, mean=np.array([object()]), matrix=np.array([object()]))
    with pytest.raises(BundleError, match="not a projection"):
        Projection.load(file)
