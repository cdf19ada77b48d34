"""Where the losses and metrics of a run are written: TensorBoard, Weights & Biases or MLflow.

Numbers and settings leave the program; no text and no id ever does.
"""

import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from transformers import TrainerCallback

from seealso.config import TrainingSettings
from seealso.errors import MissingExtraError
from seealso.log import stderr
from seealso.training.checkpoints import last_checkpoint
from seealso.training.tracking.trackers import (
    MLflow,
    Run,
    TensorBoard,
    Tracker,
    WeightsAndBiases,
    first_line,
)

_RUN: Final = "run.json"
_EXTRA: Final = {"tensorboard": "train", "wandb": "track", "mlflow": "track"}
_PATHS: Final = ("backbone", "teacher")
_OPEN: Final[Mapping[str, Callable[[Run, Mapping[str, Any], int], Tracker]]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "mlflow": MLflow,
}


def check_tracking(settings: TrainingSettings) -> None:
    """Raise MissingExtraError if the package of ``training.tracking`` is not installed."""
    chosen = settings.tracking
    if chosen == "none":
        return
    spec = importlib.util.find_spec(chosen)
    # a folder of that name in the working folder is no package
    if spec is None or spec.origin is None:
        raise MissingExtraError.of(chosen, _EXTRA[chosen])


def run_of(folder: Path) -> Run | None:
    """Return the run that checkpoints in `folder`, if one was begun."""
    file = folder / _RUN
    return Run(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


@contextmanager
def tracking(settings: TrainingSettings, folder: Path) -> Iterator[list[TrainerCallback]]:
    """Give the trainer what writes its numbers to ``training.tracking``.

    Parameters
    ----------
    settings
        Which tracker, and what is described to it.
    folder
        Of the checkpoints: a run that continues from one continues in its tracker as well.

    Raises
    ------
    MissingExtraError
        Its package is not installed.
    SeeAlsoError
        It cannot be reached, or no account is logged in.
    """
    if settings.tracking == "none":
        yield []
        return
    check_tracking(settings)
    found = last_checkpoint(folder)
    step = int(found.name.rpartition("-")[2]) if found else 0
    run = (run_of(folder) if found else None) or _begin(settings, folder)
    tracker = _OPEN[settings.tracking](run, described(settings), step)
    try:
        yield [Tracked(tracker)]
    finally:
        tracker.close()


def described(settings: TrainingSettings) -> dict[str, Any]:
    """Return the settings that a tracker may know: no folder of this machine is among them."""
    return without_paths(settings.model_dump(mode="json", exclude={"folder"}))


def without_paths(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the name of a model in place of the folder that it is in."""
    places = {name: Path(known[name]) for name in _PATHS if known.get(name)}
    own = {name: one.name for name, one in places.items() if one.is_absolute() or one.is_dir()}
    return {**known, **own}


def _begin(settings: TrainingSettings, folder: Path) -> Run:
    made = uuid4().hex[:8]
    name = f"{settings.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    logs = settings.folder / "logs"
    place = {
        "tensorboard": str(logs / f"{name}-{made}"),
        "wandb": str(logs / "wandb"),
        "mlflow": os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{logs.resolve()}/mlflow.db"),
    }[settings.tracking]
    logs.mkdir(parents=True, exist_ok=True)
    run = Run(name, made, place)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _RUN).write_text(json.dumps(asdict(run)), encoding="utf-8")
    return run


class Tracked(TrainerCallback):  # type: ignore[misc]
    """Hands what the trainer logs to a tracker; one that fails ends no training.

    Parameters
    ----------
    tracker
        Takes the numbers.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker: Tracker | None = tracker

    def on_log(self, _args: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
        """Write the numbers."""
        numbers = {
            _name(k): float(v) for k, v in (logs or {}).items() if isinstance(v, int | float)
        }
        if self._tracker is None or not numbers:
            return
        try:
            self._tracker.write(numbers, state.global_step)
        except self._tracker.failures as exc:
            stderr.print(f"tracking stopped: {first_line(exc)}", markup=False, soft_wrap=True)
            self._tracker = None


def _name(key: str) -> str:
    kind, _, name = key.partition("_")
    return f"dev/{name}" if kind == "eval" else f"train/{key.removeprefix('train_')}"
