"""``seealso status``: what is live, how good and how old it is, and what to do next."""

import os
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from seealso.api.building import lacks_model
from seealso.api.next_steps import choose_next, find_behind
from seealso.api.reading import read_inputs
from seealso.cluster import Cluster, connect, indices
from seealso.config import Settings
from seealso.encoder import Bundle, BundleStore
from seealso.errors import ConfigError, MissingExtraError, SeeAlsoError, TooFewEvents
from seealso.fitting.lineage import Lineage
from seealso.indexer.event_summary import EventSummary
from seealso.indexer.events_index import LiveEvents, summarise_live_events
from seealso.indexer.graph import misses
from seealso.indexer.inputs import Inputs, keep_events, survey
from seealso.indexer.live import LiveIndex, find_ready, live_index
from seealso.indexer.users.live import live_users
from seealso.log import progress
from seealso.plugin.doctor import attempt, reach
from seealso.readers import Pseudonyms


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """The index that lists come from.

    Attributes
    ----------
    index
        The physical index behind the alias.
    since
        When the alias came to it; None where that was not recorded.
    version
        The seealso that built it.
    documents
        How many it holds.
    bundle, fingerprint, model_fingerprint
        What it was built with.
    attached
        Whether it was attached, not built.
    half_attached
        Whether attaching it has begun and not ended.
    graph_recall
        Share of the best items that its graph was found to find; None where that is not known.
    counted
        Time of the newest event that its importance counts; None where none has a time.
    fit
        The fit of its bundle; None where lists are by texts alone, the error where the bundle
        cannot be read.
    users
        The users index beside it; None where users are kept in none, the error where there is
        none that matches.
    """

    index: str
    since: datetime | None
    version: str
    documents: int
    bundle: str
    fingerprint: str
    model_fingerprint: str
    attached: bool
    half_attached: bool
    graph_recall: float | None
    counted: datetime | None
    fit: Lineage | SeeAlsoError | None
    users: str | SeeAlsoError | None

    @property
    def graph_misses(self) -> bool:
        """Whether its graph was found to miss too many of the best items to rank."""
        return misses(self.graph_recall)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What the catalogue and the events of the settings hold.

    Attributes
    ----------
    items
        How many the catalogue has.
    events
        How many there are, and of when.
    fit_due
        Whether `build` would fit: they suffice, and the fitted bundle is of other ones.
    broken_rows
        Rows that cannot be used.
    notes
        Why nothing would be fitted, or why that is not known, a sentence each.
    """

    items: int
    events: EventSummary
    fit_due: bool
    broken_rows: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """How index, bundle and events are.

    Attributes
    ----------
    alias
        Of the settings.
    cluster
        Its version and address; the error where it cannot be used.
    live
        The live index; None where none was built yet, the error where it cannot be read.
    live_events
        What was taken in event by event; None where nothing was.
    model
        The bundle that reads texts; None where `build` would export it, the error where it cannot
        be read.
    fitted
        The fit of this alias; None where there is none.
    source
        What the files hold; the error where they cannot be read.
    behind
        What is older than that which it was made of, a sentence each.
    next
        The command to run next; None where nothing is to be done.
    """

    alias: str
    cluster: str | SeeAlsoError
    live: LiveStatus | SeeAlsoError | None
    live_events: LiveEvents | SeeAlsoError | None
    model: str | SeeAlsoError | None
    fitted: Lineage | SeeAlsoError | None
    source: SourceStatus | SeeAlsoError
    behind: tuple[str, ...] = ()
    next: str | None = None


def status(settings: Settings) -> Status:
    """Say what is live, how good and how old it is, and what to do next; nothing is written.

    Catalogue and events are read once to the end, as a build reads them.
    """
    reached = reach(partial(connect, settings))
    live: LiveStatus | SeeAlsoError | None = None
    live_events: LiveEvents | SeeAlsoError | None = None
    if not isinstance(reached, SeeAlsoError):
        with reached[0] as cluster:
            live = attempt(partial(_describe_live, cluster, settings))
            live_events = attempt(partial(summarise_live_events, cluster, settings.index.alias))
    store = BundleStore(settings.encoder.store)
    model = None if lacks_model(settings) else attempt(lambda: store.find(settings.encoder.bundle))
    has_fit = store.has(settings.fit_name)
    fitted = attempt(lambda: store.find(settings.fit_name)) if has_fit else None
    source = attempt(partial(_read_source, settings, model))
    behind = tuple(find_behind(settings, live, model, fitted, source))
    return Status(
        alias=settings.index.alias,
        cluster=reached if isinstance(reached, SeeAlsoError) else _name_cluster(*reached),
        live=live,
        live_events=live_events,
        model=model.name if isinstance(model, Bundle) else model,
        fitted=attempt(lambda: Lineage.of(fitted)) if isinstance(fitted, Bundle) else fitted,
        source=source,
        behind=behind,
        next=choose_next(settings, reached, live, model, source, behind),
    )


def _name_cluster(cluster: Cluster, version: str) -> str:
    return f"OpenSearch {version} at {cluster.url}"


def _describe_live(cluster: Cluster, settings: Settings) -> LiveStatus | None:
    alias = settings.index.alias
    if indices.find_live(cluster, alias) is None and not find_ready(cluster, alias):
        return None
    live = live_index(cluster, settings)
    since, counted = live.meta.get("live_since"), live.meta["importance"].get("as_of")
    return LiveStatus(
        index=live.name,
        since=None if since is None else indices.read_timestamp(since),
        version=str(live.meta["version"]),
        documents=indices.count(cluster, live.name),
        bundle=str(live.meta["bundle"]),
        fingerprint=live.fingerprint,
        model_fingerprint=str(live.meta["model_fingerprint"]),
        attached="attached" in live.meta,
        half_attached=live.half_attached,
        graph_recall=live.recall_for_users.share,
        counted=None if counted is None else datetime.fromisoformat(counted),
        fit=attempt(lambda: Lineage.of(live.bundle)),
        users=_find_users(cluster, settings, live),
    )


def _find_users(cluster: Cluster, settings: Settings, live: LiveIndex) -> str | SeeAlsoError | None:
    if not settings.users.enabled:
        return None

    def find() -> str:
        found = live_users(cluster, settings, Pseudonyms.from_environment(os.environ))
        found.require(live.fingerprint)
        return found.name

    return attempt(find)


def _read_source(settings: Settings, model: Bundle | SeeAlsoError | None) -> SourceStatus:
    with read_inputs(settings, "skip") as source, progress("reading catalogue") as tick:
        source = keep_events(source)
        found = survey(source, settings, tick)
    if not isinstance(model, Bundle):
        return SourceStatus(found.items, found.events, False, source.problems.count)
    due, notes = _examine_fit(settings, source)
    return SourceStatus(found.items, found.events, due, source.problems.count, notes)


def _examine_fit(settings: Settings, source: Inputs) -> tuple[bool, tuple[str, ...]]:
    """Return whether a build would fit, and why that is not so, or not known."""
    try:
        from seealso.fitting.fit import find_current_fit

        return find_current_fit(
            settings, source.items, source.learnt, source.images(), source.groups()
        ) is None, ()
    except TooFewEvents as exc:
        return False, (f"events do not suffice: {exc.message}",)
    except ConfigError as exc:
        return False, (f"nothing can be fitted: {exc.message} ({exc.hint})",)
    except MissingExtraError as exc:
        return False, (f"whether events have changed since is not known: {exc.message}",)
