"""``seealso index``: an index of items is built, updated and verified."""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

from seealso.api.reading import item_ids, read_inputs, say_notes
from seealso.choices import Engine, OnError, Split
from seealso.cluster import connect
from seealso.config import Settings
from seealso.decoding import read_lines
from seealso.errors import ConfigError, DataError
from seealso.indexer import build, refresh, update
from seealso.indexer.ahead import load_vectors
from seealso.indexer.build_report import BuildPlan, BuildReport
from seealso.indexer.engines import find_engine
from seealso.indexer.live import live_index
from seealso.indexer.refresh import ImportanceReport
from seealso.indexer.update import MOST_DELETED, UpdateReport
from seealso.indexer.verification import Verification
from seealso.indexer.verify import verify_again
from seealso.judging.gate import Gate
from seealso.wording import format_count

NOTHING_LIVE: Final = "nothing was live: there is nothing to compare with"
"""What a gate says where no index can be worse."""


def build_index(
    settings: Settings,
    *,
    on_error: OnError = "stop",
    swap: bool = True,
    gate: bool = False,
    split: Split = "dev",
    allow_unmatched: bool = False,
    engine: Engine = "local",
    vectors: Path | str | None = None,
) -> BuildReport:
    """Build an index beside the live one, verify it, and move the alias to it.

    Parameters
    ----------
    settings
        What is read, with which bundle, and where the index goes.
    on_error
        What a broken row of the catalogue or the events does.
    swap
        Whether the alias moves.
    gate
        Go live only if NDCG@10 is not below that of the live index, beyond chance.
    split
        Which held-out events are the questions of the gate.
    allow_unmatched
        Build even if most events name items that the catalogue lacks.
    engine
        What encodes the texts: this process, or the workers of Ray, for catalogues of files.
    vectors
        A folder of Parquet files with vectors that another engine has encoded: `encode_rows`.

    Raises
    ------
    NotBetter
        The gate found that the new index ranks worse; it stays beside the live one.
    ConfigError, MissingExtraError, DataError, BundleError, ClusterError
        Settings, engine, data, bundle or cluster cannot be used; the alias has not moved.
    """
    encode_ahead = find_engine(engine)
    with read_inputs(settings, on_error) as source, connect(settings) as cluster:
        if vectors is not None:
            load_vectors(settings, Path(vectors))
        judge = Gate.set_up(cluster, settings, source, split=split) if gate else None
        report = build.build(
            cluster,
            settings,
            source,
            swap=swap,
            judge=None if judge is None else judge.judge,
            allow_unmatched=allow_unmatched,
            encode_ahead=encode_ahead,
        )
    say_notes(report.notes)
    return report


def plan_build_index(
    settings: Settings,
    *,
    on_error: OnError = "stop",
    swap: bool = True,  # noqa: ARG001 - a plan moves nothing
    gate: bool = False,
    split: Split = "dev",
    allow_unmatched: bool = False,
    engine: Engine = "local",
    vectors: Path | str | None = None,  # noqa: ARG001 - a plan encodes nothing
) -> BuildPlan:
    """Say what `build_index` would do; nothing is written."""
    find_engine(engine)
    with read_inputs(settings, on_error) as source, connect(settings) as cluster:
        judge = Gate.set_up(cluster, settings, source, split=split) if gate else None
        plan = build.plan(cluster, settings, source, allow_unmatched=allow_unmatched)
    say_notes(plan.notes)
    if judge is None:
        return replace(plan, gate=NOTHING_LIVE) if gate else plan
    users = format_count(len(judge.questions), f"{split} user")
    return replace(plan, gate=f"would compare with {judge.live} on {users}")


def update_index(
    settings: Settings,
    *,
    on_error: OnError = "stop",
    items: Path | str | None = None,
    delete: Path | Collection[str] | None = None,
    delete_missing: bool = False,
    yes: bool = False,
) -> UpdateReport:
    """Write changed items to the live index and delete others.

    Parameters
    ----------
    settings
        What is read, and where the index is.
    on_error
        What a broken row does.
    items
        A file with the changed items only, in the catalogue's format.
    delete
        Ids to delete, or a file with them, one a line.
    delete_missing
        Delete what the catalogue no longer has.
    yes
        Delete more than 5 % of the index, too.

    Returns
    -------
    UpdateReport
        Its `refusal` says why nothing was deleted, where too much would have been.
    """
    return _update(update.update, settings, on_error, items, delete, delete_missing, yes)


def plan_update_index(
    settings: Settings,
    *,
    on_error: OnError = "stop",
    items: Path | str | None = None,
    delete: Path | Collection[str] | None = None,
    delete_missing: bool = False,
    yes: bool = False,
) -> UpdateReport:
    """Say what `update_index` would do; nothing is written."""
    return _update(update.plan_update, settings, on_error, items, delete, delete_missing, yes)


def _update(
    run: Callable[..., UpdateReport],
    settings: Settings,
    on_error: OnError,
    items: Path | str | None,
    delete: Path | Collection[str] | None,
    delete_missing: bool,
    yes: bool,
) -> UpdateReport:
    if isinstance(delete, str):
        raise DataError(
            f"delete: {delete!r} is neither a Path nor several ids", hint=f"[{delete!r}]"
        )
    if items is not None:
        if delete_missing:
            raise ConfigError(
                "delete_missing needs the whole catalogue", hint="leave out the file of items"
            )
        catalogue = settings.catalogue.model_copy(update={"path": Path(items), "index": None})
        settings = settings.model_copy(update={"catalogue": catalogue})
    ids = item_ids(read_lines(delete) if isinstance(delete, Path) else delete or (), settings)
    with read_inputs(settings, on_error) as source, connect(settings) as cluster:
        report = run(
            cluster,
            settings,
            source,
            delete=ids,
            delete_missing=delete_missing,
            most_deleted=1.0 if yes else MOST_DELETED,
        )
    if isinstance(delete, Path) and not ids:
        report = replace(report, notes=(f"{delete}: names no ids", *report.notes))
    say_notes(report.notes)
    return report


def refresh_importance(settings: Settings, *, on_error: OnError = "stop") -> ImportanceReport:
    """Recompute importance from the events, without encoding anything.

    Parameters
    ----------
    settings
        Section ``importance`` may differ from the one of the build.
    on_error
        What a broken row of the events does.
    """
    return _refresh(settings, on_error, write=True)


def plan_refresh_importance(settings: Settings, *, on_error: OnError = "stop") -> ImportanceReport:
    """Say what `refresh_importance` would change; nothing is written."""
    return _refresh(settings, on_error, write=False)


def _refresh(settings: Settings, on_error: OnError, *, write: bool) -> ImportanceReport:
    with read_inputs(settings, on_error) as source, connect(settings) as cluster:
        report = refresh.refresh_importance(cluster, settings, source, write=write)
    say_notes(report.notes)
    return report


def verify_index(settings: Settings, name: str | None = None) -> Verification:
    """Check an index as a build does: count, bundle, a sample encoded again, and its graph.

    Parameters
    ----------
    settings
        Where the index and its bundle are.
    name
        The live index by default; any other one of `list_indices` before it goes live.

    Raises
    ------
    MappingMismatch, BundleError
        A check failed; the message says which.
    """
    with connect(settings) as cluster:
        chosen = name or live_index(cluster, settings).name
        found = verify_again(cluster, chosen, settings)
    say_notes(found.notes)
    return found
