"""One run of the trainer: from pairs to the best parameters, resumable at any time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, PrinterCallback, set_seed

from seealso.config import TrainingSettings
from seealso.errors import DataError, SeeAlsoError
from seealso.log import progress
from seealso.training.checkpoints import clear_broken, last_checkpoint
from seealso.training.learning.trainer import (
    BundleTrainer,
    Evaluator,
    Watch,
    saving_on_interrupt,
    training_arguments,
)
from seealso.training.learning.watching import UNWATCHED, Watcher
from seealso.training.quiet import quiet
from seealso.training.ranks import Ranks
from seealso.training.tracking.runs import tracking


class Interrupted(SeeAlsoError):
    """Ctrl-C: a checkpoint was saved."""

    exit_code = 130


@dataclass(frozen=True)
class Task:
    """What one run of the trainer needs.

    Attributes
    ----------
    model, loss
        A ``SentenceTransformer`` and its loss.
    columns
        The training set, by column.
    measure
        Gives the dev metrics of the model as it is.
    folder
        Checkpoints.
    watcher
        Follows the run.
    ranks
        What AdaLoRA moves after each optimiser step.
    """

    model: Any
    loss: torch.nn.Module
    columns: Mapping[str, Any]
    measure: Callable[[], dict[str, float]]
    folder: Path
    watcher: Watcher = UNWATCHED
    ranks: Ranks | None = None


def steps_of(pairs: int, settings: TrainingSettings) -> int:
    """Return how many optimiser steps `pairs` pairs take.

    Raises
    ------
    DataError
        They do not fill a batch.
    """
    if pairs < settings.batch:
        raise DataError(
            f"{pairs:,} pairs do not fill one batch of {settings.batch}",
            hint="lower training.batch, or give more events",
            pairs=pairs,
        )
    return settings.epochs * steps_per_epoch(pairs, settings)


def steps_per_epoch(pairs: int, settings: TrainingSettings) -> int:
    """Return the optimiser steps of one pass over `pairs` pairs."""
    return max(1, -(-(pairs // settings.batch) // settings.accumulate))


def learn(task: Task, settings: TrainingSettings) -> int:
    """Train, and leave the model with the parameters that ranked best on dev.

    A run whose folder has a checkpoint continues from it, and ends like an uninterrupted one.

    Returns
    -------
    int
        Steps done, those of earlier runs included.

    Raises
    ------
    Interrupted
        Ctrl-C was pressed, or the watcher's time is over; a checkpoint was saved.
    SeeAlsoError
        The memory did not suffice, or the tracker refuses.
    """
    pairs = len(task.columns["anchor"])
    set_seed(settings.seed)
    clear_broken(task.folder)
    with (
        progress(task.watcher.label) as tick,
        _readable_memory(settings),
        quiet(),
        tracking(settings, task.folder) as trackers,
    ):
        watch = Watch(settings, tick, task.ranks, task.watcher)
        trainer = BundleTrainer(
            model=task.model,
            args=training_arguments(settings, task.folder, steps_per_epoch(pairs, settings)),
            train_dataset=Dataset.from_dict(dict(task.columns)),
            loss=task.loss,
            evaluator=Evaluator(task.measure),
            callbacks=[EarlyStoppingCallback(settings.patience), watch, *trackers],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.ranks = task.ranks
        ended = trainer.ended_before()
        if ended is not None:
            return ended
        found = last_checkpoint(task.folder)
        with saving_on_interrupt(watch):
            trainer.train(resume_from_checkpoint=str(found) if found else None)
        steps = int(trainer.state.global_step)
        if not watch.interrupted:
            trainer.note_end()
    if watch.interrupted:
        raise Interrupted(
            f"stopped after step {steps:,}; the checkpoint is in {task.folder}",
            hint="the same command continues from there",
            step=steps,
        )
    return steps


@contextmanager
def _readable_memory(settings: TrainingSettings) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as exc:
        message = str(exc)
        if not isinstance(exc, MemoryError) and not any(
            sign in message.lower()
            for sign in ("out of memory", "can't allocate", "cannot allocate")
        ):
            raise
        at_once = min(settings.batch, settings.mini_batch or settings.batch)
        raise SeeAlsoError(
            f"out of memory with {at_once} pairs encoded at a time",
            hint=f"set training.mini_batch = {max(1, at_once // 4)} (same result, less memory), "
            "or lower training.max_length",
            at_once=at_once,
        ) from exc
