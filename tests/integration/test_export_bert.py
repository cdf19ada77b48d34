"""Models like BERT are exported without torch, and read as torch reads them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from seealso.api.bundles import export_model
from seealso.choices import WHEEL
from seealso.config import EncoderSettings, Settings
from seealso.encoder import BundleStore, Encoder
from seealso.encoder.description import MODEL
from seealso.errors import BundleError
from seealso.training import StoredBert, export, find_bert, load_backbone
from seealso.training.backbones.bert_graph import write_bert
from seealso.training.backbones.folders import Pooling
from seealso.training.exporting.parity import parity_texts
from seealso.types import Vector
from tests.bundles import tiny_source

TEXTS = parity_texts()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A small BERT that a test may change."""
    return shutil.copytree(tiny_source(), tmp_path / "bert")


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RoBERTa of two layers with the tokenizer of the small BERT, saved under its own name."""
    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("roberta")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_source())
    config = transformers.RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=48, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=96, max_position_embeddings=130, pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.2,
    )  # fmt: skip
    transformers.RobertaForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def found(folder: Path | str, pooling: Pooling = "auto", length: int | None = None) -> StoredBert:
    model = find_bert(str(folder), pooling=pooling, max_length=length)
    assert model is not None
    return model


def originals(folder: Path | str, pooling: Pooling, length: int | None, path: Path) -> Vector:
    """Return the vectors by the graph that torch exports."""
    backbone = load_backbone(str(folder), pooling=pooling, max_length=length)
    return Encoder(export(backbone, "torch", BundleStore(path))).encode_items(TEXTS)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
@pytest.mark.parametrize("model", ["bert", "roberta"])
def test_vectors_are_those_of_torch(
    model: str, pooling: Pooling, roberta: Path, tmp_path: Path
) -> None:
    folder = tiny_source() if model == "bert" else roberta
    wanted = originals(folder, pooling, 64, tmp_path / "torch")
    made = export(found(folder, pooling, 64), "mine", BundleStore(tmp_path / "own"))
    assert (made.pooling, made.max_length) == (pooling, 64)
    np.testing.assert_allclose(Encoder(made).encode_items(TEXTS), wanted, atol=2e-5)
    twin = Encoder(made, precision="int8").encode_items(TEXTS)
    assert (twin * wanted).sum(axis=1).mean() >= 0.98
    # nothing was held against torch, and the bundle says no more than it knows
    assert made.origin["parity"].keys() == {"int8_mean"}


@pytest.mark.slow
def test_the_wheel_is_exported_as_torch_exports_it(tmp_path: Path) -> None:
    wanted = originals(WHEEL, "auto", None, tmp_path / "torch")
    settings = Settings(encoder=EncoderSettings(store=tmp_path / "own", bundle="mine"))
    made = export_model(settings)
    assert (made.pooling, made.max_length, made.dimension) == ("mean", 256, 384)
    np.testing.assert_allclose(Encoder(made).encode_items(TEXTS), wanted, atol=2e-5)


@pytest.mark.parametrize("texts", [TEXTS[:1], [TEXTS[2], TEXTS[-1]]], ids=["one", "padded"])
def test_no_fusion_of_onnxruntime_changes_it(texts: list[str], tmp_path: Path) -> None:
    model = found(tiny_source())
    write_bert(model, tmp_path / MODEL)
    read = model.plain_tokenizer().encode_batch(texts)
    feed = {
        "input_ids": np.array([one.ids for one in read]),
        "attention_mask": np.array([one.attention_mask for one in read]),
    }
    levels = onnxruntime.GraphOptimizationLevel
    vectors = []
    for level in (levels.ORT_DISABLE_ALL, levels.ORT_ENABLE_EXTENDED, levels.ORT_ENABLE_ALL):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        session = onnxruntime.InferenceSession(tmp_path / MODEL, options)
        vectors.append(session.run(None, feed)[0])
    for one in vectors[1:]:
        np.testing.assert_allclose(one, vectors[0], atol=1e-5)


def test_torch_is_not_even_imported(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from seealso.api.bundles import export_model
from seealso.config import EncoderSettings, Settings
settings = Settings(encoder=EncoderSettings(store=Path({str(tmp_path)!r}), bundle="mine"))
print(export_model(settings, {tiny_source()!r}).dimension, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["128", "False"]


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_bert(found(tiny_source()), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "deberta"},
        {"hidden_act": "relu"},
        {"position_embedding_type": "relative_key"},
        {"is_decoder": True},
        {"num_hidden_layers": 1},
        {"num_hidden_layers": None},
        {"num_attention_heads": 7},
        {"hidden_size": 64},
        {"max_position_embeddings": 100},
        {"pad_token_id": None},
    ],
    ids=str,
)
def test_what_has_another_graph_is_left_to_torch(change: dict[str, object], copied: Path) -> None:
    file = copied / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert find_bert(str(copied), pooling="auto", max_length=None) is None


@pytest.mark.parametrize("missing", ["model.safetensors", "tokenizer.json", "config.json"])
def test_what_is_not_whole_is_left_to_torch(missing: str, copied: Path) -> None:
    (copied / missing).unlink()
    assert find_bert(str(copied), pooling="auto", max_length=None) is None


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_read(half: torch.dtype, copied: Path) -> None:
    file = copied / "model.safetensors"
    save_file({name: one.to(half) for name, one in load_file(file).items()}, file)
    whole, read = found(tiny_source()).weights, found(copied).weights
    for name, one in read.items():
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, whole[name], atol=0.02, rtol=0.01)


def test_a_damaged_file_of_weights_is_named(copied: Path) -> None:
    file = copied / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(BundleError, match="not a file of weights") as caught:
        find_bert(str(copied), pooling="auto", max_length=None)
    assert str(file) in str(caught.value)


def test_a_damaged_tokenizer_is_named_and_leaves_nothing(copied: Path, tmp_path: Path) -> None:
    (copied / "tokenizer.json").write_text("{")
    store = BundleStore(tmp_path / "store")
    with pytest.raises(BundleError, match=r"tokenizer\.json: tokenizers cannot load it"):
        export(found(copied), "mine", store)
    assert list(store.root.iterdir()) == []


def test_a_length_beyond_the_positions_is_refused(roberta: Path) -> None:
    positions = 130 - found(roberta).config["pad_token_id"] - 1
    with pytest.raises(BundleError, match=f"this model reads 4 to {positions} tokens"):
        found(roberta, length=positions + 1)
    assert found(roberta, length=positions).max_length == positions
