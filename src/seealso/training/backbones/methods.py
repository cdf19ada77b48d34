"""Which parameters learn: all, the upper layers, or small parts put beside frozen ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from seealso.config import TrainingSettings
from seealso.errors import ConfigError
from seealso.training.backbones.sources import Backbone
from seealso.training.quiet import quiet
from seealso.training.ranks import Ranks


@dataclass(frozen=True)
class Prepared:
    """A backbone made ready to learn.

    Attributes
    ----------
    backbone
        What is trained, in place.
    trained, total
        Number of parameters that learn, and of all.
    ranks
        What AdaLoRA moves after each optimiser step; None of other methods.
    finished
        Gives the backbone to export: what was put beside is merged where that is possible.
    """

    backbone: Backbone
    trained: int
    total: int
    ranks: Ranks | None
    finished: Callable[[], Backbone]


def prepare(backbone: Backbone, settings: TrainingSettings, steps: int) -> Prepared:
    """Make `backbone` ready for ``settings.method``.

    Parameters
    ----------
    backbone
        The model.
    settings
        Method, ranks and number of frozen layers.
    steps
        Optimiser steps that will be done; AdaLoRA plans with it.

    Raises
    ------
    ConfigError
        The model has fewer layers than are to be frozen, or none that the method knows.
    """
    makers = {
        "full": _full,
        "frozen-layers": _frozen_layers,
        "lora": _lora,
        "adalora": _adalora,
        "adapter": _adapter,
    }
    with quiet():  # peft has words for what it finds out by itself
        learning, ranks, finished = makers[settings.method](backbone, settings, steps)
    parameters = list(learning.model.parameters())
    return Prepared(
        learning,
        sum(p.numel() for p in parameters if p.requires_grad),
        sum(p.numel() for p in parameters),
        ranks,
        finished,
    )


def check_method(backbone: Backbone, settings: TrainingSettings) -> None:
    """Raise ConfigError if ``settings.method`` does not fit the backbone; costs nothing."""
    if settings.method in ("full", "head"):
        return
    depth = len(layers(backbone))
    if settings.method == "frozen-layers":
        _check_frozen(min(depth, settings.keep_layers or depth), backbone, settings)


def _check_frozen(depth: int, backbone: Backbone, settings: TrainingSettings) -> None:
    if settings.frozen_layers >= depth:
        raise ConfigError(
            f"training.frozen_layers: {backbone.source} has {depth} layers, "
            f"{settings.frozen_layers} cannot be frozen",
            hint=f"set it to at most {depth - 1}",
            field="training.frozen_layers",
        )


_Made = tuple[Backbone, Ranks | None, Callable[[], Backbone]]


def _full(backbone: Backbone, _settings: TrainingSettings, _steps: int) -> _Made:
    backbone.model.requires_grad_(True)
    return backbone, None, lambda: backbone


def _frozen_layers(backbone: Backbone, settings: TrainingSettings, _steps: int) -> _Made:
    stack = layers(backbone)
    _check_frozen(len(stack), backbone, settings)
    backbone.model.requires_grad_(False)
    for layer in stack[settings.frozen_layers :]:
        layer.requires_grad_(True)
    return backbone, None, lambda: backbone


def _lora(backbone: Backbone, settings: TrainingSettings, _steps: int) -> _Made:
    from peft import LoraConfig

    return _with_peft(
        backbone,
        LoraConfig(
            r=settings.rank,
            lora_alpha=2 * settings.rank,
            lora_dropout=settings.dropout,
            target_modules=_projections(backbone),
        ),
    )


def _adalora(backbone: Backbone, settings: TrainingSettings, steps: int) -> _Made:
    from peft import AdaLoraConfig

    # the ranks are found in the middle of the run, and trained as they are at its end
    learning, _, finished = _with_peft(
        backbone,
        AdaLoraConfig(
            init_r=settings.rank + max(1, settings.rank // 2),
            target_r=settings.rank,
            lora_alpha=2 * settings.rank,
            lora_dropout=settings.dropout,
            tinit=steps // 10,
            tfinal=steps // 3,
            deltaT=max(1, steps // 100),
            total_step=max(steps, 10),
            target_modules=_projections(backbone),
        ),
    )
    return learning, Ranks(learning.model.base_model), finished


def _with_peft(backbone: Backbone, config: Any) -> _Made:
    from peft import get_peft_model

    learning = replace(backbone, model=get_peft_model(backbone.model, config))
    return learning, None, lambda: replace(backbone, model=learning.model.merge_and_unload())


def _adapter(backbone: Backbone, settings: TrainingSettings, _steps: int) -> _Made:
    backbone.model.requires_grad_(False)
    for layer in layers(backbone):
        adapter = Bottleneck(int(backbone.model.config.hidden_size), settings.bottleneck)
        layer.add_module("bottleneck", adapter)
        layer.register_forward_hook(_through(adapter))
    return backbone, None, lambda: backbone


class Bottleneck(torch.nn.Module):  # type: ignore[misc]
    """Adds what a narrow pair of layers makes of a layer's output (Houlsby et al. 2019).

    Parameters
    ----------
    width
        Size of the hidden state.
    narrow
        Size in between.
    """

    def __init__(self, width: int, narrow: int) -> None:
        super().__init__()
        self.down = torch.nn.Linear(width, narrow)
        self.up = torch.nn.Linear(narrow, width)
        # the untrained adapter changes nothing
        torch.nn.init.zeros_(self.up.weight)
        torch.nn.init.zeros_(self.up.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the changed hidden state, of the same shape."""
        changed: Tensor = hidden + self.up(functional.gelu(self.down(hidden)))
        return changed


def _through(adapter: Bottleneck) -> Callable[..., Any]:
    def hook(_layer: torch.nn.Module, _inputs: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (adapter(output[0]), *output[1:])
        return adapter(output)

    return hook


def layers(backbone: Backbone) -> torch.nn.ModuleList:
    """Return the stack of transformer layers.

    Raises
    ------
    ConfigError
        The model has none that can be found.
    """
    depth = int(backbone.model.config.num_hidden_layers)
    for module in backbone.model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == depth:
            return module
    raise ConfigError(
        f"{backbone.source}: its layers cannot be found",
        hint="use training.method = 'full'",
        field="training.method",
    )


def _projections(backbone: Backbone) -> list[str]:
    """Return the names of the linear maps inside the layers; GPT-2 calls its own Conv1D."""
    from transformers.pytorch_utils import Conv1D

    inside = layers(backbone)[0].named_modules()
    return sorted(
        {
            name.rsplit(".", 1)[-1] if name.count(".") == 0 else ".".join(name.split(".")[-2:])
            for name, module in inside
            if isinstance(module, (torch.nn.Linear, Conv1D))
        }
    )
