"""Cuts the time of one request into parts that add up to its total."""

from collections.abc import Mapping
from time import perf_counter


class Stopwatch:
    """Runs from when it is made; each moment belongs to one part."""

    def __init__(self) -> None:
        self._started = self._cut = perf_counter()
        self._parts: dict[str, float] = {}

    def cut(self, part: str) -> None:
        """Book the time since the last cut under `part`."""
        now = perf_counter()
        self._parts[part] = self._parts.get(part, 0.0) + (now - self._cut) * 1000
        self._cut = now

    def move(self, milliseconds: float, *, source: str, to: str) -> None:
        """Book that much of part `source` under `to` instead, or all of it where it is less."""
        moved = min(milliseconds, self._parts[source])
        self._parts[source] -= moved
        self._parts[to] = self._parts.get(to, 0.0) + moved

    def parts(self) -> Mapping[str, float]:
        """Return the milliseconds of every part, and their ``total``."""
        return {**self._parts, "total": (self._cut - self._started) * 1000}
