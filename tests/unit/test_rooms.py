"""What is imported when: serving and the command line start without torch."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "onnx", "onnxscript", "faiss", "sentence_transformers")


def loaded(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has after `statement`."""
    script = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["seealso.plugin", "seealso.plugin.batch", "seealso.indexer.build", "seealso.cli.main"],
)
def test_nothing_heavy_is_imported(module: str) -> None:
    modules = loaded(f"import {module}")
    assert module in modules
    assert modules.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "module", ["seealso.query_templates", "seealso.encoder", "seealso.readers"]
)
def test_only_the_cluster_room_brings_the_client(module: str) -> None:
    modules = loaded(f"import {module}")
    assert module in modules
    assert "opensearchpy" not in modules


def test_the_templates_need_no_model_runtime() -> None:
    assert loaded("import seealso.query_templates").isdisjoint(("onnxruntime", "polars"))
