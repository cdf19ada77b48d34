"""Bundles on the move: what is sent arrives, and anything else is refused in one line."""

import gzip
import hashlib
import io
import json
import os
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from seealso.config import TextSettings
from seealso.encoder import (
    Bundle,
    BundleStore,
    Collaborative,
    CoOccurrence,
    Encoder,
    Projection,
    bind,
)
from seealso.encoder.archive import unpack
from seealso.encoder.description import (
    DESCRIPTION,
    MODEL,
    MODEL_FILES,
    MODEL_INT8,
    PROJECTION,
    TOKENIZER,
    sha256,
)
from seealso.encoder.graphs import complaint
from seealso.encoder.inspection import LARGEST
from seealso.encoder.transfer import Pull, plan_pull, plan_push, pull, push
from seealso.errors import BundleError

ARCHIVES = ["tiny.tar.gz", "tiny.tgz", "tiny.zip"]


@pytest.fixture
def sent(tiny: Bundle, tmp_path: Path) -> Path:
    """A bundle folder from elsewhere, which a test may change."""
    folder = tmp_path / "sent"
    shutil.copytree(tiny.folder, folder)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


@pytest.fixture
def bound(tiny: Bundle, tmp_path: Path) -> Bundle:
    """A bundle with templates and a projection."""
    rng = np.random.default_rng(0)
    projection = Projection(
        rng.normal(size=128).astype(np.float32), rng.normal(size=(128, 16)).astype(np.float32)
    )
    text = TextSettings(item="{{ title }}")
    return bind(tiny, text=text, projection=projection, store=BundleStore(tmp_path / "bound"))


def reseal(folder: Path, **changes: object) -> None:
    """Write new checksums and fingerprints, as one who tampers would."""
    recorded = json.loads((folder / DESCRIPTION).read_text()) | changes
    files = [name for name in (*MODEL_FILES, PROJECTION) if (folder / name).is_file()]
    recorded["files"] = {name: sha256(folder / name) for name in files}
    model, tokenizer = (recorded["files"][name] for name in (MODEL, TOKENIZER))
    parts = ("pooling", "max_length", "item_prefix", "user_prefix")
    recorded["model_fingerprint"] = digest([model, tokenizer, *(recorded[part] for part in parts)])
    text = recorded["text"] and TextSettings.model_validate(recorded["text"]).model_dump(
        mode="json"
    )
    projection = Projection.load(folder / PROJECTION) if PROJECTION in files else None
    mapped = projection and hashlib.sha256(projection.content()).hexdigest()
    recorded["fingerprint"] = digest([recorded["model_fingerprint"], text, mapped])
    (folder / DESCRIPTION).write_text(json.dumps(recorded))


def digest(parts: list[Any]) -> str:
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def refusal(source: Path, store: BundleStore, **asked: Any) -> str:
    """Return why the bundle is not taken in, having seen that the store is as it was."""
    before = sorted(store.root.rglob("*")) if store.root.exists() else []
    with pytest.raises(BundleError) as caught:
        pull(Pull(source, **asked), store)
    assert sorted(store.root.rglob("*")) == before
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert ".incoming" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("archive", ["", *ARCHIVES])
def test_what_is_pushed_can_be_pulled(
    bound: Bundle, store: BundleStore, tmp_path: Path, archive: str
) -> None:
    there = tmp_path / "share" / archive
    moved = push(bound, there, replacing=False)
    place = there if archive else there / bound.name
    assert moved.place == place
    taken = pull(Pull(place, sha256=moved.sha256.upper()), store)
    assert (taken.name, taken.fingerprint, taken.sha256, taken.size) == (
        bound.name, bound.fingerprint, moved.sha256, moved.size
    )  # fmt: skip
    found = store.find(bound.name)
    assert found == replace(bound, folder=store.root / bound.name)
    texts = ["The harbour", "A castle in the desert"]
    assert np.array_equal(Encoder(found).encode_items(texts), Encoder(bound).encode_items(texts))
    assert [entry.name for entry in store.root.iterdir()] == [bound.name]


def test_another_name_changes_nothing_else(sent: Path, tiny: Bundle, store: BundleStore) -> None:
    pull(Pull(sent, name="other"), store)
    assert store.find("other") == replace(tiny, folder=store.root / "other", name="other")


