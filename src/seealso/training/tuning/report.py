"""What a search has found: the best settings, what mattered, and a page with plots."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import optuna
from jinja2 import Environment
from optuna.trial import FrozenTrial, TrialState

from seealso.training.learning.trainer import METRIC
from seealso.training.tuning.journal import finished
from seealso.training.tuning.search import as_toml, rounded

_STATES: Final = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "given up",
    TrialState.FAIL: "failed",
}


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial as it is shown, numbered from 1."""

    number: int
    state: str
    value: float | None
    minutes: float
    choice: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What a search has found.

    Attributes
    ----------
    folder, page
        Where the search is kept, and its page with plots.
    before, best
        NDCG@10 on dev with the settings as they were, and with the best ones.
    choice, toml
        The best settings, by name and as the settings file takes them.
    importances
        Share of each setting in what made trials good, largest first; empty if too few finished.
    trials
        All trials, best first.
    """

    folder: Path
    page: Path
    before: float | None
    best: float
    choice: Mapping[str, Any]
    toml: str
    importances: Mapping[str, float]
    trials: tuple[TrialRow, ...]


def summary(optimiser: optuna.Study, folder: Path, before: Mapping[str, Any]) -> TuneReport:
    """Return what `optimiser` has found; `before` are the settings as they were."""
    return TuneReport(
        folder=folder,
        page=folder / "report.html",
        before=_value_of(optimiser, before),
        best=optimiser.best_value,
        choice=rounded(optimiser.best_params),
        toml=as_toml(optimiser.best_params),
        importances=importances(optimiser),
        trials=tuple(_rows(optimiser)),
    )


def write_page(optimiser: optuna.Study, found: TuneReport) -> None:
    """Write the plots and the table of all trials as one page that needs no network."""
    text = (files("seealso.training.tuning") / "page.html").read_text(encoding="utf-8")
    page = Environment(autoescape=True).from_string(text)
    found.page.write_text(page.render(found=found, plots=_plots(optimiser)), encoding="utf-8")


def importances(optimiser: optuna.Study) -> dict[str, float]:
    """Return the share of each setting in what made trials good, largest first."""
    try:
        with warnings.catch_warnings():
            # of too few trials it warns, and calls all settings equal
            warnings.simplefilter("error", UserWarning)
            return dict(optuna.importance.get_param_importances(optimiser))
    except (ValueError, RuntimeError, UserWarning):
        return {}


def _plots(optimiser: optuna.Study) -> list[tuple[str, str, str]]:
    importance = importances(optimiser)
    if not importance:
        return []
    from optuna import visualization as plot

    name = f"{METRIC} on dev"
    figures = (
        ("History", "Each trial, and the best one so far.",
         plot.plot_optimization_history(optimiser, target_name=name)),
        ("What mattered", "Share of each setting in what made trials good.",
         plot.plot_param_importances(optimiser, target_name=name)),
        ("All settings together", "One line a trial; drag along an axis to select.",
         plot.plot_parallel_coordinate(optimiser, target_name=name)),
        ("Each setting alone", "One point a trial.",
         plot.plot_slice(optimiser, target_name=name)),
    )  # fmt: skip
    return [
        (heading, words, figure.to_html(full_html=False, include_plotlyjs=place == 0))
        for place, (heading, words, figure) in enumerate(figures)
    ]


def _rows(optimiser: optuna.Study) -> list[TrialRow]:
    # numbered as the lines of the search are: what a kill broke off has no number
    rows = [
        TrialRow(
            number,
            _STATES[trial.state],
            trial.value,
            trial.duration.total_seconds() / 60 if trial.duration else 0.0,
            rounded(trial.params),
        )
        for number, trial in enumerate(finished(optimiser), 1)
    ]
    return sorted(rows, key=lambda row: (row.state != "finished", -(row.value or 0), row.number))


def _value_of(optimiser: optuna.Study, choice: Mapping[str, Any]) -> float | None:
    found = next((trial for trial in optimiser.trials if _is(trial, choice)), None)
    return None if found is None else found.value


def _is(trial: FrozenTrial, choice: Mapping[str, Any]) -> bool:
    return trial.state == TrialState.COMPLETE and rounded(trial.params) == rounded(choice)
