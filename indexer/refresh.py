"""New importance for a live index from new events, on the server and without encoding."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from seealso.cluster import BulkWriter, Cluster, indices, scan, scan_ids
from seealso.config import Settings
from seealso.indexer.counts import count_events
from seealso.indexer.event_summary import EventSummary
from seealso.indexer.importance import ImportanceTable, fit_importance
from seealso.indexer.inputs import Inputs, event_notes, latest_time
from seealso.indexer.lifecycle import build_lock
from seealso.indexer.live import LiveIndex, live_index
from seealso.indexer.rewriting import rewriting
from seealso.log import progress
from seealso.readers import describe_unmatched
from seealso.types import Space

RESCALE = """
boolean encoded = ctx._source.containsKey('vector') && ctx._source.vector != null;
double before = ctx._source.importance == null ? 1.0 : ctx._source.importance;
ctx._source.importance = params.importance;
ctx._source.interactions = params.interactions;
ctx._source.tail = params.tail || !encoded;
if (params.counted == null) { ctx._source.remove('counted') } else {
  ctx._source.counted = params.counted
}
if (params.cold_coordinate != null && params.interactions > 0 && encoded) {
  int place = (int) params.cold_coordinate;
  double cold = ctx._source.vector[place];
  double padding = ctx._source.vector[place + 1];
  ctx._source.vector[place] = 0.0;
  if (!params.weigh) {
    ctx._source.vector[place + 1] = Math.sqrt(cold * cold + padding * padding);
  }
}
if (params.weigh && encoded) {
  double factor = params.importance / before;
  for (int i = 0; i < ctx._source.vector.size(); i++) {
    ctx._source.vector[i] = ctx._source.vector[i] * factor
  }
}
"""
"""Gives a document a new importance on the server. The vector is multiplied by w_new / w_old; both
change together, so doing it twice does no harm. ``counted`` is what the item had before live events
came on top; without it, there are none. An item with events is not cold: it loses the bonus, as
`JoinedLayout.drop_bonus` has it, and keeps the factor that its text predicts.
"""

SCRIPTED_BYTES = 500_000
"""A scripted update is small to send and slow to do (the vector is indexed again): several
hundred of them to a request, so that each is answered well within the time-out."""

LEAST_CHANGE = 1e-6
"""A weight that moved by less is left alone: float32 does not hold more."""


@dataclass(frozen=True, slots=True)
class ImportanceReport:
    """What an importance refresh changed."""

    index: str
    changed: int
    unchanged: int
    parameters: Mapping[str, Any]
    events: EventSummary
    notes: tuple[str, ...] = ()
    """What was guessed or left out, a sentence each."""


def refresh_importance(
    cluster: Cluster, settings: Settings, source: Inputs, *, write: bool = True
) -> ImportanceReport:
    """Recompute the importance of every item of the live index.

    Parameters
    ----------
    cluster, settings
        Where and how; the ``importance`` section may differ from the one of the build.
    source
        The events are read, the catalogue is not.
    write
        Write the new weights; without, only count what would change (``--dry-run``).

    Raises
    ------
    ClusterError, BulkWriteError
        The cluster refused; what was written stays right, run it again for the rest.
    """
    with build_lock(cluster, settings.index.alias):
        live = live_index(cluster, settings)
        counts = count_events(source.events(), settings.importance, latest=latest_time(settings))
        # what was written a moment ago is stored, too
        indices.refresh(cluster, live.name)
        stored = _read_stored(cluster, live.name, settings)
        ids = stored["item_id"].to_list()
        by_expression = settings.importance.kind == "expression"
        numbers = stored.select("item_id", *settings.catalogue.numbers) if by_expression else None
        table = fit_importance(counts, settings.importance, ids, numbers)
        changes = list(_find_changes(stored, table))
        if write:
            _write(cluster, live, table, changes, settings)
        unmatched = describe_unmatched(counts.named, ids, place="the index")
    return ImportanceReport(
        index=live.name,
        changed=len(changes),
        unchanged=stored.height - len(changes),
        parameters=table.parameters,
        events=counts.summary,
        notes=event_notes(counts.summary, unmatched),
    )


def _read_stored(cluster: Cluster, name: str, settings: Settings) -> pl.DataFrame:
    numbers = settings.catalogue.numbers if settings.importance.kind == "expression" else ()
    schema = {
        "item_id": pl.String,
        "importance": pl.Float64,
        "interactions": pl.Int64,
        "tail": pl.Boolean,
        "encoded": pl.Boolean,
        "live": pl.Boolean,
        **dict.fromkeys(numbers, pl.Float64),
    }
    encoded = set(scan_ids(cluster, name, query={"exists": {"field": "vector"}}))
    rows = [
        _row(hit, encoded)
        for hits in scan(
            cluster,
            name,
            # what an owner wrote since an index was attached has no importance yet
            query={"exists": {"field": "item_id"}},
            source=["item_id", "importance", "interactions", "tail", "counted", *numbers],
            batch=5000,
        )
        for hit in hits
    ]
    return pl.DataFrame(rows, schema=schema)


def _row(hit: Mapping[str, Any], encoded: Collection[str]) -> dict[str, Any]:
    source = dict(hit["_source"])
    live = source.pop("counted", None) is not None
    return {**source, "encoded": hit["_id"] in encoded, "live": live}


def _find_changes(stored: pl.DataFrame, table: ImportanceTable) -> Iterator[str]:
    for row in stored.iter_rows(named=True):
        item_id = row["item_id"]
        # what live events were added to is not what it was
        same = not row["live"] and (
            abs(row["importance"] - table.weight(item_id)) < LEAST_CHANGE
            and row["interactions"] == table.interactions(item_id)
            and row["tail"] == (table.is_tail(item_id) or not row["encoded"])
        )
        if not same:
            yield item_id


def rescaling(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the update that gives a document a new importance.

    Parameters
    ----------
    params
        ``importance``, ``interactions``, ``tail``, ``weigh`` (whether the vector carries the
        importance), ``cold_coordinate`` (as a `LiveIndex` has it), and ``counted`` where live
        events are part of them.
    """
    return {"script": {"lang": "painless", "source": RESCALE, "params": dict(params)}}


def _write(
    cluster: Cluster,
    live: LiveIndex,
    table: ImportanceTable,
    changes: list[str],
    settings: Settings,
) -> None:
    with (
        rewriting(cluster, live.name) as run,
        progress("refreshing importance", len(changes)) as tick,
        BulkWriter(
            cluster, live.name, threads=settings.index.threads, chunk_bytes=SCRIPTED_BYTES
        ) as writer,
    ):
        for item_id in changes:
            params = {
                "importance": table.weight(item_id),
                "interactions": table.interactions(item_id),
                "tail": table.is_tail(item_id),
                "weigh": live.space is Space.COSINE,
                "cold_coordinate": live.cold_coordinate,
            }
            writer.update(item_id, rescaling(params))
            tick()
        # another scale, or another newest event: what live events add is another sum
        run.lost = bool(changes) or dict(table.parameters) != live.meta["importance"]
        run.meta["importance"] = dict(table.parameters)
    indices.refresh(cluster, live.name)