def test_a_bundle_that_knows_behaviour_can_be_pulled(
    tiny: Bundle, store: BundleStore, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    pairs = CoOccurrence(
        np.array([0, 1, 1]), np.array([1], dtype=np.int32), np.ones(1, np.float32), 0.5, 0.8
    )
    factors, predictor = (rng.normal(size=(rows, 4)).astype(np.float32) for rows in (2, 128))
    part = Collaborative(
        ("a", "b"), factors, np.eye(4), predictor, 1.0, 10.0, 0.8, 0.5, 0.1, co_occurrence=pairs
    )
    fitted = bind(
        tiny, text=TextSettings(), projection=None, collaborative=part,
        store=BundleStore(tmp_path / "fitted"),
    )  # fmt: skip
    taken = pull(Pull(push(fitted, tmp_path / "share", replacing=False).place), store)
    assert taken.fingerprint == fitted.fingerprint
    found = store.find(fitted.name).collaborative
    assert found is not None
    boosted = found.boosts(["a"], [0]).diluted(1.0)
    assert boosted == part.boosts(["a"], [0]).diluted(1.0) != {}


@pytest.mark.parametrize("archive", ARCHIVES)
def test_the_same_bundle_gives_the_same_archive(
    tiny: Bundle, sent: Path, tmp_path: Path, archive: str
) -> None:
    os.utime(sent / MODEL, (1, 1))
    (sent / MODEL).chmod(0o600)
    one, other = tmp_path / "one" / archive, tmp_path / "other" / archive
    push(tiny, one, replacing=False)
    push(replace(Bundle.load(sent), folder=sent.rename(tmp_path / "tiny")), other, replacing=False)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("archive", ["", *ARCHIVES])
def test_nothing_is_replaced_unasked(
    tiny: Bundle, store: BundleStore, tmp_path: Path, archive: str
) -> None:
    there = tmp_path / "share" / archive
    first = push(tiny, there, replacing=False)
    with pytest.raises(BundleError, match="already exists"):
        push(tiny, there, replacing=False)
    assert push(tiny, there, replacing=True) == first
    pull(Pull(first.place), store)
    assert "already exists" in refusal(first.place, store)
    assert pull(Pull(first.place, replacing=True), store).name == "tiny"


def test_plans_write_nothing(tiny: Bundle, sent: Path, store: BundleStore, tmp_path: Path) -> None:
    planned = plan_push(tiny, tmp_path / "share" / "tiny.zip", replacing=False)
    assert not (tmp_path / "share").exists()
    assert plan_pull(Pull(sent), store).sha256 == planned.sha256
    assert not store.root.exists()


def test_a_push_that_is_stopped_leaves_nothing(
    tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfileobj", stop)
    with pytest.raises(KeyboardInterrupt):
        push(tiny, tmp_path / "share" / "tiny.zip", replacing=False)
    assert list((tmp_path / "share").iterdir()) == []


@pytest.mark.parametrize("file", [MODEL, MODEL_INT8, TOKENIZER, PROJECTION])
def test_a_damaged_file_is_named(
    bound: Bundle, store: BundleStore, tmp_path: Path, file: str
) -> None:
    shutil.copytree(bound.folder, tmp_path / "sent")
    target = tmp_path / "sent" / file
    content = bytearray(target.read_bytes())
    content[-1] ^= 1
    target.write_bytes(content)
    assert file in refusal(tmp_path / "sent", store)


@pytest.mark.parametrize("file", [MODEL, MODEL_INT8, TOKENIZER, DESCRIPTION])
def test_a_missing_file_is_an_error(sent: Path, store: BundleStore, file: str) -> None:
    (sent / file).unlink()
    assert file in refusal(sent, store)


def test_an_exchanged_bundle_is_found_by_what_push_said(sent: Path, store: BundleStore) -> None:
    said = sha256(sent / DESCRIPTION)
    reseal(sent, pooling="cls")
    assert "not the expected one" in refusal(sent, store, sha256=said)
    assert "not the expected one" in refusal(sent, store, sha256="ä")
    assert pull(Pull(sent, sha256=sha256(sent / DESCRIPTION)), store).name == "tiny"


@pytest.mark.parametrize("name", ["../up", "/etc", ".hidden", "a b", ""])
def test_a_bundle_cannot_choose_its_place(sent: Path, store: BundleStore, name: str) -> None:
    reseal(sent, name=name)
    assert "cannot be the name" in refusal(sent, store)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize("name", ["weights.pkl", "model.onnx.data", "run.py", ".DS_Store"])
def test_a_file_that_does_not_belong_is_named(sent: Path, store: BundleStore, name: str) -> None:
    (sent / name).write_bytes(b"x")
    assert f"{name!r} does not belong" in refusal(sent, store)


def test_a_file_that_the_description_does_not_name(
    bound: Bundle, sent: Path, store: BundleStore
) -> None:
    shutil.copy(bound.folder / PROJECTION, sent)
    assert "projection.npz does not belong" in refusal(sent, store)


def test_no_pickle_is_read(bound: Bundle, store: BundleStore, tmp_path: Path) -> None:
    shutil.copytree(bound.folder, tmp_path / "sent")
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    matrix = np.zeros((128, 16), dtype=np.float32)
    np.savez(tmp_path / "sent" / PROJECTION, mean=trap, matrix=matrix)
    recorded = json.loads((tmp_path / "sent" / DESCRIPTION).read_text())
    recorded["files"][PROJECTION] = sha256(tmp_path / "sent" / PROJECTION)
    (tmp_path / "sent" / DESCRIPTION).write_text(json.dumps(recorded))
    assert "not a projection" in refusal(tmp_path / "sent", store)
    (tmp_path / "sent" / PROJECTION).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    assert "not a projection" in refusal(tmp_path / "sent", store)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("make", ["symlink", "fifo", "folder"])
def test_only_plain_files_are_copied(
    sent: Path, store: BundleStore, tmp_path: Path, make: str
) -> None:
    (sent / TOKENIZER).rename(tmp_path / "secret")
    {
        "symlink": lambda: (sent / TOKENIZER).symlink_to(tmp_path / "secret"),
        "fifo": lambda: os.mkfifo(sent / TOKENIZER),
        "folder": lambda: (sent / TOKENIZER).mkdir(),
    }[make]()
    assert "tokenizer.json is not a plain file" in refusal(sent, store)


@pytest.mark.parametrize("name", [DESCRIPTION, MODEL, PROJECTION])
def test_a_large_file_is_refused_before_it_is_copied(
    bound: Bundle, store: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    sources = [
        push(bound, tmp_path / one, replacing=False).place for one in ("s", "x.tgz", "x.zip")
    ]
    monkeypatch.setitem(LARGEST, name, 10)  # type: ignore[index]
    for source in sources:
        assert f"{name} has" in refusal(source, store)


def test_arrays_that_unpack_to_more_are_refused(
    bound: Bundle, store: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(bound.folder, tmp_path / "sent")
    zeros = np.zeros(2_000_000, dtype=np.float32)
    np.savez_compressed(tmp_path / "sent" / PROJECTION, mean=zeros, matrix=zeros)
    monkeypatch.setitem(LARGEST, PROJECTION, 1_000_000)  # type: ignore[index]
    assert (tmp_path / "sent" / PROJECTION).stat().st_size < 100_000
    assert "projection.npz has 16,000," in refusal(tmp_path / "sent", store)


def test_other_arrays_are_refused(bound: Bundle, store: BundleStore, tmp_path: Path) -> None:
    shutil.copytree(bound.folder, tmp_path / "sent")
    np.savez(tmp_path / "sent" / PROJECTION, mean=np.zeros(3), more=np.zeros(3))
    assert "holds other arrays" in refusal(tmp_path / "sent", store)


def test_a_projection_that_is_not_finite(bound: Bundle, store: BundleStore, tmp_path: Path) -> None:
    shutil.copytree(bound.folder, tmp_path / "sent")
    mean = np.full(128, np.nan, dtype=np.float32)
    np.savez(tmp_path / "sent" / PROJECTION, mean=mean, matrix=np.ones((128, 16), np.float32))
    reseal(tmp_path / "sent")
    assert "not finite" in refusal(tmp_path / "sent", store)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"dimension": 64}, "does not fit the description"),
        ({"max_length": 0}, "max_length: must be greater than or equal to 1"),
        ({"max_length": 10**9}, "max_length: must be less than or equal to 100000"),
        ({"max_length": 10_000}, "does not fit the description"),
        ({"max_length": "64"}, "max_length: must be a whole number"),
        ({"max_length": True}, "max_length: must be a whole number"),
        ({"calibration": {"b": float("nan"), "t": 1.0}}, "calibration.b: must be a finite number"),
        ({"calibration": {"b": "0", "t": 1.0}}, "calibration.b: must be a number"),
        ({"calibration": {"b": 0.0, "t": 0.0}}, "calibration: t must be above 0"),
        ({"origin": {"source": "\x1b[2J"}}, "cannot be printed"),
        ({"origin": {"source": {"\u202eevil": 1}}}, "cannot be printed"),
        ({"text": {"item": "{% macro x() %}{% endmacro %}"}}, "a template that is refused"),
        ({"text": {"item": "{{ a ** b }}"}}, "a template that is refused"),
        ({"text": {"item": "{{ title"}}, "a template that is refused"),
    ],
)
def test_a_description_that_lies_is_refused(
    sent: Path, store: BundleStore, changes: dict[str, object], why: str
) -> None:
    reseal(sent, **changes)
    assert why in refusal(sent, store)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"format": 99}', "[" * 100_000, '{"format": 2, "a": "\ud800"}']
)
def test_a_description_that_is_none(sent: Path, store: BundleStore, content: str) -> None:
    (sent / DESCRIPTION).write_bytes(content.encode("utf-8", "surrogatepass"))
    assert DESCRIPTION in refusal(sent, store)


