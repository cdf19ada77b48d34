"""What a command would do, in words."""

from pathlib import Path

from rich.console import Console, RenderableType

from seealso.cli import tables, train, tune
from seealso.training.train import TrainPlan
from seealso.training.tuning.tune import TunePlan

TRAINING = TrainPlan(
    bundle="tuned-films", backbone="minilm", method="head", items=9742, without_text=1, users=609,
    dev_users=608, test_users=607, checkpoints=".seealso/training/tuned-films-1bdb3546",
)  # fmt: skip

SEARCH = TunePlan(
    folder=Path(".seealso/training/tune-films"), method="head", users=609, dev_users=1,
    finished=3, trials=20,
    space={"training.learning_rate": "0.0001 to 0.03 (log)", "training.batch": "64, 128"},
)  # fmt: skip


def printed(what: RenderableType) -> list[list[str]]:
    """Return the cells of each line."""
    console = Console(width=120)
    with console.capture() as capture:
        console.print(tables.Trimmed(what), end="")
    return [line.split(maxsplit=1) for line in capture.get().splitlines()]


def test_a_training_is_planned_in_words() -> None:
    assert train.describe_plan(TRAINING) == {
        "bundle": "tuned-films",
        "backbone": "minilm",
        "method": "head",
        "items": "9,742 (1 more has no text)",
        "users": 609,
        "asked about": "608 users of dev, 607 of test",
        "checkpoints": ".seealso/training/tuned-films-1bdb3546",
    }


def test_a_search_is_planned_in_words_and_each_limit_is_there_once() -> None:
    shown = printed(tune.describe_plan(SEARCH))
    assert ["trials", "20 in total, 3 of them finished"] in shown
    assert ["asked", "about  1 user of dev"] in shown
    assert shown[-3:] == [
        ["setting", "values to try"],
        ["training.learning_rate", "0.0001 to 0.03 (log)"],
        ["training.batch", "64, 128"],
    ]
    assert sum("learning_rate" in cell for line in shown for cell in line) == 1
