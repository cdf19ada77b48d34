"""Reads catalogue and events to their end, as a build does, and says what is in them."""

import glob
from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl

from seealso.cluster import Cluster
from seealso.config import CatalogueSettings, EventSettings, Settings
from seealso.errors import SeeAlsoError
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
from seealso.plugin.doctor.finding import Finding, failed
from seealso.readers import Problems, RowSource, describe_unmatched, read_events, read_items
from seealso.types import Item


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
    yield _examine(settings, "catalogue", connect, ids)
    if settings.events.path is None and settings.events.index is None:
        # that is fine: lists can be made from histories and words, and importance is even
        yield Finding("events", ok=True, found="none are named: every item weighs the same")
    else:
        yield _examine(settings, "events", connect, ids)


def _examine(
    settings: Settings, what: str, connect: Callable[[], Cluster], ids: set[str]
) -> Finding:
    section = settings.catalogue if what == "catalogue" else settings.events
    if (wrong := _check_source(what, section)) is not None:
        return wrong
    try:
        cluster = None if section.index is None else connect()
    except SeeAlsoError:
        return Finding(what, ok=True, found=f"index {section.index}: cannot be looked at")
    source = row_source(settings, what, cluster)
    if source is None:
        cure = f"set {what}.path in seealso.toml"
        return Finding(what, ok=False, found="none is named", cure=cure)
    read = _catalogue if what == "catalogue" else _events
    problems = Problems("skip")
    try:
        found = read(settings, source, problems, ids)
    except SeeAlsoError as exc:
        return failed(what, exc)
    return _with_problems(found, problems)


def _check_source(what: str, section: CatalogueSettings | EventSettings) -> Finding | None:
    path = section.path
    if path is not None and section.index is not None:
        cure = f"remove one of [{what}]"
        return Finding(what, ok=False, found="both path and index are set", cure=cure)
    if path is not None and not (path.exists() or glob.has_magic(str(path))):
        cure = f"check {what}.path in seealso.toml"
        return Finding(what, ok=False, found=f"{path} is missing", cure=cure)
    return None


def _catalogue(settings: Settings, source: RowSource, problems: Problems, ids: set[str]) -> Finding:
    """Read the catalogue, and add its ids to `ids`."""

    def items() -> Iterator[list[Item]]:
        for batch in read_items(source, settings.catalogue, problems):
            ids.update(item.item_id for item in batch)
            yield batch

    with progress("reading catalogue") as tick:
        found = survey(Inputs(items, list), settings, tick)
    texts = sample_texts(found.sample, settings)
    summary = f"{settings.catalogue.path or source.name}, {found.items:,} items"
    if empty := texts.count(""):
        summary += f", {empty:,} of {len(texts):,} without a text"
    return Finding("catalogue", ok=True, found=summary)


def _events(settings: Settings, source: RowSource, problems: Problems, ids: set[str]) -> Finding:
    """Read the events, and compare their items with `ids`, where there are any."""
    with progress("reading events") as tick:

        def frames() -> Iterator[pl.DataFrame]:
            for frame in read_events(source, settings.events, problems):
                tick(frame.height)
                yield frame

        counts = count_events(frames(), settings.importance, latest=latest_time(settings))
    unmatched = describe_unmatched(counts.named, ids) if ids else None
    notes = event_notes(counts.summary, unmatched)
    summary = f"{settings.events.path or source.name}, {counts.summary}"
    matched = unmatched is None or unmatched.share <= LARGEST_UNMATCHED_SHARE
    cure = "" if matched else "check catalogue.id and events.item, and how both write ids"
    return Finding("events", ok=matched, found="; ".join([summary, *notes]), cure=cure)


def _with_problems(found: Finding, problems: Problems) -> Finding:
    """Add what was guessed and left out; a broken row stops a build, a broken value does not."""
    if problems.notes:
        found = replace(found, found="; ".join([found.found, *problems.notes]))
    if not (problems.count or problems.values):
        return found
    left_out = f"{problems.count:,} broken rows and {problems.values:,} broken values"
    skip = "correct the rows, or leave them out: index build --on-error skip"
    return Finding(
        found.what,
        ok=found.ok and not problems.count,
        found=f"{found.found}; {left_out}, such as {problems.messages[0]}",
        cure=found.cure or (skip if problems.count else ""),
    )
