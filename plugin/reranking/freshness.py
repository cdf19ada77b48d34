"""Freshness: the older an item, the less it is worth."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from seealso.plugin.reranking.draft import Candidate, Draft

YEARS_END: Final = 10_000
"""A smaller number is a year, a greater one seconds since 1970."""

MILLISECONDS: Final = 1e11
"""A greater number is milliseconds since 1970: as seconds it would be after the year 5000."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Lets the worth of items fade: a value v becomes ``v * 2 ** (-age / half_life)``.

    A value below 0 falls by as much. An item without a date, or of the future, is as good as new.
    """

    field: str
    """When an item appeared."""
    half_life_days: float
    """Days after which a value is halved."""
    now: datetime
    """The time."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with every value faded."""
        return draft.change(lambda pool: pool.change(lambda part: map(self.fade, part)))

    def fade(self, candidate: Candidate) -> Candidate:
        """Return a candidate with the values of its age."""
        born = read_moment(candidate.fields.get(self.field))
        if born is None or born >= self.now:
            return candidate
        age = (self.now - born) / timedelta(days=1)
        lost = 1.0 - 2.0 ** (-age / self.half_life_days)
        return candidate.boost(lambda value: -lost * abs(value))


def read_moment(value: Any) -> datetime | None:
    """Return the time in a field: ISO 8601, a year, or seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if 0 < value < YEARS_END:
            return datetime(int(value), 1, 1, tzinfo=UTC)
        return datetime.fromtimestamp(value / 1000 if value > MILLISECONDS else value, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
