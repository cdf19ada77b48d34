"""What a search tries: its bounds, and how a choice becomes settings and text."""

import tomllib

import pytest

from seealso.config import Settings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset
from seealso.training.tuning.search import applied, as_toml, current, rounded, space

EVERYWHERE = {"training.learning_rate", "training.batch", "training.epochs", "profile.recency"}


def dataset(events: int) -> Dataset:
    """One user with so many events."""
    return Dataset(Catalogue((), (), {}, 0), [tuple(range(events))], [], [], "")


def settings(**training: object) -> Settings:
    return Settings.model_validate({"training": training})


@pytest.mark.parametrize(
    ("training", "own"),
    [
        ({"method": "head"}, {"temperature", "popularity", "history_items"}),
        ({"method": "head", "loss": "cosine"}, {"history_items"}),
        ({"method": "full"}, {"temperature", "popularity", "window"}),
        ({"method": "full", "loss": "bce"}, {"temperature", "window"}),
        (
            {"method": "full", "pairs": "history"},
            {"temperature", "popularity", "history_items"},
        ),
        ({"method": "lora"}, {"temperature", "popularity", "window", "rank", "dropout"}),
        ({"method": "adapter"}, {"temperature", "popularity", "window", "bottleneck"}),
        ({"method": "frozen-layers"}, {"temperature", "popularity", "window", "frozen_layers"}),
    ],
)
def test_each_method_searches_what_it_uses(training, own):
    found = space(settings(**training), dataset(5000), lambda: 6)
    assert set(found) - EVERYWHERE == {f"training.{name}" for name in own}
    assert set(found) >= EVERYWHERE


@pytest.mark.parametrize(
    "training",
    [
        {"learning_rate": 5.0, "temperature": 2.0, "batch": 77, "epochs": 90, "window": 50},
        {"method": "lora", "rank": 3, "dropout": 0.9, "learning_rate": 1e-9},
        {"method": "head", "history_items": 1, "batch": 5},
    ],
)
def test_the_settings_as_they_are_lie_within(training):
    chosen = settings(**training)
    found = space(chosen, dataset(5000), lambda: 6)
    for name, value in current(chosen, found).items():
        assert found[name]._contains(found[name].to_internal_repr(value))


def test_no_batch_is_larger_than_the_pairs():
    found = space(settings(method="head", batch=64), dataset(300), lambda: 6)["training.batch"]
    assert found.choices == (64, 128, 256)
    few = space(settings(method="head", batch=64, most_pairs=100), dataset(300), lambda: 6)
    assert few["training.batch"].choices == (64,)


def test_not_all_layers_are_frozen():
    chosen = settings(method="frozen-layers")
    found = space(chosen, dataset(300), lambda: 6)["training.frozen_layers"]
    assert (found.low, found.high) == (0, 5)


CHOICE = {
    "training.learning_rate": 0.000123456789,
    "training.batch": 64,
    "training.loss": "bce",
    "profile.recency": 0.87654321,
}


def test_a_choice_becomes_settings():
    before = settings(epochs=7)
    after = applied(before, CHOICE)
    assert after.training.learning_rate == 0.0001235
    assert (after.training.batch, after.training.epochs) == (64, 7)
    assert after.profile.recency == 0.8765
    assert before.training.batch == Settings().training.batch


def test_what_is_printed_is_what_was_trained_with():
    printed = tomllib.loads(as_toml(CHOICE))
    read = Settings.model_validate(printed)
    assert current(read, dict.fromkeys(CHOICE)) == rounded(CHOICE)
    assert list(printed) == ["profile", "training"]
