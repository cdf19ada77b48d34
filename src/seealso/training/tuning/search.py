"""Which settings a search tries, between which bounds, and how a choice becomes settings."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Final

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from seealso.config import Settings, TrainingSettings
from seealso.datasets.dataset import Dataset

Choice = Mapping[str, Any]
"""A value for each setting that is searched, by its full name: ``training.learning_rate``."""

_RATES: Final = {
    "head": (1e-4, 3e-2),
    "full": (3e-6, 2e-4),
    "frozen-layers": (3e-6, 2e-4),
    "lora": (3e-5, 3e-3),
    "adalora": (3e-5, 3e-3),
    "adapter": (3e-5, 3e-3),
}
_HEAD_BATCHES: Final = (64, 128, 256, 512, 1024, 2048)
_TEXT_BATCHES: Final = (16, 32, 64, 128)


def space(
    settings: Settings, dataset: Dataset, depth: Callable[[], int]
) -> dict[str, BaseDistribution]:
    """Return what is searched; what the settings say now lies within.

    Parameters
    ----------
    settings
        ``training`` and ``profile`` are used: other methods and losses have other settings.
    dataset
        Bounds the batch: it must not be larger than the pairs.
    depth
        Counts the layers of the backbone; asked where that bounds what is searched.
    """
    chosen = settings.training
    head = chosen.method == "head"
    found: dict[str, BaseDistribution] = {
        "training.learning_rate": _log(*_RATES[chosen.method], chosen.learning_rate),
        "training.batch": _batches(chosen, dataset),
        "training.epochs": _whole(3 if head else 1, 30 if head else 5, chosen.epochs),
        "profile.recency": _real(0.5, 1.0, settings.profile.recency),
    }
    if chosen.loss != "cosine":
        found["training.temperature"] = _log(0.01, 0.3, chosen.temperature)
    if chosen.loss == "softmax":
        found["training.popularity"] = _real(0.0, 1.0, chosen.popularity)
    if head or chosen.pairs != "items":
        found["training.history_items"] = _whole(3, 30, chosen.history_items)
    if not head and chosen.pairs != "history":
        found["training.window"] = _whole(1, 6, chosen.window)
    return found | _of_method(chosen, depth)


def _of_method(chosen: TrainingSettings, depth: Callable[[], int]) -> dict[str, BaseDistribution]:
    if chosen.method in ("lora", "adalora"):
        return {
            "training.rank": _one_of((4, 8, 16, 32), chosen.rank),
            "training.dropout": _real(0.0, 0.3, chosen.dropout),
        }
    if chosen.method == "adapter":
        return {"training.bottleneck": _one_of((16, 32, 48, 96), chosen.bottleneck)}
    if chosen.method == "frozen-layers":
        return {"training.frozen_layers": _whole(0, depth() - 1, chosen.frozen_layers)}
    return {}


def current(settings: Settings, names: Iterable[str]) -> dict[str, Any]:
    """Return what the settings say now of what is searched."""
    return {name: attrgetter(name)(settings) for name in names}


def applied(settings: Settings, choice: Choice) -> Settings:
    """Return the settings with a choice in place."""
    changed = {
        section: getattr(settings, section).model_copy(update=values)
        for section, values in _by_section(choice).items()
    }
    return settings.model_copy(update=changed)


def rounded(choice: Choice) -> dict[str, Any]:
    """Return the values as they are trained with and printed: four digits of a fraction."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in choice.items()
    }


def as_toml(choice: Choice) -> str:
    """Return a choice as the settings file takes it."""
    return "\n".join(
        f"[{section}]\n" + "".join(f"{name} = {value!r}\n" for name, value in sorted(own.items()))
        for section, own in sorted(_by_section(choice).items())
    )


def _by_section(choice: Choice) -> dict[str, dict[str, Any]]:
    sections: dict[str, dict[str, Any]] = {}
    for name, value in rounded(choice).items():
        section, _, key = name.partition(".")
        sections.setdefault(section, {})[key] = value
    return sections


def bounds(one: Any) -> str:
    """Return what a person reads of the values that are tried."""
    if hasattr(one, "choices"):
        return ", ".join(map(str, one.choices))
    return f"{one.low:g} to {one.high:g}" + (" (log)" if getattr(one, "log", False) else "")


def _log(low: float, high: float, now: float) -> FloatDistribution:
    return FloatDistribution(min(low, now), max(high, now), log=True)


def _real(low: float, high: float, now: float) -> FloatDistribution:
    return FloatDistribution(min(low, now), max(high, now))


def _whole(low: int, high: int, now: int) -> IntDistribution:
    return IntDistribution(min(low, now), max(high, now))


def _one_of(values: tuple[int, ...], now: int) -> CategoricalDistribution:
    return CategoricalDistribution(sorted({*values, now}))


def _batches(chosen: TrainingSettings, dataset: Dataset) -> CategoricalDistribution:
    fewest = sum(max(0, len(sequence) - 1) for sequence in dataset.sequences)
    fewest = min(fewest, chosen.most_pairs or fewest)
    sizes = _HEAD_BATCHES if chosen.method == "head" else _TEXT_BATCHES
    return _one_of(tuple(size for size in sizes if size <= fewest), chosen.batch)
