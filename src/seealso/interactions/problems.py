"""Broken rows: the first stops the reading, or all are counted and the first few kept.

A message names source, place and field: ``movies.csv line 12: item_id is empty``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from seealso.errors import DataError


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong with one row.

    Attributes
    ----------
    place
        Number of the line, row or document, from 1.
    field
        The column, or empty where the row as a whole is broken.
    reason
        What is wrong, as the end of a sentence that starts with the field.
    """

    place: int
    field: str
    reason: str


@dataclass
class Problems:
    """Collects the broken rows of all sources that are read with it.

    Parameters
    ----------
    on_error
        ``stop`` raises at the first broken row, ``skip`` leaves broken rows out.
    limit
        Messages kept of each reading.
    """

    on_error: Literal["skip", "stop"] = "skip"
    limit: int = 20
    _readings: dict[tuple[str, str], "Reading"] = field(default_factory=dict, repr=False)

    def reading(self, purpose: str, source: str) -> "Reading":
        """Start a reading of `source`; a second one for the same `purpose` counts afresh."""
        reading = Reading(source, self.on_error, self.limit)
        self._readings[purpose, source] = reading
        return reading

    @property
    def count(self) -> int:
        """Number of broken rows."""
        return sum(reading.count for reading in self._readings.values())

    @property
    def messages(self) -> tuple[str, ...]:
        """The first messages, at most `limit`."""
        kept = [m for reading in self._readings.values() for m in reading.messages]
        return tuple(kept[: self.limit])

    def summary(self) -> str:
        """Say in one line how many rows were left out, and of which source."""
        if not self.count:
            return "no broken rows"
        each = ", ".join(f"{r.source}: {r.count}" for r in self._readings.values() if r.count)
        return f"{self.count} broken {'row' if self.count == 1 else 'rows'} left out ({each})"


@dataclass
class Reading:
    """The broken rows of one source, read once."""

    source: str
    on_error: Literal["skip", "stop"]
    limit: int
    count: int = 0
    messages: list[str] = field(default_factory=list)

    def report(self, problems: Iterable[Problem], unit: str) -> None:
        """Count `problems` in the order of their places; several in one row count once.

        Raises
        ------
        DataError
            There is one, and the first stops the reading.
        """
        last = None
        for problem in sorted(problems):
            if problem.place == last:
                continue
            last = problem.place
            what = f"{problem.field} {problem.reason}".strip()
            message = f"{self.source} {unit} {problem.place}: {what}"
            if self.on_error == "stop":
                raise DataError(
                    message,
                    hint="correct it, or leave broken rows out with --on-error skip",
                    file=self.source,
                    line=problem.place,
                    field=problem.field or None,
                )
            self.count += 1
            if len(self.messages) < self.limit:
                self.messages.append(message)
