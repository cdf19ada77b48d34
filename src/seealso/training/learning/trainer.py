"""The trainer of sentence-transformers with checkpoints of weights alone, and callbacks.

A checkpoint has the trained parameters (safetensors) and what the trainer needs to continue.
"""

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from time import monotonic
from types import FrameType
from typing import Any, Final

import torch
from accelerate.data_loader import SeedableRandomSampler
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.base.sampler import DefaultBatchSampler
from transformers import TrainerCallback

from seealso.config import TrainingSettings
from seealso.errors import ConfigError
from seealso.log import Ticker
from seealso.training.checkpoints import ENDED, RANKS, WEIGHTS, load_learned
from seealso.training.learning.watching import Watcher
from seealso.training.ranks import Ranks

METRIC: Final = "ndcg@10"


class BundleTrainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """Saves and loads the parameters that learn, whatever the model is made of."""

    ranks: Ranks | None = None

    def add_model_card_callback(self, default_args_dict: Any) -> None:
        """Add none: a bundle describes itself."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        learned = {
            name: parameter.detach().contiguous()
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad
        }
        save_file(learned, folder / WEIGHTS)
        if self.ranks is not None:
            save_file(self.ranks.state(), folder / RANKS)

    def _load_from_checkpoint(self, checkpoint_path: str, model: Any = None) -> None:
        load_learned(self.model, Path(checkpoint_path))
        if self.ranks is not None:
            self.ranks.load(load_file(Path(checkpoint_path) / RANKS))

    def _load_best_model(self) -> None:
        if self.state.best_model_checkpoint:
            load_learned(self.model, Path(self.state.best_model_checkpoint))

    def ended_before(self) -> int | None:
        """Load what an earlier run ended with, and return its steps; None if none has ended."""
        note = Path(self.args.output_dir) / ENDED
        if not note.is_file():
            return None
        ended = json.loads(note.read_text(encoding="utf-8"))
        load_learned(self.model, note.parent / ended["best"])
        return int(ended["steps"])

    def note_end(self) -> None:
        """Note that the run came to its end: a kill after it must not let it learn on."""
        if self.state.best_model_checkpoint:
            best = Path(self.state.best_model_checkpoint)
            note = best.parent / ENDED
            draft = note.with_suffix(".partial")
            draft.write_text(json.dumps({"best": best.name, "steps": self.state.global_step}))
            draft.replace(note)


def training_arguments(
    settings: TrainingSettings, folder: Path, steps_per_epoch: int
) -> SentenceTransformerTrainingArguments:
    """Return the arguments of the trainer.

    Raises
    ------
    ConfigError
        The precision needs a GPU.
    """
    precision = precision_of(settings)
    between = max(1, round(steps_per_epoch * settings.evaluate_every))
    return SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch,
        gradient_accumulation_steps=settings.accumulate,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant_with_warmup"
        if settings.schedule == "constant"
        else settings.schedule,
        warmup_steps=settings.warmup,
        # Adam is AdamW without decay
        optim="sgd" if settings.optimizer == "sgd" else "adamw_torch",
        weight_decay=0.0 if settings.optimizer == "adam" else settings.weight_decay,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        eval_strategy="steps",
        eval_steps=between,
        save_strategy="steps",
        save_steps=between,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{METRIC}",
        greater_is_better=True,
        logging_steps=max(1, min(50, between // 10)),
        seed=settings.seed,
        data_seed=settings.seed,
        report_to=[],
        # the patience that is left
        restore_callback_states_from_checkpoint=True,
        disable_tqdm=True,
        batch_sampler=_batches,
        dataloader_drop_last=True,
    )


def _batches(dataset: Any, *, seed: int, **options: Any) -> DefaultBatchSampler:
    # each epoch has an order of its own, whatever went before: a run can go on in any of them
    order = SeedableRandomSampler(dataset, data_seed=seed, generator=options["generator"])
    return DefaultBatchSampler(order, seed=seed, **options)


def precision_of(settings: TrainingSettings) -> str:
    """Return ``fp32``, ``fp16`` or ``bf16``.

    Raises
    ------
    ConfigError
        The precision needs a GPU, and there is none.
    """
    gpu = torch.cuda.is_available()
    if settings.precision == "auto":
        return "bf16" if gpu and torch.cuda.is_bf16_supported() else "fp32"
    if settings.precision == "fp16" and not gpu:
        raise ConfigError(
            "training.precision: fp16 needs a GPU, and there is none",
            hint="use fp32 or bf16",
            field="training.precision",
        )
    return settings.precision


class Evaluator(BaseEvaluator):  # type: ignore[misc]
    """Hands the metrics of a function to the trainer.

    Parameters
    ----------
    measure
        Gives the metrics of the model as it is.
    """

    def __init__(self, measure: Callable[[], dict[str, float]]) -> None:
        super().__init__()
        self.primary_metric = METRIC
        self.measure = measure

    def __call__(self, *_args: Any, **_kwargs: Any) -> dict[str, float]:
        """Return the metrics."""
        return self.measure()


class Watch(TrainerCallback):  # type: ignore[misc]
    """Shows progress, checkpoints by the clock, and ends the run when it has to.

    Parameters
    ----------
    settings
        Time limits.
    tick
        Called with the steps done; says loss and metric.
    ranks
        What AdaLoRA moves after each optimiser step.
    watcher
        Hears of each evaluation, and may ask for an end.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        tick: Ticker,
        ranks: Ranks | None,
        watcher: Watcher,
    ) -> None:
        self._settings = settings
        self._tick = tick
        self._ranks = ranks
        self._watcher = watcher
        self._loss = ""
        self._metric = ""
        self._began = self._saved = monotonic()
        self.interrupted = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Count from where the run continues."""
        self._tick.total(state.max_steps)
        self._tick(state.global_step)
        self._began = self._saved = monotonic()
        for entry in state.log_history:
            self._hear(entry)

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Let AdaLoRA move its ranks."""
        if self._ranks is not None:
            self._ranks.after_step(state.global_step + 1)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Decide on saving and ending."""
        self._tick(1)
        now = monotonic()
        limit = self._settings.most_minutes
        if limit is not None and now - self._began > 60 * limit:
            control.should_evaluate = control.should_save = control.should_training_stop = True
        if now - self._saved > 60 * self._settings.checkpoint_minutes:
            control.should_save = True
        self.interrupted = self.interrupted or self._watcher.expired()
        if self.interrupted:
            control.should_save = control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note the time."""
        self._saved = monotonic()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Show the loss."""
        if logs and "loss" in logs:
            self._loss = f"loss {float(logs['loss']):.3f}"
            self._say()

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
    ) -> None:
        """Show the metric."""
        if metrics and f"eval_{METRIC}" in metrics:
            self._metric = f"ndcg {metrics[f'eval_{METRIC}']:.4f}"
            self._say()
            self._hear(metrics)

    def _hear(self, entry: Mapping[str, Any]) -> None:
        if f"eval_{METRIC}" in entry:
            self._watcher.evaluated(float(entry["epoch"]), float(entry[f"eval_{METRIC}"]))

    def interrupt(self) -> None:
        """End the run after this step."""
        self.interrupted = True
        self._tick.say("saving a checkpoint; Ctrl-C once more stops at once")

    def _say(self) -> None:
        self._tick.say(", ".join(part for part in (self._loss, self._metric) if part))


@contextmanager
def saving_on_interrupt(watch: Watch) -> Iterator[None]:
    """Let the first Ctrl-C save a checkpoint at the end of the step; the second one stops."""
    if current_thread() is not main_thread():
        # only the main thread hears signals
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        watch.interrupt()
        signal.signal(number, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
