"""Models that the processes of one machine share in memory.

onnxruntime packs weights in the order in which its kernels read them, into memory of the process
that opens the model. Here they are packed once, into a file beside the graph that every process
maps: the second process that reads a model needs no memory for it.
"""

import platform
from hashlib import sha256
from pathlib import Path
from typing import Final

import onnxruntime as ort

from seealso.folders import temporary_folder

GRAPH: Final = "model.onnx"
WEIGHTS: Final = "weights"

SMALLEST_BYTES: Final = 1024
"""Weights below it stay in the graph."""

OPTIONS: Final = {
    "session.optimized_model_external_initializers_file_name": WEIGHTS,
    "session.optimized_model_external_initializers_min_size_in_bytes": str(SMALLEST_BYTES),
    "session.save_external_prepacked_constant_initializers": "1",
}
"""Options of onnxruntime that write packed weights to a file beside the optimised graph."""


def share_model(model: Path, digest: str, folder: Path) -> Path:
    """Return the file of a model whose weights can be shared, made if `folder` has none.

    Its vectors are those of the model: onnxruntime opens it as it left the optimised original.

    Parameters
    ----------
    model
        An .onnx file.
    digest
        Names its content.
    folder
        Where such models lie; what was packed for another processor or by another onnxruntime lies
        beside it.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    found = folder / f"{digest[:32]}-{ort.__version__}-{_processor()}"
    if not (found / GRAPH).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        # it appears whole or not at all, also where several processes make it at once
        with temporary_folder(".packing-", folder) as draft:
            _pack(model, draft)
            if not found.exists():
                draft.rename(found)
    return found / GRAPH


def _pack(model: Path, folder: Path) -> None:
    options = ort.SessionOptions()
    # it warns that the result is for this processor: that is what it is for
    options.log_severity_level = 3
    options.optimized_model_filepath = str(folder / GRAPH)
    for name, value in OPTIONS.items():
        options.add_session_config_entry(name, value)
    ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _processor() -> str:
    """Return a name of what this processor can do: weights are packed for it."""
    features = platform.machine()
    known = Path("/proc/cpuinfo")
    if known.is_file():
        lines = known.read_text(encoding="utf-8", errors="replace").splitlines()
        features += next(
            (line for line in lines if line.lower().startswith(("flags", "features"))), ""
        )
    return sha256(features.encode()).hexdigest()[:12]
