"""``seealso train``, ``tune``, ``fit`` and ``evaluate``: what behaviour teaches, and how well."""

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seealso.api.reading import read_inputs
from seealso.choices import OnError, Split
from seealso.cluster import connect
from seealso.config import Settings
from seealso.encoder import BundleStore
from seealso.errors import ConfigError, MissingExtraError
from seealso.evaluation import PROTOCOLS
from seealso.readers import (
    Attributes,
    FileSource,
    Problems,
    Pseudonyms,
    read_attributes,
)
from seealso.readers.pseudonyms import KEY

if TYPE_CHECKING:
    from seealso.evaluation.results import Evaluation
    from seealso.evaluation.systems import SystemBuilder
    from seealso.fitting.fit_report import FitReport
    from seealso.training.train import TrainPlan, TrainReport
    from seealso.training.tuning.report import TuneReport
    from seealso.training.tuning.tune import TunePlan


def train(settings: Settings, *, on_error: OnError = "stop", force: bool = False) -> "TrainReport":
    """Fine-tune the model of ``training`` on behaviour, and write its bundle.

    A call that was killed is continued when it is made again.

    Parameters
    ----------
    settings
        Section ``training`` says how.
    on_error
        What a broken row does.
    force
        Replace a bundle of that name.

    Raises
    ------
    MissingExtraError
        The extra ``train`` is not installed.
    BundleError
        There is a bundle of that name.
    DataError
        There is too little to learn from.
    """
    _check_training(settings, force=force)
    from seealso.training.train import train as fine_tune

    with read_inputs(settings, on_error) as source:
        return fine_tune(settings, source.items, source.learnt)


def plan_train(
    settings: Settings, *, on_error: OnError = "stop", force: bool = False
) -> "TrainPlan":
    """Say what `train` would learn from; nothing is written."""
    _check_training(settings, force=force)
    from seealso.training.train import plan

    with read_inputs(settings, on_error) as source:
        return plan(settings, source.items, source.learnt)


def _check_training(settings: Settings, *, force: bool) -> None:
    from seealso.training import TRAINING, refuse_existing, require

    require(*TRAINING)
    if not force:
        store = BundleStore(settings.encoder.store)
        refuse_existing(settings.tuned_name, store, "training.name")


def tune(
    settings: Settings,
    *,
    on_error: OnError = "stop",
    trials: int = 20,
    timeout: float | None = None,
) -> "TuneReport":
    """Search the settings of ``training`` that rank best on dev.

    Parameters
    ----------
    settings
        The first trial is these settings as they are.
    on_error
        What a broken row does.
    trials
        How many trials are to be finished in all, those of earlier calls included.
    timeout
        Minutes after which this call stops.

    Returns
    -------
    TuneReport
        `toml` holds the best settings.
    """
    _check_tuning()
    from seealso.training.tuning.tune import tune as search

    with read_inputs(settings, on_error) as source:
        return search(settings, source.items, source.learnt, trials=trials, minutes=timeout)


def plan_tune(settings: Settings, *, on_error: OnError = "stop", trials: int = 20) -> "TunePlan":
    """Say what `tune` would search; nothing is written."""
    _check_tuning()
    from seealso.training.tuning.tune import plan_tune as plan

    with read_inputs(settings, on_error) as source:
        return plan(settings, source.items, source.learnt, trials=trials)


