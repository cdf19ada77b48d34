"""Counts events by item in one pass, weighted by type and halved by age.

The formulas are written out in docs/explanation/importance.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import log

import polars as pl

from seealso.config import ImportanceSettings
from seealso.errors import ConfigError
from seealso.indexer.event_summary import EventSummary, EventTally, RunningTotal
from seealso.indexer.newest import NewestEvents
from seealso.types import from_micros, to_micros

# in microseconds
_DAY = 86_400_000_000

_PARTIAL = pl.Schema(
    {
        "item_id": pl.String(),
        "interactions": pl.Int64(),
        "timeless": pl.Float64(),
        "peak": pl.Int64(),
        "decayed": pl.Float64(),
        "rating_sum": pl.Float64(),
        "rating_n": pl.Int64(),
    }
)

_COUNTS = pl.Schema(
    {
        "item_id": pl.String(),
        "interactions": pl.UInt32(),
        "score": pl.Float64(),
        "rating_sum": pl.Float64(),
        "rating_n": pl.UInt32(),
    }
)


@dataclass(frozen=True)
class ItemCounts:
    """What the events say of each item that has any.

    Attributes
    ----------
    frame
        ``item_id``, ``interactions`` (events), ``score`` (weighted, decayed events),
        ``rating_sum`` and ``rating_n`` (event values), sorted by ``item_id``.
    as_of
        The time that decay is counted back from; none without events that have a time.
    summary
        What all events are, those that do not count among them.
    named
        How many events name each item, whether they count or not.
    """

    frame: pl.DataFrame
    as_of: datetime | None = None
    summary: EventSummary = field(default_factory=EventSummary)
    named: Mapping[str, int] = field(default_factory=dict, repr=False)


def count_events(
    frames: Iterable[pl.DataFrame],
    settings: ImportanceSettings,
    *,
    as_of: datetime | None = None,
    latest: datetime | None = None,
) -> ItemCounts:
    """Count events by item in one pass.

    Memory grows with the users and the items: where what a user does is limited, more than some
    millions of rows are in temporary files until the end.

    Parameters
    ----------
    frames
        Event frames, as `seealso.readers.read_events` yields them.
    settings
        ``weights``, ``half_life_days`` and ``per_user`` are used. Types of weight 0 are left out
        altogether; so are all but the newest ``per_user`` events of one type by one user with
        one item. Events of no user count each.
    as_of
        The present; the newest event by default, so that the same events give the same counts.
        Later events do not count.
    latest
        The newest time that can be right: later events count as events without a time.

    Returns
    -------
    ItemCounts
        score_i = sum over events of weight(type) * 0.5 ** ((as_of - time) / half_life). Events
        without a time, and all events without a half-life, count their full weight.

    Raises
    ------
    ConfigError
        `as_of` has no time zone.
    """
    if as_of is not None and as_of.tzinfo is None:
        raise ConfigError(f"as_of {as_of} has no time zone", hint="give it in UTC")
    tally = EventTally(latest, until=as_of)
    half_life = None if settings.half_life_days is None else settings.half_life_days * _DAY
    total = RunningTotal(_PARTIAL, lambda rows: _add(rows, half_life))
    newest: int | None = None
    with NewestEvents(settings.per_user) as newest_events:
        for frame in frames:
            if frame.is_empty():
                continue
            weighed = _weigh(tally.add(frame), settings)
            last = weighed["micros"].max()
            if isinstance(last, int):
                newest = last if newest is None else max(newest, last)
            if settings.per_user:
                of_somebody = weighed["user_id"].is_not_null()
                newest_events.add(weighed.filter(of_somebody))
                weighed = weighed.filter(~of_somebody)
            total.add(_partial(weighed, half_life))
        for rows in newest_events.batches():
            total.add(_partial(rows, half_life))
    if as_of is not None:
        newest = to_micros(as_of)
    moment = None if newest is None else from_micros(newest)
    return ItemCounts(
        _finish(total.total(), newest, half_life),
        moment,
        tally.summary(newest_events.surplus),
        tally.by_item(),
    )


def _weigh(frame: pl.DataFrame, settings: ImportanceSettings) -> pl.DataFrame:
    """Return the events that count, with their ``weight`` and time in ``micros``."""
    types = frame["type"].unique().to_list()
    weights = [float(settings.weights.get(name, 1.0)) for name in types]
    return frame.with_columns(
        weight=pl.col("type").replace_strict(types, weights, return_dtype=pl.Float64),
        micros=pl.col("time").dt.epoch("us"),
    ).filter(pl.col("weight") != 0.0)


def _partial(weighed: pl.DataFrame, half_life: float | None) -> pl.DataFrame:
    """Sum one frame by item.

    The present is known only at the end, and 2 ** (time / half_life) would overflow: the sum is
    kept as it was at the item's newest event, the ``peak``.
    """
    weight = pl.col("weight")
    micros = pl.col("micros") if half_life else pl.lit(None, dtype=pl.Int64)
    return (
        weighed.with_columns(position=micros)
        .group_by("item_id", maintain_order=True)
        .agg(
            interactions=pl.len().cast(pl.Int64),
            timeless=weight.filter(pl.col("position").is_null()).sum(),
            peak=pl.col("position").max(),
            decayed=(weight * _decay("position", pl.col("position").max(), half_life)).sum(),
            rating_sum=pl.col("value").sum(),
            rating_n=pl.col("value").count().cast(pl.Int64),
        )
    )


def _add(rows: pl.DataFrame, half_life: float | None) -> pl.DataFrame:
    decayed = pl.col("decayed") * _decay("peak", pl.max("peak"), half_life)
    return (
        rows.group_by("item_id", maintain_order=True)
        .agg(
            pl.sum("interactions", "timeless", "rating_sum", "rating_n"),
            pl.max("peak"),
            decayed.sum(),
        )
        .select(_PARTIAL.names())
    )


def _finish(total: pl.DataFrame, present: int | None, half_life: float | None) -> pl.DataFrame:
    faded = pl.col("decayed") * _decay("peak", pl.lit(present, dtype=pl.Int64), half_life)
    return (
        total.with_columns(score=pl.col("timeless") + faded.fill_null(0.0))
        .select(pl.col(name).cast(dtype) for name, dtype in _COUNTS.items())
        .sort("item_id")
    )


def _decay(column: str, since: pl.Expr, half_life: float | None) -> pl.Expr:
    """Return 0.5 ** ((since - column) / half_life); null where there is no time to decay by."""
    # whole microseconds are subtracted first: 55 years of them lose digits as floats
    age = (since - pl.col(column)).cast(pl.Float64)
    return (age * (-log(2.0) / half_life if half_life else 0.0)).exp()
