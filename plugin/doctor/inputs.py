"""Reads catalogue and events to their end, as a build does, and says what is in them."""

import glob
from collections.abc import Callable, Iterator

import polars as pl

from seealso.cluster import Cluster
from seealso.config import CatalogueSettings, EventSettings, Settings
from seealso.errors import ConfigError, DataError, SeeAlsoError
from seealso.indexer.binding import sample_texts
from seealso.indexer.counts import count_events
from seealso.indexer.inputs import (
    LARGEST_UNMATCHED_SHARE,
    Inputs,
    event_notes,
    latest_time,
    row_source,
    survey,
)
from seealso.log import progress
from seealso.plugin.doctor.finding import Finding, check
from seealso.readers import Problems, RowSource, describe_unmatched, read_events, read_items
from seealso.types import Item
from seealso.wording import format_count


def examine_inputs(settings: Settings, connect: Callable[[], Cluster]) -> Iterator[Finding]:
    """Yield a finding for the catalogue and one for the events.

    Parameters
    ----------
    settings
        ``catalogue``, ``events``, ``text``, ``importance`` and ``live`` are used.
    connect
        Returns the cluster, for a source that is an index; may raise.
    """
    ids: set[str] = set()
    yield check("catalogue", lambda: _examine(settings, "catalogue", connect, ids))
    if settings.events.path is None and settings.events.index is None:
        # that is fine: lists can be made from histories and words, and importance is even
        yield Finding("events", ok=True, found="none are set: every item has the same weight")
    else:
        yield check("events", lambda: _examine(settings, "events", connect, ids))


def _examine(settings: Settings, what: str, connect: Callable[[], Cluster], ids: set[str]) -> str:
    """Return what is in a source; a broken row stops a build, a broken value does not."""
    section = settings.catalogue if what == "catalogue" else settings.events
    _check_source(what, section)
    try:
        cluster = None if section.index is None else connect()
    except SeeAlsoError:
        return f"index {section.index}: cannot be looked at"
    source = row_source(settings, what, cluster)
    if source is None:
        raise ConfigError("none is named", hint=f"set {what}.path in seealso.toml")
    problems = Problems("skip")
    read = _read_catalogue if what == "catalogue" else _read_events
    found, cure = read(settings, source, problems, ids)
    found += problems.notes
    if problems.count or problems.values:
        rows = format_count(problems.count, "broken row")
        values = format_count(problems.values, "broken value")
        found.append(f"{rows} and {values}, such as {problems.messages[0]}")
    if problems.count and not cure:
        cure = "correct the rows, or leave them out: index build --on-error skip"
    if cure:
        raise DataError("; ".join(found), hint=cure)
    return "; ".join(found)


def _check_source(what: str, section: CatalogueSettings | EventSettings) -> None:
    path = section.path
    if path is not None and section.index is not None:
        raise ConfigError("both path and index are set", hint=f"remove one of [{what}]")
    if path is not None and not (path.exists() or glob.has_magic(str(path))):
        raise ConfigError(f"{path} is missing", hint=f"check {what}.path in seealso.toml")


def _read_catalogue(
    settings: Settings, source: RowSource, problems: Problems, ids: set[str]
) -> tuple[list[str], str]:
    """Return what is in the catalogue, and nothing to do about it; add its ids to `ids`."""

    def items() -> Iterator[list[Item]]:
        for batch in read_items(source, settings.catalogue, problems):
            ids.update(item.item_id for item in batch)
            yield batch

    with progress("reading catalogue") as tick:
        found = survey(Inputs(items, list), settings, tick)
    texts = sample_texts(found.sample, settings)
    summary = f"{settings.catalogue.path or source.name}, {format_count(found.items, 'item')}"
    if empty := texts.count(""):
        summary += f", {empty:,} of {len(texts):,} without a text"
    return [summary], ""


def _read_events(
    settings: Settings, source: RowSource, problems: Problems, ids: set[str]
) -> tuple[list[str], str]:
    """Return what is in the events, and what to do if few of their items are in `ids`."""
    with progress("reading events") as tick:

        def frames() -> Iterator[pl.DataFrame]:
            for frame in read_events(source, settings.events, problems):
                tick(frame.height)
                yield frame

        counts = count_events(frames(), settings.importance, latest=latest_time(settings))
    unmatched = describe_unmatched(counts.named, ids) if ids else None
    summary = f"{settings.events.path or source.name}, {counts.summary}"
    found = [summary, *event_notes(counts.summary, unmatched)]
    if unmatched is None or unmatched.share <= LARGEST_UNMATCHED_SHARE:
        return found, ""
    return found, "check catalogue.id and events.item, and how both write ids"
