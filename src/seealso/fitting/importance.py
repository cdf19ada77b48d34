"""How much importance may boost items: never so much that dev ranks worse."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from seealso.config import Settings
from seealso.datasets.dataset import Dataset, Items
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.recipe import Mask
from seealso.indexer.counts import count_events
from seealso.indexer.importance import fit_importance
from seealso.indexer.inputs import Inputs, latest_time, read_ids
from seealso.log import no_progress, progress
from seealso.models.histories import Matrix
from seealso.types import Vector

BOUNDS: Final = ((0.95, 1.05), (0.9, 1.1), (0.8, 1.25), (0.65, 1.5), (0.5, 2.0))
"""Floors and ceilings that are tried, beside none of it at all."""

HALF_LIVES: Final = (None, 365.0, 90.0, 30.0)
"""Days after which an event counts half that are tried where events have times."""

Shares = Mapping[float | None, Vector]
"""Where each item lies between floor and ceiling, shape (n,), by half-life; NaN without events."""


@dataclass(frozen=True, eq=False)
class Importance:
    """What was chosen on dev.

    Attributes
    ----------
    settings
        Of ``[importance]``: ``floor``, ``ceiling`` and ``half_life_days``.
    share
        Where each item lies between floor and ceiling, shape (n,); NaN for one without events.
    without, reached
        NDCG@10 on dev without importance, and with it as chosen.
    notes
        What a person should know.
    """

    settings: Mapping[str, Any]
    share: Vector
    without: float
    reached: float
    notes: tuple[str, ...]

    @property
    def weights(self) -> Vector:
        """The weight w of each item, shape (n,)."""
        return weigh_shares(self.share, self.settings["floor"], self.settings["ceiling"])

    def weights_without(self, cold: Mask) -> Vector:
        """Return w of each item, shape (n,), if those of `cold` had no events."""
        share = np.where(cold, np.float32("nan"), self.share)
        return weigh_shares(share, self.settings["floor"], self.settings["ceiling"])


def choose_importance(
    bench: Bench, users: Vector, items: Vector, shares: Shares, boosts: Matrix | None = None
) -> Importance:
    """Return the importance that ranks best on dev; where every one ranks worse, none.

    Parameters
    ----------
    bench
        Dev users.
    users, items
        E_u and E_i, shapes (users, dimension) and (n, dimension).
    shares
        What is tried.
    boosts
        What is added to each w * cos, shape (users, n).
    """

    def reached_with(weights: Vector) -> float:
        return ndcg(bench.ranks(users, items * weights[:, None], boosts=boosts))

    without = reached_with(np.ones(len(items), dtype=np.float32))
    half_life = next(iter(shares))
    best = (without, 1.0, 1.0, half_life)
    widest = 0.0
    with progress("importance", len(shares) * len(BOUNDS)) as tick:
        for days, share in shares.items():
            for floor, ceiling in BOUNDS:
                reached = reached_with(weigh_shares(share, floor, ceiling))
                best = max(best, (reached, floor, ceiling, days), key=lambda one: one[0])
                if (floor, ceiling) == BOUNDS[-1]:
                    widest = max(widest, reached)
                tick(1)
    reached, floor, ceiling, days = best
    return Importance(
        settings={"floor": floor, "ceiling": ceiling, "half_life_days": days},
        share=shares[days],
        without=without,
        reached=reached,
        notes=_notes((floor, ceiling), reached - widest),
    )


def read_shares(settings: Settings, items: Items, known: pl.DataFrame, dataset: Dataset) -> Shares:
    """Return what can be tried on the events that may be known.

    Parameters
    ----------
    settings
        ``importance``; a half-life that a person set is the only one.
    items
        Gives the batches of the catalogue.
    known
        The events.
    dataset
        Its catalogue says which items, in which order.
    """
    own = settings.importance.half_life_days
    timed = known["time"].null_count() < known.height
    fixed = "half_life_days" in settings.importance.model_fields_set or not timed
    tried = [own] if fixed else list(dict.fromkeys((own, *HALF_LIVES)))
    source = Inputs(items, lambda: [known])
    ids, numbers = read_ids(source, settings, settings.importance.kind, no_progress)
    found: dict[float | None, Vector] = {}
    with progress("counting", len(tried)) as tick:
        for days in tried:
            # between these bounds a weight less the floor is the share itself
            bounds = {"floor": 0.5, "ceiling": 1.5, "half_life_days": days}
            importance = settings.importance.model_copy(update=bounds)
            counts = count_events([known], importance, latest=latest_time(settings))
            table = fit_importance(counts, importance, ids, numbers)
            ids_read = dataset.catalogue.ids
            weights = np.array([table.weight(item_id) for item_id in ids_read])
            chosen = np.array([table.interactions(item_id) > 0 for item_id in ids_read])
            unknown = ~chosen if importance.kind == "events" else np.zeros_like(chosen)
            found[days] = np.where(unknown, np.nan, weights - 0.5).astype(np.float32)
            tick(1)
    return found


def weigh_shares(share: Vector, floor: float, ceiling: float) -> Vector:
    """Return w of items by where they lie between floor and ceiling; 1 for those without events.

    `BOUNDS` have 1 between them, so that it needs no clipping.
    """
    weights = np.float32(floor) + np.float32(ceiling - floor) * share
    return np.where(np.isnan(share), np.float32(1), weights).astype(np.float32)


def _notes(bounds: tuple[float, float], saved: float) -> tuple[str, ...]:
    if bounds == (1.0, 1.0):
        return ("importance lowers NDCG@10 on dev: it is turned off",)
    if bounds == BOUNDS[-1]:
        return ()
    return (f"importance is reduced: from 0.5 to 2 it would cost {saved:.4f} NDCG@10",)
