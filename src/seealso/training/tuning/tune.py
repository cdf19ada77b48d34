"""Searches the settings of ``[training]`` that rank best on dev; the test users are never asked."""

import copy
import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from seealso.config import Settings
from seealso.datasets.dataset import Dataset, Events, Items, read_dataset_with_progress
from seealso.errors import SeeAlsoError
from seealso.log import stderr
from seealso.training.backbones.methods import layers
from seealso.training.backbones.sources import Backbone, chosen_backbone
from seealso.training.backbones.towers import TextTower, as_model
from seealso.training.learning.context import LearningContext
from seealso.training.learning.head import learn_head
from seealso.training.learning.pretraining import changes_backbone, pretrain
from seealso.training.learning.run import Interrupted
from seealso.training.learning.texts import learn_texts
from seealso.training.learning.trainer import METRIC
from seealso.training.learning.watching import Watcher
from seealso.training.train import load_checked, read_context, run_folder
from seealso.training.tuning.journal import REASON, alone, count_finished, finished, open_optimiser
from seealso.training.tuning.report import TuneReport, summary, write_page
from seealso.training.tuning.search import applied, bounds, current, rounded, space
from seealso.types import Vector

_FROZEN: Final = "frozen.npy"


@dataclass(frozen=True)
class Search:
    """What all trials share.

    Attributes
    ----------
    context
        What is learnt and asked, with the settings as they are now: those of the first trial.
    backbone
        The model before it learns from behaviour.
    frozen
        Its unit vectors of the catalogue, shape (n, d), if a head is learnt over them.
    space
        What is searched.
    folder
        Of the search.
    trials
        How many are to be finished.
    deadline
        When to stop, in seconds of the monotonic clock.
    """

    context: LearningContext
    backbone: Backbone
    frozen: Vector | None
    space: Mapping[str, BaseDistribution]
    folder: Path
    trials: int
    deadline: float

    def expired(self) -> bool:
        """Whether the time is over."""
        return monotonic() >= self.deadline


@dataclass(frozen=True, slots=True)
class TunePlan:
    """What a search would try."""

    folder: Path
    method: str
    users: int
    dev_users: int
    finished: int
    trials: int
    space: Mapping[str, str]


def tune(
    settings: Settings,
    items: Items,
    events: Events,
    *,
    trials: int,
    minutes: float | None,
) -> TuneReport:
    """Search until `trials` trials are finished, in this call and in earlier ones.

    Parameters
    ----------
    settings
        As for `seealso.training.train.train`; they are the first trial.
    items, events
        Give the batches of the catalogue and the event frames.
    trials
        How many trials are to be finished in all; given up ones count.
    minutes
        Time after which this call stops; the running trial continues in the next call.

    Returns
    -------
    TuneReport
        The best settings, what mattered, and the page with the plots.

    Raises
    ------
    SeeAlsoError
        Not one trial was finished in time, or another search is running on the same settings.
    Interrupted
        Ctrl-C was pressed; the same call continues the search.
    """
    deadline = np.inf if minutes is None else monotonic() + 60 * minutes
    shared = read_context(settings, items, events)
    folder = search_folder(settings, shared.dataset)
    with alone(folder):
        search = _prepare(shared, folder, trials, deadline)
        optimiser = open_optimiser(folder, settings.training.seed)
        _take_up(optimiser, search)
        while len(finished(optimiser)) < trials and not search.expired():
            if not _one_more(optimiser, search):
                break
        _check_found(optimiser, minutes)
        found = summary(optimiser, folder, current(settings, search.space))
        write_page(optimiser, found)
        return found


def plan_tune(settings: Settings, items: Items, events: Events, *, trials: int) -> TunePlan:
    """Read the inputs and say what `tune` would search; nothing is written."""
    dataset = read_dataset_with_progress(settings, items, events)
    folder = search_folder(settings, dataset)
    chosen = settings.training
    searched = space(settings, dataset, lambda: len(layers(chosen_backbone(chosen))))
    return TunePlan(
        folder=folder,
        method=chosen.method,
        users=len(dataset.sequences),
        dev_users=len(dataset.dev),
        finished=count_finished(folder),
        trials=trials,
        space={name: bounds(one) for name, one in searched.items()},
    )


def search_folder(settings: Settings, dataset: Dataset) -> Path:
    """Return the folder of a search: another one for other settings or other data."""
    own = run_folder(settings, dataset)
    return own.with_name(f"tune-{own.name}")


