"""How a bundle's lineage looks: what it was made of, on which events, and how well it did.

A bundle from elsewhere may say anything of itself, so nothing is expected of what is read here.
"""

from collections.abc import Mapping
from typing import Any

from seealso.encoder import Bundle

SHOWN = ("hr@10", "ndcg@10")


def lineage(bundle: Bundle) -> dict[str, object]:
    """Return where the bundle comes from, line by line; few lines if it was not fine-tuned."""
    training = _table(bundle.origin.get("training"))
    if not training:
        return {"fine-tuned": "no"}
    settings = _table(training.get("settings"))
    return {
        "fine-tuned": f"{training.get('method', '?')}, {_count(training.get('steps'))} steps, "
        f"{_count(training.get('trained_parameters'))} of "
        f"{_count(training.get('parameters'))} parameters",
        "learnt from": f"{_count(training.get('pairs'))} pairs of "
        f"{_count(training.get('users'))} users, {_count(training.get('items'))} items "
        f"(data {training.get('data', '?')})",
        "training": ", ".join(f"{name} = {value}" for name, value in settings.items())
        or "as set by default",
        **{
            f"{split} of {_count(training.get(f'{split}_users'))} users": ", ".join(
                f"{name} {_metric(training, f'frozen_{split}', name)} -> "
                f"{_metric(training, split, name)}"
                for name in SHOWN
            )
            for split in ("dev", "test")
        },
        **_gain(_table(training.get("gain"))),
    }


def in_short(bundle: Bundle) -> tuple[object, object]:
    """Return how the bundle was fine-tuned, and NDCG@10 on dev before and after."""
    training = _table(bundle.origin.get("training"))
    if not training:
        return None, None
    before = _metric(training, "frozen_dev", "ndcg@10")
    return training.get("method"), f"{before} -> {_metric(training, 'dev', 'ndcg@10')}"


def parity(bundle: Bundle) -> str | None:
    """Return how close both twins came to the model in torch."""
    found = _table(bundle.origin.get("parity"))
    if not found:
        return None
    least, mean = _number(found.get("fp32_least")), _number(found.get("int8_mean"))
    return f"fp32 {least} (least), int8 {mean} (mean)"


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"


def _metric(training: Mapping[str, Any], split: str, name: str) -> str:
    return _number(_table(training.get(split)).get(name))


def _gain(told: Mapping[str, Any]) -> dict[str, object]:
    numbers = [told.get(name) for name in ("mean", "low", "high")]
    if not all(isinstance(one, int | float) for one in numbers):
        return {}  # bundles of earlier trainings do not know
    mean, low, high = (f"{one:+.4f}" for one in numbers)
    return {"gain on test": f"ndcg@10 {mean} ({low} to {high}, 95 %)"}


def _number(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) else "?"
