"""The state of a method besides its parameters: AdaLoRA's ranks, stored in checkpoints."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import torch
from torch import Tensor


class Memory(Protocol):
    """Hears of each optimiser step, and remembers what the next one needs."""

    def after_step(self, step: int) -> None:
        """Do what the method does after step number `step`, before gradients are cleared."""

    def state(self) -> dict[str, Tensor]:
        """Return what has to be in a checkpoint."""

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""


class NoMemory:
    """The memory of a method whose parameters say it all."""

    def after_step(self, step: int) -> None:
        """Do nothing."""

    def state(self) -> dict[str, Tensor]:
        """Return nothing."""
        return {}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Do nothing."""


FORGETFUL: Final[Memory] = NoMemory()

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
        """Weigh all ranks, and drop the least of them."""
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
