"""The checkpoints of a run: which of them are complete, and which are removed."""

import json
import shutil
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file

WEIGHTS: Final = "learned.safetensors"
"""The parameters that learn."""
RANKS: Final = "ranks.safetensors"
"""What AdaLoRA knows beside them."""
ENDED: Final = "ended.json"
"""Beside the checkpoints of a run that came to its end: which is the best."""
_STATE: Final = "trainer_state.json"


def load_learned(model: torch.nn.Module, checkpoint: Path) -> None:
    """Put the parameters of a checkpoint into `model`."""
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, values in load_file(checkpoint / WEIGHTS).items():
            own[name].copy_(values)


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint that is whole."""
    whole = [place for place in folder.glob("checkpoint-*") if _is_whole(place)]
    return max(whole, key=lambda place: int(place.name.rpartition("-")[2]), default=None)


def clear_broken(folder: Path) -> None:
    """Remove checkpoints that a kill left half-written."""
    for place in folder.glob("checkpoint-*"):
        if not _is_whole(place):
            shutil.rmtree(place)


def _is_whole(checkpoint: Path) -> bool:
    try:
        # written last, and not at once: a kill may leave half of it
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (checkpoint / WEIGHTS).is_file()
