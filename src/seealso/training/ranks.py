"""AdaLoRA's ranks, moved after each step and kept in checkpoints to go on with."""

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

_AVERAGES: Final = ("exp_avg_ipt", "exp_avg_unc")
_PATTERN: Final = "pattern"


class Ranks:
    """Moves AdaLoRA's ranks to the matrices where they help most.

    Parameters
    ----------
    model
        A ``peft.AdaLoraModel``.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def after_step(self, step: int) -> None:
        """Weigh all ranks after step number `step`, before gradients are cleared."""
        self._model.update_and_allocate(step)

    def state(self) -> dict[str, Tensor]:
        """Return the running importance of each parameter, and which ranks are left."""
        allocator = self._model.rankallocator
        kept = {
            f"{average}/{name}": values.contiguous()
            for average in _AVERAGES
            for name, values in getattr(allocator, average).items()
        }
        pattern = self._config.rank_pattern or {}
        return kept | {f"{_PATTERN}/{name}": torch.tensor(left) for name, left in pattern.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over importances and ranks."""
        allocator = self._model.rankallocator
        allocator.reset_ipt()
        pattern = {}
        for key, values in state.items():
            kind, _, name = key.partition("/")
            if kind == _PATTERN:
                pattern[name] = values.tolist()
            else:
                getattr(allocator, kind)[name] = values
                # only the averages are read; its presence says that they are there
                allocator.ipt[name] = values
        if pattern:
            self._config.rank_pattern = pattern

    @property
    def _config(self) -> Any:
        return self._model.peft_config[self._model.trainable_adapter_name]
