"""Splits the time of one request into parts that add up to its total."""

from collections.abc import Mapping
from time import perf_counter


class Stopwatch:
    """Starts when it is created; each moment belongs to one part."""

    def __init__(self) -> None:
        self._started = self._cut = perf_counter()
        self._parts: dict[str, float] = {}

    def cut(self, part: str) -> None:
        """Book the time since the last cut under `part`."""
        self._book(part, self._lap())

    def cut_in_two(self, part: str, milliseconds: float, remainder: str) -> None:
        """Book that much of the time since the last cut under `part`, and what is left of it."""
        lap = self._lap()
        booked = min(milliseconds, lap)
        self._book(part, booked)
        self._book(remainder, lap - booked)

    def parts(self) -> Mapping[str, float]:
        """Return the milliseconds of every part, and their ``total``."""
        return {**self._parts, "total": (self._cut - self._started) * 1000}

    def _lap(self) -> float:
        before, self._cut = self._cut, perf_counter()
        return (self._cut - before) * 1000

    def _book(self, part: str, milliseconds: float) -> None:
        self._parts[part] = self._parts.get(part, 0.0) + milliseconds