def _prepare(shared: LearningContext, folder: Path, trials: int, deadline: float) -> Search:
    chosen = shared.settings.training
    backbone = load_checked(chosen)
    if changes_backbone(chosen):
        pretrain(shared, backbone, folder)
    frozen = _frozen(shared, backbone, folder) if chosen.method == "head" else None
    searched = space(shared.settings, shared.dataset, lambda: len(layers(backbone)))
    return Search(shared, backbone, frozen, searched, folder, trials, deadline)


def _frozen(context: LearningContext, backbone: Backbone, folder: Path) -> Vector:
    """Return the vectors that every head starts from, computed once for all calls."""
    file = folder / _FROZEN
    if file.is_file():
        kept: Vector = np.load(file, allow_pickle=False)
        return kept
    frozen = context.encode(backbone, "encoding, frozen")
    half = file.with_suffix(".partial.npy")
    np.save(half, frozen, allow_pickle=False)
    half.replace(file)
    return frozen


def _take_up(optimiser: optuna.Study, search: Search) -> None:
    """Queue the settings as they are, or what a kill has left unfinished."""
    if not optimiser.trials:
        optimiser.enqueue_trial(current(search.context.settings, search.space))
    for trial in optimiser.get_trials(states=(TrialState.RUNNING,)):
        optimiser.enqueue_trial(trial.params)
        # without a reason: it does not count
        optimiser.tell(trial.number, state=TrialState.FAIL)


def _one_more(optimiser: optuna.Study, search: Search) -> bool:
    """Run one trial; return whether there is time for another."""
    trial = optimiser.ask(dict(search.space))
    choice = rounded(trial.params)
    folder = search.folder / hashlib.sha256(json.dumps(choice).encode()).hexdigest()[:8]
    number = len(finished(optimiser)) + 1
    try:
        value = _value(search, trial, number, folder)
    except optuna.TrialPruned:
        optimiser.tell(trial, state=TrialState.PRUNED)
    except Interrupted:
        # it stays unfinished, and is taken up from its checkpoint by the next call
        if search.expired():
            return False
        raise
    except SeeAlsoError as exc:
        if not finished(optimiser):
            raise
        trial.set_user_attr(REASON, exc.message)
        optimiser.tell(trial, state=TrialState.FAIL)
    else:
        optimiser.tell(trial, value)
    shutil.rmtree(folder, ignore_errors=True)
    _say(optimiser, search, optimiser.trials[trial.number])
    return True


def _value(search: Search, trial: optuna.Trial, number: int, folder: Path) -> float:
    settings = applied(search.context.settings, trial.params)
    named = f"{settings.tuned_name}-trial-{number}"
    settings = settings.model_copy(
        update={"training": settings.training.model_copy(update={"name": named})}
    )
    label = f"trial {number} of {search.trials}"
    watcher = Watcher(label, reporting(trial, settings), search.expired)
    context = replace(search.context, settings=settings, watcher=watcher)
    if search.frozen is not None:
        learnt = learn_head(context, search.backbone, search.frozen, folder)
    else:
        learnt = learn_texts(context, copy.deepcopy(search.backbone), folder)
    model = as_model(TextTower(learnt.backbone))
    return context.rank(model, learnt.raw, context.dataset.dev).best[METRIC]


def reporting(trial: optuna.Trial, settings: Settings) -> Callable[[float, float], None]:
    """Return a callback that reports evaluations to `trial`, and stops it if others were better."""
    reported: set[int] = set()

    def evaluated(epochs: float, metric: float) -> None:
        step = max(1, round(epochs / settings.training.evaluate_every))
        if step not in reported:
            reported.add(step)
            trial.report(metric, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    return evaluated


def _say(optimiser: optuna.Study, search: Search, last: FrozenTrial) -> None:
    done = finished(optimiser)
    took = [trial.duration for trial in done if trial.duration is not None]
    left = sum(took, timedelta()) / len(took) * max(0, search.trials - len(done))
    found = {
        TrialState.COMPLETE: f"{METRIC} {last.value or 0:.4f}",
        TrialState.PRUNED: f"given up at {last.value or 0:.4f}",
        TrialState.FAIL: f"failed: {last.user_attrs.get(REASON)}",
    }[last.state]
    choice = ", ".join(f"{k.partition('.')[2]} {v}" for k, v in rounded(last.params).items())
    stderr.print(
        f"trial {len(done)} of {search.trials}: {found}, best {optimiser.best_value:.4f}, "
        f"{-(-left // timedelta(minutes=1))} min left ({choice})",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _check_found(optimiser: optuna.Study, minutes: float | None) -> None:
    if not optimiser.get_trials(states=(TrialState.COMPLETE,)):
        raise SeeAlsoError(
            f"no trial was finished in {minutes or 0:g} minutes",
            hint="give the same command again: it continues where it stopped",
        )
