"""The file that a search is kept in: it survives a kill, and one search writes to it at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import optuna
from filelock import FileLock, Timeout
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from seealso.errors import SeeAlsoError

_NAME: Final = "tune"
_FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
REASON: Final = "reason"
"""Attribute of a trial that failed by itself: why."""


def open_optimiser(folder: Path, seed: int) -> optuna.Study:
    """Return the study that `folder` holds, or a new one."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    file = journal(folder)
    if file.is_file():
        _mend(file)
    optimiser = optuna.create_study(
        storage=_storage(file),
        study_name=_NAME,
        direction="maximize",
        load_if_exists=True,
        # the first evaluations say little: the learning rate is still rising
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2),
    )
    # with the same seed, a search that goes on would draw its first trials once more
    optimiser.sampler = optuna.samplers.TPESampler(
        seed=seed + len(optimiser.trials), n_startup_trials=6
    )
    return optimiser


def count_finished(folder: Path) -> int:
    """Return how many trials the search of `folder` has finished; nothing is written."""
    file = journal(folder)
    if not file.is_file():
        return 0
    return len(finished(optuna.load_study(storage=_storage(file), study_name=_NAME)))


def finished(optimiser: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that are over for good: what a kill broke off is not."""
    return [
        trial
        for trial in optimiser.get_trials(states=_FINISHED)
        if trial.state != TrialState.FAIL or REASON in trial.user_attrs
    ]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make `folder`, and keep other searches out of it while the block runs.

    Raises
    ------
    SeeAlsoError
        Another one is running.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "tune.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as exc:
        raise SeeAlsoError(
            f"{folder}: another search with these settings is running",
            hint="wait for it, or stop it: the same command continues it",
        ) from exc
    try:
        yield
    finally:
        lock.release()


def journal(folder: Path) -> Path:
    """Return the file that the search of `folder` is kept in."""
    return folder / "study.jsonl"


def _storage(file: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(file)))


def _mend(file: Path) -> None:
    """Cut off a line that a power failure left half-written, and take away its lock."""
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        file.write_bytes(whole)
    file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
