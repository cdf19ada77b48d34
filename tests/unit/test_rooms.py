"""What is imported when: serving and the command line start without torch."""

import subprocess
import sys

HEAVY = ("torch", "transformers", "onnx", "onnxscript", "faiss", "sentence_transformers")


def loaded(*modules: str) -> set[str]:
    """Return the modules that a fresh interpreter has once it has imported some."""
    script = f"import {', '.join(modules)}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    found = set(done.stdout.split())
    assert found.issuperset(modules)
    return found


def test_nothing_heavy_is_imported() -> None:
    serving = ("seealso.plugin", "seealso.plugin.batch")
    assert loaded(*serving, "seealso.indexer.build", "seealso.cli.main").isdisjoint(HEAVY)


def test_only_the_cluster_room_brings_the_client() -> None:
    rooms = ("seealso.query_templates", "seealso.encoder", "seealso.readers")
    assert "opensearchpy" not in loaded(*rooms)


def test_the_templates_need_no_model_runtime() -> None:
    assert loaded("seealso.query_templates").isdisjoint(("onnxruntime", "polars"))


def test_the_client_needs_nothing_of_what_answers() -> None:
    answering = ("numpy", "polars", "onnxruntime", "opensearchpy", "fastapi")
    assert loaded("seealso.client").isdisjoint((*HEAVY, *answering))
