"""``seealso build``: from files to the best lists, the first time and every night."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from seealso.api.bundles import export_model
from seealso.api.reading import read_inputs, say_notes
from seealso.api.users import write_users
from seealso.choices import WHEEL, OnError
from seealso.cluster import Cluster, connect
from seealso.config import Settings
from seealso.encoder import BundleStore, find_serving_bundle
from seealso.errors import NotBetter, SeeAlsoError, TooFewEvents
from seealso.indexer import build as indexing
from seealso.indexer.build_report import BuildPlan, BuildReport
from seealso.indexer.inputs import Inputs, keep_events
from seealso.indexer.users.build import UsersReport, refresh_users, require_replaceable
from seealso.judging.gate import Gate
from seealso.readers import Problems, Pseudonyms

if TYPE_CHECKING:
    from seealso.fitting.fit_report import FitReport
    from seealso.training.train import TrainReport


@dataclass(frozen=True, slots=True)
class CompleteBuild:
    """What `build` did.

    Attributes
    ----------
    exported
        The model that was exported because the store had none; None where it had.
    fit
        How the bundle of the index came about, in a line.
    trained
        What training did; None where it was not asked for, or nothing had changed.
    fitted
        What was fitted; None where nothing had changed, or events do not suffice.
    index
        The build of the index.
    users
        What became of the users index; None unless ``users.enabled``.
    """

    exported: str | None
    fit: str
    fitted: "FitReport | None"
    index: BuildReport
    users: UsersReport | None = None
    trained: "TrainReport | None" = None


@dataclass(frozen=True, slots=True)
class CompleteBuildPlan:
    """What `build` would do.

    Attributes
    ----------
    exports
        The model that would be exported; None where the store has one.
    train
        What would be trained, in a line; None where it was not asked for.
    fit
        What would be fitted, in a line.
    index
        The build of the index; None before there is a model.
    """

    exports: str | None
    train: str | None
    fit: str
    index: BuildPlan | None


def build(
    settings: Settings,
    *,
    on_error: OnError = "stop",
    allow_unmatched: bool = False,
    train: bool = False,
) -> CompleteBuild:
    """Go from files to the best lists: export, fit, build, verify, compare, and swap.

    What is there is used: a model that was exported, a bundle that was fitted from the same
    events, texts that were encoded, an index that a killed call began. Where ``users.enabled``,
    the users index follows.

    Parameters
    ----------
    settings
        All sections are used.
    on_error
        What a broken row of the catalogue or the events does.
    allow_unmatched
        Build even if most events name items that the catalogue lacks.
    train
        Fine-tune the model of ``training`` where events have changed. It reads the texts only if
        the lists gain beyond chance on dev; what they gain is in ``fitted.fine_tuned``.

    Raises
    ------
    NotBetter
        The new index ranks worse than the live one, beyond chance; it stays beside it.
    MissingExtraError
        The extra ``export`` is needed to make a bundle of a model, ``train`` to train, ``evaluate``
        to fit.
    ConfigError, DataError, BundleError, ClusterError
        Settings, data, bundle or cluster cannot be used; the alias has not moved.
    """
    # the cluster first, and the key of the users: both would be late after minutes of fitting
    with connect(settings) as cluster, read_inputs(settings, on_error) as source:
        cluster.version()
        renew_users = _prepare_users(cluster, settings, source.problems)
        source = keep_events(source)
        exported = export_model(settings).name if lacks_model(settings) else None
        trained = _train(settings, source) if train else None
        fit, fitted, enough = _fit(settings, source)
        gate = Gate.set_up(cluster, settings, source, split="dev") if enough else None
        try:
            index = indexing.build(
                cluster,
                settings,
                source,
                judge=None if gate is None else gate.judge,
                allow_unmatched=allow_unmatched,
            )
        except NotBetter as exc:
            # the live index stays, and so does the need for users as they are today
            _renew_for_live(renew_users, exc)
            raise
        users = renew_users()
    if gate is None and index.previous is not None:
        unasked = f"not compared with {index.previous}: the events suffice for no questions"
        index = replace(index, notes=(*index.notes, unasked))
    say_notes((*index.notes, *(() if users is None else users.notes)))
    return CompleteBuild(exported, fit, fitted, index, users, trained)


def _prepare_users(
    cluster: Cluster, settings: Settings, problems: Problems
) -> Callable[[], UsersReport | None]:
    """Return what renews the users index, once it is known that it can; nothing if it is off."""
    if not settings.users.enabled:
        return lambda: None
    names = Pseudonyms.from_environment(os.environ)
    require_replaceable(cluster, settings, names)
    return partial(write_users, cluster, settings, names, problems, refresh_users)


def _renew_for_live(renew_users: Callable[[], object], rejection: NotBetter) -> None:
    """Renew the users index of the live index, which stays; a failure does not hide why."""
    try:
        renew_users()
    except SeeAlsoError as exc:
        raise NotBetter(
            f"{rejection.message}; the users index was not renewed either: {exc.message}",
            hint="; ".join(filter(None, (rejection.hint, exc.hint))),
            caller_hint=None,
            **{**exc.context, **rejection.context},
        ) from exc


def plan_build(
    settings: Settings,
    *,
    on_error: OnError = "stop",
    allow_unmatched: bool = False,
    train: bool = False,
) -> CompleteBuildPlan:
    """Say what `build` would do; nothing is written."""
    with connect(settings) as cluster, read_inputs(settings, on_error) as source:
        cluster.version()
        if lacks_model(settings):
            would_train = "where events suffice" if train else None
            return CompleteBuildPlan(WHEEL, would_train, "would fit where events suffice", None)
        source = keep_events(source)
        would_train = _plan_training(settings, source) if train else None
        fit = _plan_fit(settings, source)
        index = indexing.plan(cluster, settings, source, allow_unmatched=allow_unmatched)
    say_notes(index.notes)
    return CompleteBuildPlan(None, would_train, fit, index)


def lacks_model(settings: Settings) -> bool:
    """Whether the default model has to be exported; another one that is named has to be there."""
    named = "bundle" in settings.encoder.model_fields_set
    return not named and not BundleStore(settings.encoder.store).has(settings.encoder.bundle)


def _train(settings: Settings, source: Inputs) -> "TrainReport | None":
    """Fine-tune where data or settings have changed; too few events are said by the fit."""
    if not _is_training_due(settings, source):
        return None
    from seealso.training.train import train as fine_tune

    return fine_tune(settings, source.items, source.learnt)


def _plan_training(settings: Settings, source: Inputs) -> str:
    name = settings.tuned_name
    return f"would make {name}" if _is_training_due(settings, source) else "nothing to do"


def _is_training_due(settings: Settings, source: Inputs) -> bool:
    from seealso.training import TRAINING, require

    require(*TRAINING)
    from seealso.training.train import find_current

    try:
        return find_current(settings, source.items, source.learnt) is None
    except TooFewEvents:
        return False


def _fit(settings: Settings, source: Inputs) -> "tuple[str, FitReport | None, bool]":
    """Return what happened in a line, the report, and whether there is enough to judge by."""
    from seealso.fitting.fit import refresh_fit
    from seealso.fitting.fit_report import FitReport
    from seealso.fitting.lineage import describe_dev

    try:
        found = refresh_fit(settings, source.items, source.learnt, source.images(), source.groups())
    except TooFewEvents as exc:
        return _describe_unfitted(settings, exc), None, False
    if isinstance(found, FitReport):
        reached = describe_dev(found.fitted.dev)
        return f"{found.bundle}, in {found.seconds:.0f} seconds: {reached}", found, True
    return f"{found.name} stays: events, items and settings are as they were", None, True


def _plan_fit(settings: Settings, source: Inputs) -> str:
    from seealso.fitting.fit import find_current_fit

    try:
        found = find_current_fit(
            settings, source.items, source.learnt, source.images(), source.groups()
        )
    except TooFewEvents as exc:
        return _describe_unfitted(settings, exc)
    return f"would fit {settings.fit_name}" if found is None else f"{found.name} would stay"


def _describe_unfitted(settings: Settings, exc: TooFewEvents) -> str:
    texts_alone = find_serving_bundle(settings).collaborative is None
    lists = "lists are from texts alone" if texts_alone else f"{settings.fit_name} stays"
    return f"nothing was fitted, {lists}: {exc.message}"
