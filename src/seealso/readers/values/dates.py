"""Rewrites dates of other forms as ISO 8601: 02.10.2026, 10/02/2026, 2 Oct 2026.

With dots the day comes first everywhere. With slashes the month comes first in America, so that
other dates of the same source must show the order.
"""

from collections.abc import Callable
from typing import Final

import polars as pl

from seealso.readers.values.conventions import DAY_FIRST, MONTH_FIRST

TWO_WAYS: Final = r"^\s*(?:0?[1-9]|1[0-2])[/-](?:0?[1-9]|1[0-2])[/-]\d{4}\b"
"""Dates whose day and month can change places."""

_WEEKDAY: Final = r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+"
_PARTS: Final = r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4})\b"
_DOTS: Final = r"^(\d{1,2})\.(\d{1,2})\.(\d{4})\b"
_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip

# abbreviations that mean one zone; the others need its name or an offset
_ZONES: Final = {
    "WET": "+00:00", "WEST": "+01:00", "CET": "+01:00", "CEST": "+02:00", "EET": "+02:00",
    "EEST": "+03:00", "MSK": "+03:00", "JST": "+09:00", "KST": "+09:00", "EDT": "-04:00",
    "EST": "-05:00", "CDT": "-05:00", "MDT": "-06:00", "PDT": "-07:00", "PST": "-08:00",
}  # fmt: skip


def write_as_iso(texts: pl.Series, day_first: Callable[[], bool | None]) -> pl.Series:
    """Return dates as ``2026-10-02``, with what follows them; other texts as they are.

    Parameters
    ----------
    texts
        Without blanks around them.
    day_first
        Asked where day and month could change places; such a date stays as it is where it
        answers None.
    """
    iso = texts.str.replace(_WEEKDAY, "").str.replace(_DOTS, "$3-$2-$1")
    ambiguous = iso.str.contains(TWO_WAYS).fill_null(False)
    order = day_first() if ambiguous.any() else None
    for first, pattern in ((True, DAY_FIRST), (False, MONTH_FIRST)):
        certain = iso.str.contains(pattern).fill_null(False)
        in_this_order = certain | ambiguous if order is first else certain
        if in_this_order.any():
            turned = iso.str.replace(_PARTS, "$3-$2-$1" if first else "$3-$1-$2")
            iso = turned.zip_with(in_this_order, iso)
    for number, month in enumerate(_MONTHS, 1):
        named = rf"{month}[a-z]*\.?"
        iso = iso.str.replace(
            rf"(?i)^(\d{{1,2}})\.?[ -]{named}[ -](\d{{4}})\b", f"${{2}}-{number:02}-${{1}}"
        ).str.replace(
            rf"(?i)^{named} (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b", f"${{2}}-{number:02}-${{1}}"
        )
    for zone, offset in _ZONES.items():
        iso = iso.str.replace(rf"\s+{zone}$", offset)
    return iso