def _check_tuning() -> None:
    from seealso.training import TRAINING, require

    require(*TRAINING)
    for package in ("optuna", "plotly"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError.of(package, "tune")


def fit(settings: Settings, *, on_error: OnError = "stop", force: bool = False) -> "FitReport":
    """Fit the bundle of ``fit``: behaviour and texts in one vector, all weights chosen on dev.

    Parameters
    ----------
    settings
        Section ``fit`` names the bundle, ``encoder.bundle`` is what it stands on.
    on_error
        What a broken row does.
    force
        Replace a bundle of that name.

    Raises
    ------
    ConfigError
        There is a bundle of that name.
    DataError
        There is too little to learn from.
    """
    from seealso.fitting.fit import fit as fit_bundle

    name = settings.fit_name
    if BundleStore(settings.encoder.store).folder_of(name).exists() and not force:
        raise ConfigError(
            f"fit.name: there is a bundle {name} already",
            hint="--force replaces it, `seealso build` does so where events have changed; or give "
            "another name",
            field="fit.name",
        )
    with read_inputs(settings, on_error) as source:
        return fit_bundle(settings, source.items, source.learnt, source.images(), source.groups())


def evaluate(
    settings: Settings,
    *,
    on_error: OnError = "stop",
    protocols: Sequence[str] = PROTOCOLS[:1],
    split: Split = "dev",
    baselines: Sequence[str] | None = None,
    index: bool = True,
    users: int | None = None,
    by: str | None = None,
    by_user: str | None = None,
    out: Path | str | None = None,
    before: Path | str | None = None,
    keep: bool = False,
    groups: bool = False,
    workbench: Path | str | None = None,
) -> "Evaluation":
    """Measure recommendations on events that were kept back, beside tuned baselines.

    Parameters
    ----------
    settings
        What the index is built from, and how it is queried.
    on_error
        What a broken row does.
    protocols
        Of `PROTOCOLS`: how events are kept back and asked about.
    split
        Choose by dev; ask test once, at the end.
    baselines
        Of `seealso.evaluation.BASELINES`; None for all that end in minutes, none of them for the
        index alone.
    index
        Whether the index takes part; without it, no cluster is needed.
    users
        Ask at most so many users, drawn.
    by
        A field of the catalogue by whose values results are split.
    by_user
        An attribute in the file of ``users``, to compare groups of users.
    out
        A folder for report.html and evaluation.json.
    before
        The evaluation.json of an earlier one, to compare with.
    keep
        Leave the index that was evaluated in the cluster.
    groups
        Compare ways to make lists for the known groups of ``groups.path``, too.
    workbench
        A folder for what the Search Relevance Workbench of OpenSearch imports: users by their
        pseudonyms as queries, their later choices as judgments, a search configuration a list.

    Raises
    ------
    ConfigError
        There is nothing to evaluate, a setting does not fit, or there are more users than the
        Workbench takes.
    DataError
        There is nothing to learn from, or there are no questions.
    MissingExtraError
        The extra ``evaluate`` is not installed.
    """
    if not index and baselines is not None and not baselines:
        raise ConfigError("without the index and without baselines, there is nothing to evaluate")
    if before is not None and not index:
        raise ConfigError("an earlier evaluation is compared by the index, which is left out")
    if groups and not index:
        raise ConfigError("lists for groups come from the index, which is left out")
    if groups and settings.groups.path is None:
        raise ConfigError("no file names groups", hint="set groups.path in seealso.toml")
    from seealso.evaluation.earlier import Earlier
    from seealso.evaluation.evaluate import evaluate as hold
    from seealso.evaluation.report import require_plots, write_report
    from seealso.evaluation.workbench.writing import Workbench

    if out is not None:
        # before anything is asked, not an hour later
        require_plots()
    earlier = None if before is None else Earlier.read(Path(before))
    # the same in the report and in the Workbench
    names = Pseudonyms.from_environment(os.environ) if KEY in os.environ else Pseudonyms.draw()
    bench = Workbench(Path(workbench), settings.index.alias, split, names) if workbench else None
    with read_inputs(settings, on_error) as source:
        parted = None
        if by_user is not None:
            from seealso.evaluation.fairness import Groups

            parted = Groups.of(by_user, _attributes_of_users(settings, source.problems))
        builders: list[SystemBuilder] = []
        if baselines is None or baselines:
            from seealso.evaluation.baselines import baselines as baselines_of

            builders += baselines_of(settings, baselines)
        if index:
            from seealso.judging.index_systems import IndexSystems

            builders.append(IndexSystems(connect(settings), settings, source, keep))
        found = hold(
            settings,
            source.items,
            source.learnt,
            builders,
            protocols=protocols,
            split=split,
            by=by,
            most_users=users,
            before=earlier,
            groups=parted,
            known_groups=source.groups() if groups else None,
            names=names,
            workbench=bench,
        )
    if out is not None:
        write_report(found, Path(out))
    return found


def _attributes_of_users(settings: Settings, problems: Problems) -> dict[str, Attributes]:
    """Return the attributes of each user of the file of ``users``.

    Raises
    ------
    ConfigError
        No file is named.
    DataError
        It cannot be read.
    """
    users = settings.users
    if users.path is None:
        raise ConfigError("no file has attributes of users", hint="set users.path in seealso.toml")
    file = FileSource(users.path, format=users.format, columns=users.columns, section="users")
    return read_attributes(file, users, problems)
