"""A BERT-like model as it lies in a folder, read without torch.

Most models that encode sentences are of this family. Their graph is always the same, so that a
package of 5 GB need not be installed to write a file of 90 MB.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from tokenizers import Tokenizer

from seealso.encoder.reader import load_file
from seealso.errors import BundleError
from seealso.training.backbones.folders import (
    LONGEST,
    OPTIONS,
    PADDED,
    Named,
    Pooling,
    choose_length,
    first_position,
    place_of,
    pooling_of,
    read_json,
)
from seealso.training.backbones.sources import Head, limit_tokens, require
from seealso.types import Vector

FAMILIES: Final = frozenset({"bert", *PADDED})
"""Types of models that have this graph."""
SIZES: Final = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings",
    "pad_token_id",
)  # fmt: skip
"""What config.json has to say."""


@dataclass(frozen=True, eq=False)
class StoredBert:
    """A BERT-like model as it lies in a folder.

    Attributes
    ----------
    source
        Name of where it came from: no local path.
    folder
        Holds config.json, tokenizer.json and model.safetensors.
    config
        What config.json says.
    weights
        Arrays by their names without the name of the family, float32.
    pooling, max_length, named
        As of a `Backbone`.
    """

    source: str
    folder: Path
    config: Mapping[str, Any]
    weights: Mapping[str, Vector]
    pooling: str
    max_length: int
    named: Named = OPTIONS
    head: Head | None = None

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self.config["hidden_size"])

    def plain_tokenizer(self) -> Tokenizer:
        """Return what cuts texts into tokens, with the padding and the length of the model."""
        whole = load_file(self.folder / "tokenizer.json", "tokenizers", Tokenizer.from_file)
        return limit_tokens(whole, self.config["pad_token_id"], self.max_length)

    @property
    def first_position(self) -> int:
        """Position of the first token of a text."""
        return first_position(self.config["model_type"], self.config["pad_token_id"])


def find_bert(
    source: str, *, pooling: Pooling, max_length: int | None, named: Named = OPTIONS
) -> StoredBert | None:
    """Return the model if this module can write its graph; None where torch has to.

    Parameters are those of `load_backbone`.

    Raises
    ------
    BundleError
        A file of the model is damaged, or pooling or length do not fit it.
    MissingExtraError
        A package of the extra ``export`` is not installed.
    """
    # the extra first: without it, a wheel that is missing too is the smaller trouble
    require("onnx", "safetensors", "ml_dtypes", extra="export")
    place = Path(place_of(source))
    needed = [place / name for name in ("config.json", "tokenizer.json", "model.safetensors")]
    if not all(file.is_file() for file in needed):
        return None
    config = read_json(needed[0]) or {}
    if not _is_plain(config):
        return None
    weights = _read_weights(needed[2])
    if not _fits(weights, config):
        return None
    tokens = read_json(place / "tokenizer_config.json") or {}
    positions = config["max_position_embeddings"]
    positions -= first_position(config["model_type"], config["pad_token_id"])
    own = int(min(tokens.get("model_max_length") or LONGEST, LONGEST))
    return StoredBert(
        source=Path(source).name,
        folder=place,
        config=config,
        weights=weights,
        pooling=pooling_of(place, named) or "mean" if pooling == "auto" else pooling,
        max_length=choose_length(place, positions, own, max_length, named),
        named=named,
    )


def _is_plain(config: Mapping[str, Any]) -> bool:
    """Tell whether a model has the graph of this module and nothing else."""
    return (
        config.get("model_type") in FAMILIES
        and config.get("hidden_act", "gelu") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
        and not config.get("add_cross_attention", False)
        and all(isinstance(config.get(name), int) for name in SIZES)
        and config["hidden_size"] % config["num_attention_heads"] == 0
    )


def _fits(weights: Mapping[str, Vector], config: Mapping[str, Any]) -> bool:
    """Tell whether a model has all arrays of the graph, and none that the graph would ignore."""
    own = {name for name in weights if name.startswith(("embeddings.", "encoder."))}
    if own - {"embeddings.position_ids"} != set(_names(config)):
        return False
    positions = weights["embeddings.position_embeddings.weight"]
    return positions.shape == (config["max_position_embeddings"], config["hidden_size"])


def _read_weights(file: Path) -> Mapping[str, Vector]:
    """Return the arrays of `file` by their short names."""
    import ml_dtypes  # noqa: F401 - numpy reads bfloat16 by it
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as arrays:
            found = {
                _short_name(name): np.asarray(arrays.get_tensor(name), dtype=np.float32)
                for name in arrays.keys()  # noqa: SIM118 - it is no mapping
            }
    except SafetensorError as exc:
        raise BundleError(
            f"{file}: not a file of weights: {exc}", hint="download the model again"
        ) from exc
    return found


def _short_name(name: str) -> str:
    """Return the name of an array without the family, as files are written today."""
    first, _, without = name.partition(".")
    short = name if first in ("embeddings", "encoder") else without
    # older files have the names of TensorFlow
    for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
        if short.endswith(old):
            return short.removesuffix(old) + new
    return short


def _names(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the arrays that the graph is made of."""
    for part in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
        yield f"embeddings.{part}.weight"
    blocks = ["embeddings.LayerNorm"]
    for number in range(int(config["num_hidden_layers"])):
        layer = f"encoder.layer.{number}"
        blocks += [f"{layer}.attention.self.{one}" for one in ("query", "key", "value")]
        blocks += [f"{layer}.attention.output.{one}" for one in ("dense", "LayerNorm")]
        blocks += [f"{layer}.intermediate.dense"]
        blocks += [f"{layer}.output.{one}" for one in ("dense", "LayerNorm")]
    for block in blocks:
        yield f"{block}.weight"
        yield f"{block}.bias"
