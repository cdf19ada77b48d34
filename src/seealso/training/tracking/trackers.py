"""The three trackers, each behind the same two methods."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from seealso.errors import SeeAlsoError

PROJECT: Final = "seealso"
"""Project of Weights & Biases and experiment of MLflow, where their own variables name none."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the trackers know it; a killed run that is continued stays the same one.

    Attributes
    ----------
    name
        What people read.
    id
        Distinguishes it from others of that name.
    place
        Where what is written can be found: a folder, a file or an address.
    """

    name: str
    id: str
    place: str


class Tracker(Protocol):
    """Takes the numbers of one run."""

    failures: tuple[type[Exception], ...]
    """What it raises when it cannot write."""

    def write(self, numbers: Mapping[str, float], step: int) -> None:
        """Write what was measured at a step."""

    def close(self) -> None:
        """Write what is left."""


def first_line(exc: Exception) -> str:
    """Return what went wrong, in one line."""
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]


class TensorBoard:
    """Writes event files.

    Parameters
    ----------
    run, settings, step
        The run, what it does, and the step from which it continues.
    """

    failures: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, run: Run, settings: Mapping[str, Any], step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # what a killed run wrote behind its checkpoint is measured again
        self._writer = SummaryWriter(run.place, purge_step=step + 1 if step else None)
        if not step:
            lines = "".join(f"| {name} | {value} |\n" for name, value in settings.items())
            self._writer.add_text("settings", f"| setting | value |\n|---|---|\n{lines}", 0)

    def write(self, numbers: Mapping[str, float], step: int) -> None:
        """Write what was measured at a step."""
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class WeightsAndBiases:
    """Writes to Weights & Biases, or for a later ``wandb sync`` if ``WANDB_MODE=offline``.

    Parameters
    ----------
    run, settings, step
        The run, what it does, and the step from which it continues.

    Raises
    ------
    SeeAlsoError
        No account is logged in, or the service cannot be reached.
    """

    def __init__(self, run: Run, settings: Mapping[str, Any], step: int) -> None:
        import wandb

        self.failures: tuple[type[Exception], ...] = (wandb.errors.Error, OSError)
        Path(run.place).mkdir(parents=True, exist_ok=True)
        try:
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                name=run.name,
                id=run.id,
                resume="allow" if step else None,
                dir=str(Path(run.place).parent),
                config=dict(settings),
                # by itself it would send source code, command line, host name and load
                settings=wandb.Settings(
                    silent=True,
                    console="off",
                    save_code=False,
                    disable_git=True,
                    disable_code=True,
                    disable_job_creation=True,
                    x_disable_meta=True,
                    x_disable_stats=True,
                    x_disable_machine_info=True,
                ),
            )
        except self.failures as exc:
            raise SeeAlsoError(
                f"Weights & Biases: {first_line(exc)}",
                hint="run `wandb login`, or set WANDB_MODE=offline",
            ) from exc

    def write(self, numbers: Mapping[str, float], step: int) -> None:
        """Write what was measured at a step."""
        self._run.log(dict(numbers), step=step)

    def close(self) -> None:
        """Write what is left."""
        self._run.finish()


class MLflow:
    """Writes to the server of ``MLFLOW_TRACKING_URI``, or to a file beside the checkpoints.

    Parameters
    ----------
    run, settings, step
        The run, what it does, and the step from which it continues.

    Raises
    ------
    SeeAlsoError
        The server or the file refuses.
    """

    def __init__(self, run: Run, settings: Mapping[str, Any], step: int) -> None:
        # it reports to its maker what is called, unless this is set before it is imported
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        self.failures: tuple[type[Exception], ...] = (MlflowException, OSError)
        try:
            self._client = MlflowClient(tracking_uri=run.place)
            self._run_id = self._find_run(run) if step else None
            if self._run_id is None:
                self._run_id = self._create_run(run, settings)
        except self.failures as exc:
            raise SeeAlsoError(
                f"MLflow at {run.place}: {first_line(exc)}",
                hint="check MLFLOW_TRACKING_URI; without it, runs go to a file in training.folder",
            ) from exc

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))

    def _find_run(self, run: Run) -> str | None:
        begun = self._client.search_runs([self._experiment()], f"tags.seealso_run = '{run.id}'")
        return str(begun[0].info.run_id) if begun else None

    def _create_run(self, run: Run, settings: Mapping[str, Any]) -> str:
        made = self._client.create_run(
            self._experiment(), run_name=run.name, tags={"seealso_run": run.id}
        )
        for name, value in settings.items():
            self._client.log_param(made.info.run_id, name, value)
        return str(made.info.run_id)

    def write(self, numbers: Mapping[str, float], step: int) -> None:
        """Write what was measured at a step."""
        for name, value in numbers.items():
            # MLflow takes no @
            self._client.log_metric(self._run_id, name.replace("@", "_at_"), value, step=step)

    def close(self) -> None:
        """Write what is left."""
        self._client.set_terminated(self._run_id)
