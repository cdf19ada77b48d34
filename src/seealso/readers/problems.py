"""Counts by kind what was left out of a source: broken rows and broken values.

A broken key costs its row, a broken value only itself. Reading stops at the first broken row, or
all are counted; of each kind the first few are kept with source, place, column and value:
``movies.csv line 12: price is not a number ('call us')``.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from seealso.errors import ConfigError, DataError
from seealso.readers.rows import Rows
from seealso.wording import format_count

EXAMPLES: Final = 3
"""Messages that a summary shows of each kind."""

MOST_KINDS: Final = 50
"""Kinds that are counted separately; further ones are counted together."""

OTHER: Final = ("row", "", "of yet another kind")


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong with one row, or with one value of it.

    Attributes
    ----------
    place
        Number of the line, row or document, from 1.
    field
        The column, or empty where the row as a whole is broken.
    reason
        What is wrong, as the end of a sentence that starts with the field.
    value
        What was met, as a message shows it; never the id of a user.
    costs
        What is left out: the ``row``, or the ``value`` alone.
    repeats
        Whether the row is one too many of an item that was read: nothing is lost with it.
    """

    place: int
    field: str
    reason: str
    value: str | None = None
    costs: Literal["row", "value"] = "row"
    repeats: bool = False

    def __str__(self) -> str:
        what = f"{self.field} {self.reason}".strip()
        return what if self.value is None else f"{what} ({self.value})"

    @property
    def kind(self) -> tuple[str, str, str]:
        """What problems that are reported together have in common: all but numbers and values."""
        return self.costs, self.field, re.sub(r"\d[\d,.]*|0x\w+", "0", self.reason)


@dataclass
class Problems:
    """Collects what was left out of all sources that are read with it.

    Parameters
    ----------
    on_error
        ``stop`` raises at the first broken row, ``skip`` leaves broken rows out. Broken values
        are left out in any case.
    limit
        Messages kept of each reading.
    each
        Called with each one that counts.
    """

    on_error: Literal["skip", "stop"] = "skip"
    limit: int = 20
    each: Callable[[Problem], object] = lambda _: None
    _readings: dict[tuple[str, str], "Reading"] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.on_error not in ("skip", "stop"):
            raise ConfigError(f"on_error: must be stop or skip, not {self.on_error!r}")

    def reading(self, purpose: str, source: str) -> "Reading":
        """Start a reading of `source`; a second one for the same `purpose` counts afresh."""
        reading = Reading(source, self.on_error, self.limit, self.each)
        self._readings[purpose, source] = reading
        return reading

    @property
    def count(self) -> int:
        """Number of broken rows."""
        return sum(reading.count for reading in self._readings.values())

    def lost(self, purpose: str) -> int:
        """Return how many rows were left out of what was read for `purpose`, repetitions aside."""
        of_it = (reading for (kind, _), reading in self._readings.items() if kind == purpose)
        return sum(reading.lost for reading in of_it)

    @property
    def values(self) -> int:
        """Number of broken values in rows that were kept."""
        return sum(reading.values for reading in self._readings.values())

    @property
    def messages(self) -> tuple[str, ...]:
        """The first messages, at most `limit`."""
        messages = [m for reading in self._readings.values() for m in reading.messages]
        return tuple(messages[: self.limit])

    def summary(self) -> str:
        """Return what was left out of each source, by kind, with examples; empty if nothing was."""
        parts = [line for reading in self._readings.values() for line in reading.summary()]
        return "\n".join(parts)

    @property
    def headlines(self) -> tuple[str, ...]:
        """How much was left out, a line for each source that lost something."""
        return tuple(one.headline for one in self._readings.values() if one.headline)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed, and what was counted without a loss: a line each, with its source."""
        return tuple(note for reading in self._readings.values() for note in reading.notes)


@dataclass
class Reading:
    """What was left out of one source, read once."""

    source: str
    on_error: Literal["skip", "stop"]
    limit: int
    each: Callable[[Problem], object]
    count: int = 0
    lost: int = 0
    values: int = 0
    messages: list[str] = field(default_factory=list)
    _kinds: dict[tuple[str, str, str], "_Kind"] = field(default_factory=dict, repr=False)
    _tallies: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)
    _notes: dict[str, None] = field(default_factory=dict, repr=False)

    def take(self, rows: Rows, problems: Iterable[Problem]) -> None:
        """Take note of what was guessed of `rows`, and count what is wrong with them.

        Parameters
        ----------
        rows
            As they were read; what could not be read as a row is counted as well.
        problems
            What is wrong with the others.

        Raises
        ------
        DataError
            As `report`.
        """
        self._notes.update(dict.fromkeys(rows.notes))
        unread = (Problem(place, "", reason) for place, reason in rows.broken)
        self.report([*unread, *problems], rows.unit)

    def report(self, problems: Iterable[Problem], unit: str) -> None:
        """Count `problems` in the order of their places.

        Of a row that is left out, the first problem alone counts.

        Raises
        ------
        DataError
            A row is broken, and the first stops the reading.
        """
        # "row" sorts before "value" within a place, and hides the others of that row
        last = None
        for problem in sorted(problems, key=lambda one: (one.place, one.costs, one.field)):
            if problem.place == last:
                continue
            message = f"{self.source} {unit} {problem.place}: {problem}"
            if problem.costs == "row":
                last = problem.place
                if self.on_error == "stop":
                    raise DataError(
                        message,
                        hint="correct it, or leave broken rows out with --on-error skip",
                        file=self.source,
                        line=problem.place,
                        field=problem.field or None,
                    )
                self.count += 1
                self.lost += not problem.repeats
            else:
                self.values += 1
            self.each(problem)
            kind = problem.kind
            if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
                kind = OTHER
            self._kinds.setdefault(kind, _Kind()).add(message)
            if len(self.messages) < self.limit:
                self.messages.append(message)

    def tally(self, count: int, one: str, many: str) -> None:
        """Count something that is not lost but should be known, such as events without a user."""
        if count:
            before = self._tallies.get((one, many), 0)
            self._tallies[one, many] = before + count

    def note(self, what: str) -> None:
        """Take note of what was guessed."""
        self._notes[what] = None

    @property
    def headline(self) -> str:
        """How much was left out; empty where nothing was."""
        lost = [
            format_count(count, word)
            for count, word in ((self.count, "broken row"), (self.values, "broken value"))
            if count
        ]
        return f"{self.source}: {' and '.join(lost)} left out" if lost else ""

    def summary(self) -> list[str]:
        """Return a headline and some messages of each kind; nothing where nothing was lost."""
        lines = [self.headline] if self.headline else []
        for kind in self._kinds.values():
            lines += [f"  {message}" for message in kind.examples]
            if (more := kind.count - len(kind.examples)) > 0:
                lines.append(f"  ... and {more:,} more of this kind")
        return lines

    @property
    def notes(self) -> list[str]:
        """What was counted without a loss, and what was guessed."""
        tallies = self._tallies.items()
        counted = (f"{count:,} {one if count == 1 else many}" for (one, many), count in tallies)
        return [f"{self.source}: {what}" for what in (*counted, *self._notes)]


@dataclass
class _Kind:
    """Problems that differ by place and value alone."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, message: str) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(message)
