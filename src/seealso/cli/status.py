"""``seealso status``: what is live, how good and how old it is, and what to do next."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from seealso import api
from seealso.cli import tables
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.errors import SeeAlsoError
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.api.reporting import LiveStatus, SourceStatus, Status
    from seealso.fitting.lineage import Lineage
    from seealso.indexer.events_index import LiveEvents


@click.command(cls=Command)
@pass_context
def status(context: Context) -> None:
    """Say what is live, how good it is, and what to do next.

    Also how old the events are, what was fitted, and what is behind. Reads the index, the bundles,
    and the catalogue and events of the settings; writes nothing. The exit code is 0 as long as
    the settings and the cluster can be used.
    """
    found = api.status(context.settings)
    context.show(found, lambda: dict(_describe(found)))
    if isinstance(found.cluster, SeeAlsoError):
        sys.exit(found.cluster.exit_code)


def _describe(found: "Status") -> Iterator[tuple[str, object]]:
    yield "cluster", _text(found.cluster)
    if isinstance(found.live, SeeAlsoError):
        yield "live", _text(found.live)
    elif found.live is not None:
        yield from _describe_live(found.alias, found.live)
    elif not isinstance(found.cluster, SeeAlsoError):
        yield "live", f"nothing: no index of {found.alias} was built yet"
    yield "model", "none yet" if found.model is None else _text(found.model)
    notes = () if isinstance(found.source, SeeAlsoError) else found.source.notes
    yield "fitted", "; ".join([_describe_fit(found.fitted), *notes])
    if isinstance(found.source, SeeAlsoError):
        yield "source", _text(found.source)
    else:
        yield from _describe_source(found.source)
    if found.live_events is not None:
        yield "live events", _describe_live_events(found.live_events)
    yield "behind", "\n".join(found.behind) or "nothing"
    yield "next", found.next or "nothing"


def _describe_live(alias: str, live: "LiveStatus") -> Iterator[tuple[str, object]]:
    since = "" if live.since is None else f", since {tables.moment(live.since)}"
    yield "live", f"{alias} -> {live.index}{since}"
    yield "documents", live.documents
    yield "built with", f"{live.bundle} ({live.fingerprint}), by seealso {live.version}"
    yield "quality", _describe_quality(live.fit)
    if live.graph_misses:
        yield "graph", f"finds {live.graph_recall:.0%} of the best items, too few to rank"
    if live.users is not None:
        yield "users", _text(live.users)


def _describe_quality(fit: "Lineage | SeeAlsoError | None") -> str:
    if fit is None:
        return "not measured: lists are from texts alone"
    return _text(fit) if isinstance(fit, SeeAlsoError) else fit.quality


def _describe_fit(fit: "Lineage | SeeAlsoError | None") -> str:
    if fit is None or isinstance(fit, SeeAlsoError):
        return "nothing" if fit is None else _text(fit)
    when = "at a time that is not recorded" if fit.at is None else tables.moment(fit.at)
    events = "" if fit.events is None else f", from {format_count(fit.events, 'event')}"
    return f"{when}{events}: {fit.quality}"


def _describe_source(source: "SourceStatus") -> Iterator[tuple[str, object]]:
    yield "catalogue", format_count(source.items, "item")
    last = source.events.last
    age = "" if last is None else f", the newest {tables.age(last)}"
    yield "events", f"{source.events}{age}" if source.events.events else "none"


def _describe_live_events(found: "LiveEvents | SeeAlsoError") -> str:
    if isinstance(found, SeeAlsoError):
        return _text(found)
    newest = "" if found.newest is None else f", the newest of {tables.moment(found.newest)}"
    return f"{found.events:,}{newest}"


def _text(found: str | SeeAlsoError) -> str:
    """Return what was found in a line; of an error also what to do."""
    if not isinstance(found, SeeAlsoError):
        return found
    return f"{found.message} ({found.hint})" if found.hint else found.message
