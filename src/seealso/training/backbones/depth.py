"""A shallower backbone: some of its layers, evenly spaced, the first and the last among them."""

from typing import Any

import numpy as np
import torch

from seealso.errors import ConfigError
from seealso.training.backbones.methods import layers
from seealso.training.backbones.sources import Backbone


def keep_layers(backbone: Backbone, count: int) -> tuple[int, ...]:
    """Drop all but `count` layers of `backbone`, in place.

    Evenly spaced layers are a better start than the lowest ones (Sanh et al. 2019,
    "DistilBERT"; Fan et al. 2020, "Reducing Transformer Depth on Demand").

    Parameters
    ----------
    backbone
        A model with a stack of layers.
    count
        How many stay, at least one.

    Returns
    -------
    tuple of int
        Which layers stayed, from 0.

    Raises
    ------
    ConfigError
        The model has fewer layers, or none that can be found.
    """
    stack = layers(backbone)
    if count > len(stack):
        raise ConfigError(
            f"training.keep_layers: {backbone.source} has {len(stack)} layers, "
            f"{count} cannot be kept",
            hint=f"set it to at most {len(stack)}",
            field="training.keep_layers",
        )
    kept = tuple(int(place) for place in np.linspace(0, len(stack) - 1, count).round())
    parent, name = _place(backbone.model, stack)
    setattr(parent, name, torch.nn.ModuleList(stack[place] for place in kept))
    for place, layer in enumerate(getattr(parent, name)):
        _renumber(layer, place)
    config = backbone.model.config
    config.num_hidden_layers = count
    if getattr(config, "layer_types", None):
        config.layer_types = [config.layer_types[place] for place in kept]
    return kept


def _place(model: torch.nn.Module, stack: torch.nn.ModuleList) -> tuple[torch.nn.Module, str]:
    path = next(name for name, module in model.named_modules() if module is stack)
    parent, _, name = path.rpartition(".")
    return model.get_submodule(parent), name


def _renumber(layer: torch.nn.Module, place: int) -> None:
    for module in layer.modules():
        # decoders keep one cache a layer, by its number
        numbered: Any = module
        if isinstance(getattr(module, "layer_idx", None), int):
            numbered.layer_idx = place
