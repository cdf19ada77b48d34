"""From behaviour to the importance w_i of each item: a bounded weight, and whether it is tail.

The formulas are written out in docs/explanation/importance.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from seealso.config import ImportanceSettings
from seealso.errors import ConfigError, DataError
from seealso.indexer.counts import ItemCounts


@dataclass(frozen=True)
class ImportanceTable:
    """Importance, events and tail flag of every item.

    Attributes
    ----------
    parameters
        How the weights were made, for the index to record: JSON values, enough to compute the
        weight of an item again from its counts.
    """

    parameters: Mapping[str, Any]
    _weights: Mapping[str, float] = field(repr=False)
    _interactions: Mapping[str, int] = field(repr=False)
    _default: float
    _tail_threshold: int

    def weight(self, item_id: str) -> float:
        """Return w_i; for an item that is not known here, the weight of one without events."""
        return self._weights.get(item_id, self._default)

    def interactions(self, item_id: str) -> int:
        """Return the number of events of the item."""
        return self._interactions.get(item_id, 0)

    def is_tail(self, item_id: str) -> bool:
        """Return whether the item has at most as many events as the tail quantile."""
        return self.interactions(item_id) <= self._tail_threshold


def fit_importance(
    counts: ItemCounts,
    settings: ImportanceSettings,
    catalogue_ids: Iterable[str],
    numbers: pl.DataFrame | None = None,
) -> ImportanceTable:
    """Turn counts into weights between ``settings.floor`` and ``settings.ceiling``.

    Parameters
    ----------
    counts
        From `count_events`.
    settings
        Which kind of importance, and its parameters.
    catalogue_ids
        All items, so that events of others do not count.
    numbers
        ``expression``: ``item_id`` and number columns of the items; NaN is a missing value.

    Raises
    ------
    ConfigError
        The expression cannot be computed.
    DataError
        The expression gives no finite number for an item.
    """
    items = _join_counts(list(catalogue_ids), counts)
    recorded = {
        **settings.model_dump(mode="json"),
        "as_of": counts.as_of.isoformat() if counts.as_of else None,
        "items": items.height,
        "tail_threshold": int(items["interactions"].quantile(settings.tail_quantile, "lower") or 0),
        "mean": _mean(items),
    }
    values = _values(items, recorded, numbers)
    if settings.kind == "events":
        recorded["reference"] = float(values.max(initial=0.0))
    else:
        recorded["low"], recorded["high"] = _bounds(values)
    return _table(items, values, recorded)


def apply_importance(
    counts: ItemCounts, parameters: Mapping[str, Any], numbers: pl.DataFrame | None = None
) -> ImportanceTable:
    """Weigh new counts on the scale of an earlier fit, so that both can be in one index.

    Parameters
    ----------
    counts
        From `count_events`.
    parameters
        ``ImportanceTable.parameters``, as the index recorded them. A count above their reference
        gets the ceiling: fit again when the scale no longer suits.
    numbers
        ``expression``: ``item_id`` and number columns of all items.

    Raises
    ------
    ConfigError
        The expression cannot be computed.
    DataError
        The expression gives no finite number for an item.
    """
    items = counts.frame
    if numbers is not None:
        items = _join_counts(numbers["item_id"].to_list(), counts)
    return _table(items, _values(items, parameters, numbers), parameters)


def stored_importance(
    documents: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, Any]
) -> ImportanceTable:
    """Return the importance that documents of an index hold, without what live events added.

    Parameters
    ----------
    documents
        Their ``importance``, ``interactions`` and ``counted``, by the ids of the items.
    parameters
        ``ImportanceTable.parameters``, as the index recorded them.
    """
    counted = {name: one.get("counted") or one for name, one in documents.items()}
    return ImportanceTable(
        parameters=dict(parameters),
        _weights={name: float(one["importance"]) for name, one in counted.items()},
        _interactions={name: int(one["interactions"]) for name, one in counted.items()},
        _default=_default_weight(parameters),
        _tail_threshold=int(parameters["tail_threshold"]),
    )


def settings_of(parameters: Mapping[str, Any]) -> ImportanceSettings:
    """Return the settings that the ``ImportanceTable.parameters`` of an index were made with."""
    own = {k: v for k, v in parameters.items() if k in ImportanceSettings.model_fields}
    # an index of 0.1 knew no limit for one user
    return ImportanceSettings.model_validate({"per_user": 0, **own})


def _join_counts(ids: list[str], counts: ItemCounts) -> pl.DataFrame:
    """Return the counts of `ids`, in their order, with zeros where there are none."""
    frame = pl.DataFrame({"item_id": ids}, schema={"item_id": pl.String})
    joined = frame.join(counts.frame, on="item_id", how="left", maintain_order="left")
    return joined.with_columns(pl.exclude("item_id").fill_null(0))


def _mean(items: pl.DataFrame) -> float:
    number = int(items["rating_n"].sum())
    return float(items["rating_sum"].sum()) / number if number else 0.0


def _bounds(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)


def _table(
    items: pl.DataFrame, values: npt.NDArray[np.float64], parameters: Mapping[str, Any]
) -> ImportanceTable:
    ids = items["item_id"].to_list()
    default = _default_weight(parameters)
    weights = weights_of(values, parameters)
    if parameters["kind"] == "events":
        # nobody chose it: that is not known to be little
        weights = np.where(items["interactions"].to_numpy() > 0, weights, default)
    return ImportanceTable(
        parameters=dict(parameters),
        _weights=dict(zip(ids, weights.tolist(), strict=True)),
        _interactions=dict(zip(ids, items["interactions"].to_list(), strict=True)),
        _default=default,
        _tail_threshold=int(parameters["tail_threshold"]),
    )


def _default_weight(parameters: Mapping[str, Any]) -> float:
    """Return the weight of an item of which nothing is known."""
    if parameters["kind"] == "rating":
        return float(weights_of(np.array([parameters["mean"]]), parameters)[0])
    return neutral_weight(parameters)


def _values(
    items: pl.DataFrame, parameters: Mapping[str, Any], numbers: pl.DataFrame | None
) -> npt.NDArray[np.float64]:
    """Return what is scaled to the range, one number for each item."""
    if parameters["kind"] == "events":
        # returns and dislikes may weigh below 0: no item is worth less than an unchosen one
        return items["score"].clip(lower_bound=0.0).to_numpy()
    means = _shrunk_means(items, float(parameters["prior"]), float(parameters["mean"]))
    if parameters["kind"] == "rating":
        return means
    known = items.select(
        "item_id", pl.col("interactions").cast(pl.Float64), pl.Series("rating", means)
    )
    if numbers is not None:
        clean = numbers.with_columns(pl.exclude("item_id").cast(pl.Float64).fill_nan(None))
        known = known.join(clean, on="item_id", how="left", maintain_order="left")
    return _evaluate(known, str(parameters["expression"]))


def _shrunk_means(items: pl.DataFrame, prior: float, mean: float) -> npt.NDArray[np.float64]:
    """Return the Bayesian means (prior * mean + sum) / (prior + n)."""
    sums = items["rating_sum"].to_numpy().astype(np.float64)
    weight = prior + items["rating_n"].to_numpy().astype(np.float64)
    unrated = np.full_like(sums, mean)
    return np.divide(prior * mean + sums, weight, out=unrated, where=weight > 0)


def _evaluate(known: pl.DataFrame, expression: str) -> npt.NDArray[np.float64]:
    columns = [name for name in known.columns if name != "item_id"]
    try:
        result = known.with_columns(pl.sql_expr(expression).cast(pl.Float64).alias("_importance"))
    except (pl.exceptions.PolarsError, TypeError, ValueError) as exc:
        reason = str(exc).splitlines()[0]
        raise ConfigError(
            f"importance.expression {expression!r} cannot be computed: {reason}",
            hint=f"an SQL expression over {', '.join(columns)}",
            field="importance.expression",
        ) from exc
    values = result["_importance"].fill_null(float("nan")).to_numpy()
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        item_id = known["item_id"][int(wrong[0])]
        raise DataError(
            f"importance.expression {expression!r} gives no finite number for item {item_id!r} "
            f"({len(wrong)} such items)",
            hint="give missing values one with coalesce(column, 0), and do not divide by zero",
            field="importance.expression",
            item=item_id,
        )
    return values


def neutral_weight(parameters: Mapping[str, Any]) -> float:
    """Return the weight that changes nothing, within floor and ceiling."""
    return min(max(1.0, float(parameters["floor"])), float(parameters["ceiling"]))


def weights_of(
    values: npt.NDArray[np.float64], parameters: Mapping[str, Any]
) -> npt.NDArray[np.float64]:
    """Return w for the scores or ratings of some items, shape (n,), between floor and ceiling."""
    floor, ceiling = float(parameters["floor"]), float(parameters["ceiling"])
    if parameters["kind"] == "events":
        reference = np.log1p(float(parameters["reference"]))
        share = np.log1p(values) / reference if reference > 0 else np.zeros_like(values)
    elif parameters["high"] > parameters["low"]:
        share = (values - parameters["low"]) / (parameters["high"] - parameters["low"])
    else:
        # all are alike
        return np.full_like(values, neutral_weight(parameters))
    weights: npt.NDArray[np.float64] = floor + (ceiling - floor) * share
    return np.clip(weights, floor, ceiling)
