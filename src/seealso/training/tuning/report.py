"""What a search has found: the best settings, what mattered, and a page with plots."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
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

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>seealso tune</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; font-size: 14px } .wide { overflow-x: auto }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; white-space: nowrap }
th { border-bottom: 1px solid #999 } tr.best { font-weight: bold }
pre { background: #f4f4f6; padding: 1rem; overflow-x: auto }
</style></head><body>
<h1>seealso tune</h1>
<p>Best NDCG@10 on dev: <b>{{ "%.4f"|format(best) }}</b> (trial {{ best_number }}){% if before
 is not none %}; with the settings as they were: {{ "%.4f"|format(before) }}{% endif %}.</p>
<pre>{{ toml }}</pre>
{% for heading, words, plot in plots %}<h2>{{ heading }}</h2><p>{{ words }}</p>{{ plot|safe }}
{% else %}<p>Plots need two finished trials with different results.</p>{% endfor %}
<h2>Trials</h2><div class="wide"><table><thead><tr><th>trial</th><th>state</th><th>NDCG@10</th>
<th>minutes</th>{% for name in names %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for one in trials %}<tr{% if one.number == best_number %} class="best"{% endif %}>
<td>{{ one.number }}</td><td>{{ one.state }}</td>
<td>{{ "%.4f"|format(one.value) if one.value is not none else "-" }}</td>
<td>{{ "%.1f"|format(one.minutes) }}</td>
{% for name in names %}<td>{{ one.choice.get(name, "-") }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div></body></html>
"""


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


def summary(
    optimiser: optuna.Study, folder: Path, page: Path, before: Mapping[str, Any]
) -> TuneReport:
    """Return what `optimiser` has found; `before` are the settings as they were."""
    return TuneReport(
        folder=folder,
        page=page,
        before=_value_of(optimiser, before),
        best=optimiser.best_value,
        choice=rounded(optimiser.best_params),
        toml=as_toml(optimiser.best_params),
        importances=importances(optimiser),
        trials=tuple(_rows(optimiser)),
    )


def write_page(optimiser: optuna.Study, file: Path, before: Mapping[str, Any]) -> Path:
    """Write the plots and the table of all trials as one page that needs no network."""
    page = Environment(autoescape=True).from_string(_PAGE)
    file.write_text(
        page.render(
            best=optimiser.best_value,
            best_number=_rows(optimiser)[0].number,
            before=_value_of(optimiser, before),
            toml=as_toml(optimiser.best_params),
            plots=_plots(optimiser),
            trials=_rows(optimiser),
            names=sorted(optimiser.best_params),
        ),
        encoding="utf-8",
    )
    return file


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
