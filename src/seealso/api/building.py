"""``seealso build``: from files to the best lists, the first time and every night."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seealso.api.bundles import export_model
from seealso.api.reading import read_inputs, say_notes
from seealso.choices import WHEEL, OnError
from seealso.cluster import connect
from seealso.config import Settings
from seealso.encoder import BundleStore
from seealso.errors import TooFewEvents
from seealso.indexer import build as indexing
from seealso.indexer.build_report import BuildPlan, BuildReport
from seealso.indexer.inputs import Inputs
from seealso.judging.gate import Gate

if TYPE_CHECKING:
    from seealso.fitting.fit import FitReport


@dataclass(frozen=True, slots=True)
class CompleteBuild:
    """What `build` did.

    Attributes
    ----------
    exported
        The model that was exported because the store had none; None where it had.
    fit
        How the bundle of the index came about, in a line.
    fitted
        What was fitted; None where nothing had changed, or events do not suffice.
    index
        The build of the index.
    """

    exported: str | None
    fit: str
    fitted: "FitReport | None"
    index: BuildReport


@dataclass(frozen=True, slots=True)
class CompleteBuildPlan:
    """What `build` would do.

    Attributes
    ----------
    exports
        The model that would be exported; None where the store has one.
    fit
        What would be fitted, in a line.
    index
        The build of the index; None before there is a model.
    """

    exports: str | None
    fit: str
    index: BuildPlan | None


def build(
    settings: Settings, *, on_error: OnError = "stop", allow_unmatched: bool = False
) -> CompleteBuild:
    """Go from files to the best lists: export, fit, build, verify, compare, and swap.

    What is there is used: a model that was exported, a bundle that was fitted from the same
    events, texts that were encoded, an index that a killed call began.

    Parameters
    ----------
    settings
        All sections are used.
    on_error
        What a broken row of the catalogue or the events does.
    allow_unmatched
        Build even if most events name items that the catalogue lacks.

    Raises
    ------
    NotBetter
        The new index ranks worse than the live one, beyond chance; it stays beside it.
    MissingExtraError
        The extra ``train`` is needed to export a model, ``evaluate`` to fit.
    ConfigError, DataError, BundleError, ClusterError
        Settings, data, bundle or cluster cannot be used; the alias has not moved.
    """
    # the cluster first: it would be late after minutes of fitting
    with connect(settings) as cluster, read_inputs(settings, on_error) as source:
        cluster.version()
        exported = export_model(settings).name if lacks_model(settings) else None
        fit, fitted, enough = _fit(settings, source)
        gate = Gate.set_up(cluster, settings, source, split="dev") if enough else None
        index = indexing.build(
            cluster,
            settings,
            source,
            judge=None if gate is None else gate.judge,
            allow_unmatched=allow_unmatched,
        )
    say_notes(index.notes)
    return CompleteBuild(exported, fit, fitted, index)


def plan_build(
    settings: Settings, *, on_error: OnError = "stop", allow_unmatched: bool = False
) -> CompleteBuildPlan:
    """Say what `build` would do; nothing is written."""
    if lacks_model(settings):
        return CompleteBuildPlan(WHEEL, "would fit where events suffice", None)
    with connect(settings) as cluster, read_inputs(settings, on_error) as source:
        fit = _plan_fit(settings, source)
        index = indexing.plan(cluster, settings, source, allow_unmatched=allow_unmatched)
    say_notes(index.notes)
    return CompleteBuildPlan(None, fit, index)


def lacks_model(settings: Settings) -> bool:
    """Whether the default model has to be exported; another one that is named has to be there."""
    named = "bundle" in settings.encoder.model_fields_set
    return not named and not BundleStore(settings.encoder.store).has(settings.encoder.bundle)


def _fit(settings: Settings, source: Inputs) -> "tuple[str, FitReport | None, bool]":
    """Return what happened in a line, the report, and whether there is enough to judge by."""
    from seealso.fitting.fit import FitReport, refresh_fit
    from seealso.fitting.lineage import describe_dev

    try:
        found = refresh_fit(settings, source.items, source.events, source.images())
    except TooFewEvents as exc:
        return _by_texts(exc), None, False
    if isinstance(found, FitReport):
        reached = describe_dev(found.fitted.dev)
        return f"{found.bundle}, fitted in {found.seconds:.0f} seconds: {reached}", found, True
    return f"{found.name}, as it was: fitted from the same events", None, True


def _plan_fit(settings: Settings, source: Inputs) -> str:
    from seealso.fitting.fit import find_current_fit

    try:
        found = find_current_fit(settings, source.items, source.events, source.images())
    except TooFewEvents as exc:
        return _by_texts(exc)
    return f"would fit {settings.fit.name}" if found is None else f"{found.name} would stay"


def _by_texts(exc: TooFewEvents) -> str:
    return f"nothing was fitted, lists are from texts alone: {exc.message}"