def test_a_tokenizer_that_is_none(sent: Path, store: BundleStore) -> None:
    (sent / TOKENIZER).write_text("{}")
    reseal(sent)
    assert "tokenizers cannot load it" in refusal(sent, store)


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    tensor.ClearField("raw_data")


def external_without_a_flag(model: onnx.ModelProto) -> None:
    model.graph.initializer[-1].external_data.add(key="location", value=TOKENIZER)


def external_in_a_branch(model: onnx.ModelProto) -> None:
    tensor = helper.make_tensor("t", TensorProto.FLOAT, [1], [0.0])
    tensor.data_location = TensorProto.EXTERNAL
    constant = helper.make_node("Constant", [], ["y"], value=tensor)
    branch = helper.make_graph([constant], "b", [], [])
    model.graph.node.append(
        helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    )


def external_and_sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add().values.data_location = TensorProto.EXTERNAL


def custom(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "evil.ops"


def custom_in_a_function(model: onnx.ModelProto) -> None:
    node = helper.make_node("Run", ["x"], ["y"], domain="evil.ops")
    opsets = [helper.make_opsetid("evil.ops", 1)]
    model.functions.append(helper.make_function("evil.ops", "F", ["x"], ["y"], [node], opsets))


EXTERNAL = [external, external_without_a_flag, external_in_a_branch, external_and_sparse]
CUSTOM = [custom, custom_in_a_function]


@pytest.mark.parametrize("change", [*EXTERNAL, *CUSTOM])
@pytest.mark.parametrize("file", [MODEL, MODEL_INT8])
def test_a_graph_must_stand_alone(
    sent: Path, store: BundleStore, file: str, change: Callable[[onnx.ModelProto], None]
) -> None:
    model = onnx.load(sent / file)
    change(model)
    (sent / file).write_bytes(model.SerializeToString())
    reseal(sent)
    why = refusal(sent, store)
    assert file in why
    assert ("external data" if change in EXTERNAL else "custom operator") in why


def test_a_good_graph_has_no_complaint(tiny: Bundle) -> None:
    assert complaint((tiny.folder / MODEL).read_bytes()) is None
    assert complaint((tiny.folder / MODEL_INT8).read_bytes()) is None


@pytest.mark.parametrize("cut", [0, 1, 1000, -1000])
def test_half_a_graph_is_none(tiny: Bundle, cut: int) -> None:
    assert complaint((tiny.folder / MODEL).read_bytes()[:cut]) == "is not an ONNX model"


def test_a_graph_that_is_none(sent: Path, store: BundleStore) -> None:
    (sent / MODEL).write_bytes(b"no model")
    reseal(sent)
    assert "model.onnx is not an ONNX model" in refusal(sent, store)


def test_a_graph_that_computes_something_else(sent: Path, store: BundleStore) -> None:
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "l"])
    mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["n", "l"])
    out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", "l"])
    node = helper.make_node("Cast", ["input_ids"], ["embedding"], to=TensorProto.FLOAT)
    graph = helper.make_graph([node], "g", [ids, mask], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    (sent / MODEL).write_bytes(model.SerializeToString())
    reseal(sent)
    assert "model.onnx" in refusal(sent, store)


def tarred(file: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file


def zipped(file: Path, members: list[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file


PATHS = [
    "../model.onnx", "/model.onnx", "/etc/passwd", "tiny/../../model.onnx", "a/b/model.onnx",
    "tiny/../model.onnx", "..\\model.onnx", "tiny/evil.py", "tiny\\model.onnx", "other/model.onnx",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_leads_elsewhere(store: BundleStore, tmp_path: Path, path: str) -> None:
    good = f"tiny/{TOKENIZER}"
    sources = [
        tarred(tmp_path / "x.tar.gz", [(tarfile.TarInfo(one), b"x") for one in (good, path)]),
        zipped(tmp_path / "x.zip", [(one, b"x") for one in (good, path)]),
    ]
    for source in sources:
        assert "does not belong" in refusal(source, store)
    assert {file.name for file in tmp_path.iterdir()} <= {"x.tar.gz", "x.zip", "store"}


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.CONTTYPE]
)
def test_an_archive_of_links_and_devices(store: BundleStore, tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo(f"tiny/{MODEL}")
    info.type, info.linkname = kind, "/etc/passwd"
    assert "is not a plain file" in refusal(tarred(tmp_path / "x.tar.gz", [(info, b"")]), store)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice(store: BundleStore, tmp_path: Path) -> None:
    twice = [f"tiny/{MODEL}", f"tiny/{MODEL}"]
    sources = [
        tarred(tmp_path / "x.tar.gz", [(tarfile.TarInfo(one), b"x") for one in twice]),
        zipped(tmp_path / "x.zip", [(one, b"x") for one in twice]),
    ]
    for source in sources:
        assert "is there twice" in refusal(source, store)


def test_a_header_that_claims_a_gigabyte(store: BundleStore, tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE):
        info = tarfile.TarInfo("x")
        info.type, info.size = kind, 1 << 30
        (tmp_path / "x.tar.gz").write_bytes(gzip.compress(info.tobuf() + bytes(100_000)))
        assert "a header is too large" in refusal(tmp_path / "x.tar.gz", store)


def broken(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "noise", bytes(range(256)) * 8
    yield "half", content[: len(content) // 2]
    middle = bytearray(content)
    middle[len(middle) // 2] ^= 0xFF
    yield "flipped", bytes(middle)


@pytest.mark.parametrize("archive", ARCHIVES)
def test_a_broken_archive(tiny: Bundle, store: BundleStore, tmp_path: Path, archive: str) -> None:
    good = push(tiny, tmp_path / archive, replacing=False).place.read_bytes()
    for kind, content in broken(good):
        (tmp_path / archive).write_bytes(content)
        assert archive in refusal(tmp_path / archive, store), kind


def test_an_archive_with_nothing_in_it(store: BundleStore, tmp_path: Path) -> None:
    assert "bundle" in refusal(tarred(tmp_path / "x.tar.gz", []), store)
    assert "bundle" in refusal(zipped(tmp_path / "x.zip", []), store)


def test_what_is_neither_folder_nor_archive(store: BundleStore, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"x")
    assert "neither a bundle folder nor" in refusal(tmp_path / "model.onnx", store)


def test_a_bundle_that_is_there_survives_a_bad_one(
    sent: Path, tiny: Bundle, store: BundleStore
) -> None:
    pull(Pull(sent), store)
    (sent / MODEL).write_bytes(b"no model")
    refusal(sent, store, replacing=True)
    assert store.find("tiny") == replace(tiny, folder=store.root / "tiny")


def test_unpacked_files_are_only_what_a_bundle_has(tiny: Bundle, tmp_path: Path) -> None:
    moved = push(tiny, tmp_path / "tiny.zip", replacing=False)
    (tmp_path / "out").mkdir()
    unpack(moved.place, tmp_path / "out")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {DESCRIPTION, *MODEL_FILES}
