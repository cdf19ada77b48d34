"""What changes a ranked list before it is filled: age, and likeness to what stands above.

Pure functions over ranked lists; `fusion` gives shares their places and keeps the caps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from seealso.plugin.recommendations import Recommendation
from seealso.types import Vector

YEARS_END = 10_000
"""A smaller number is a year, a greater one seconds since 1970."""

MILLISECONDS = 1e11
"""A greater number is milliseconds since 1970: as seconds it would be after the year 5000."""


def worth(item: Recommendation) -> float:
    """Return what an item is ranked by: its raw value, or importance, with what rules add."""
    return (item.importance if item.raw is None else item.raw) + item.boost


def by_worth(items: Sequence[Recommendation]) -> list[Recommendation]:
    """Return the items, the worthiest first."""
    return sorted(items, key=worth, reverse=True)


def freshened(
    items: Sequence[Recommendation], field: str, half_life_days: float, now: datetime
) -> list[Recommendation]:
    """Return the items ranked by what they are worth at their age.

    Parameters
    ----------
    items
        In any order.
    field
        When an item appeared. An item without, or of the future, is as good as new.
    half_life_days
        A worth v becomes ``v * 2 ** (-age / half_life)``; one below 0 falls as much.
    now
        The time.
    """
    return by_worth([_aged(one, field, half_life_days, now) for one in items])


def diverse(
    items: Sequence[Recommendation], vectors: Mapping[str, Vector], diversity: float, size: int
) -> list[Recommendation]:
    """Return the items by maximal marginal relevance, the first `size` of them.

    Each place has the item with the greatest ``(1 - d) * relevance - d * likeness``: relevance is
    the worth on a scale from 0 (least of the items) to 1, likeness the greatest cosine with an
    item above (J. Carbonell and J. Goldstein, The use of MMR, SIGIR 1998; lambda = 1 - d). The
    others follow in their order.

    Parameters
    ----------
    items
        Ranked.
    vectors
        Unit vectors by item id, shape (dimension,). An item without is like no other.
    diversity
        d in [0, 1].
    size
        Places to give.
    """
    if not items or diversity == 0:
        return list(items)
    values = np.array([worth(one) for one in items])
    relevance = (values - values.min()) / (np.ptp(values) or 1.0)
    dimension = next((len(one) for one in vectors.values()), 1)
    nothing = np.zeros(dimension, dtype=np.float32)
    matrix = np.stack([vectors.get(one.item_id, nothing) for one in items])
    likeness = np.zeros(len(items))
    order: list[int] = []
    left = np.ones(len(items), dtype=bool)
    while len(order) < min(size, len(items)):
        gain = (1 - diversity) * relevance - diversity * likeness
        best = int(np.argmax(np.where(left, gain, -np.inf)))
        order.append(best)
        left[best] = False
        likeness = np.maximum(likeness, matrix @ matrix[best])
    return [items[n] for n in [*order, *np.flatnonzero(left).tolist()]]


def moment(given: Any) -> datetime | None:
    """Return the time that a field says: ISO 8601, a year, or seconds or ms since 1970."""
    try:
        if isinstance(given, str):
            found = datetime.fromisoformat(given)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(given, bool) or not isinstance(given, int | float):
            return None
        if 0 < given < YEARS_END:
            return datetime(int(given), 1, 1, tzinfo=UTC)
        return datetime.fromtimestamp(given / 1000 if given > MILLISECONDS else given, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _aged(item: Recommendation, field: str, half_life_days: float, now: datetime) -> Recommendation:
    born = moment(item.fields.get(field))
    if born is None or born >= now:
        return item
    kept = 2.0 ** (-(now - born).total_seconds() / 86_400 / half_life_days)
    return replace(item, boost=item.boost - (1.0 - kept) * abs(worth(item)))
