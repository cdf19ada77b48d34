"""The model at run time: tokens in, unit vectors out, with tokenizers and onnxruntime alone.

Batches are cut by tokens, not by texts, so that memory is bounded whatever the texts are.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from tokenizers import Tokenizer

from seealso.encoder.bundle import Bundle
from seealso.encoder.description import MODEL, MODEL_INT8, TOKENIZER
from seealso.encoder.shared_model import share_model
from seealso.errors import BundleError, ConfigError
from seealso.types import Vector

Loaded = TypeVar("Loaded")
Tokens: TypeAlias = npt.NDArray[np.int64]

TWINS: Final = {"fp32": MODEL, "int8": MODEL_INT8}
"""The file of each precision."""


class Reader:
    """Tokenizer and session of one bundle and precision.

    Parameters
    ----------
    bundle
        The bundle.
    precision
        ``fp32`` or ``int8``.
    threads
        Threads of one run; 0 takes all cores that this process may use.
    shared
        Folder of models that several processes share in memory; None for a model of one's own.

    Raises
    ------
    ConfigError
        The precision is unknown.
    BundleError
        The model or the tokenizer cannot be loaded.
    """

    def __init__(
        self, bundle: Bundle, precision: str, threads: int, shared: Path | None = None
    ) -> None:
        if precision not in TWINS:
            raise ConfigError(
                f"encoder.precision: {precision!r} is unknown",
                hint=f"use one of {', '.join(TWINS)}",
                field="encoder.precision",
            )
        self._max_length = bundle.max_length
        twin, tokenizer = TWINS[precision], bundle.folder / TOKENIZER

        def load_model(path: str) -> Any:
            if shared is not None:
                path = str(share_model(Path(path), bundle.files[twin], shared))
            return open_session(path, threads)

        self._session = load_file(bundle.folder / twin, "onnxruntime", load_model)
        self._tokenizer = load_file(tokenizer, "tokenizers", Tokenizer.from_file)
        padding = self._tokenizer.padding or {"pad_id": 0}
        self._pad_id = int(padding["pad_id"])
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._untruncated = Tokenizer.from_str(self._tokenizer.to_str())
        self._tokenizer.enable_truncation(bundle.max_length)

    def tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, cut to the length that the model reads."""
        encoded = self._tokenizer.encode_batch_fast([_speakable(text) for text in texts])
        return [one.ids for one in encoded]

    def count(self, text: str) -> int:
        """Return how many tokens `text` has, special tokens included, before any cut."""
        return len(self._untruncated.encode(_speakable(text)).ids)

    def pad(self, tokens: Sequence[Sequence[int]]) -> tuple[Tokens, Tokens]:
        """Return ids and attention mask, both of shape (batch, longest), padded on the right."""
        lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
        mask = np.arange(lengths.max())[None, :] < lengths[:, None]
        ids = np.full(mask.shape, self._pad_id, dtype=np.int64)
        ids[mask] = np.concatenate([np.asarray(one, dtype=np.int64) for one in tokens])
        return ids, mask.astype(np.int64)

    def run(self, ids: Tokens, mask: Tokens) -> Vector:
        """Return unit vectors of shape (batch, d) for ids and mask of shape (batch, length)."""
        feed = {"input_ids": ids, "attention_mask": mask}
        vectors: Vector = self._session.run(["embedding"], feed)[0]
        return vectors


def token_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Cut texts into batches whose padded size is at most `budget` tokens.

    Parameters
    ----------
    lengths
        Number of tokens of each text.
    budget
        Most tokens of a batch, padding included; a longer text gets a batch of its own.

    Yields
    ------
    list of int
        Positions in `lengths`, shortest texts first, so that padding is rare.
    """
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[position] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def _speakable(text: str) -> str:
    # half a surrogate pair is legal in a Python string and not in the tokenizer's
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def load_file(path: Path, library: str, load: Callable[[str], Loaded]) -> Loaded:
    """Return what a library loads from a file of a model, whatever it may raise.

    Raises
    ------
    BundleError
        It cannot load the file.
    """
    try:
        return load(str(path))
    except Exception as exc:
        raise BundleError(
            f"{path}: {library} cannot load it: {exc}",
            hint=f"export the model again, or update {library}",
            file=str(path),
        ) from exc


def open_session(model: str | bytes, threads: int) -> Any:
    """Return the onnxruntime session of a model file or of its bytes.

    Whatever onnxruntime raises is raised; 0 threads are all cores that this process may use.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or cores()
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def cores() -> int:
    """Return how many cores this process may use."""
    # all cores of the machine may be more than a container or taskset allows
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
