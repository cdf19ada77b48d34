"""Notes, log lines and progress: everything that is not a result goes to stderr, through rich.

A warning reaches the terminal as any other note does: one plain line, never wrapped.

No text of a user or an item is ever logged, only counts, ids of indices and durations. So an error
that nobody foresaw is shown without its message, which may hold one.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import format_tb
from types import TracebackType
from typing import TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

stderr = Console(stderr=True)

_ExceptionInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


def logger(name: str) -> logging.Logger:
    """Return the logger called `name` (use ``__name__``)."""
    return logging.getLogger(name)


def say(line: str) -> None:
    """Print a line on stderr as it is: neither wrapped, nor coloured, nor read as markup."""
    stderr.print(line, markup=False, highlight=False, soft_wrap=True)


class _LineFormatter(logging.Formatter):
    """Adds time and level; of an exception, where it came from and what kind it is."""

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802
        """Return the traceback of an exception, behind those of its causes."""
        found: list[str] = []
        exc = ei[1]
        while exc is not None:
            lines = ["Traceback (most recent call last):\n", *format_tb(exc.__traceback__)]
            found.insert(0, "".join([*lines, type(exc).__name__]))
            exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
        return "\n".join(found)


class _LineHandler(logging.Handler):
    """Prints what warns as a note, and the rest with time and level."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_LineFormatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        # what comes with a traceback is more than a note
        notable = record.levelno >= logging.WARNING and not record.exc_info
        say(f"note: {record.getMessage()}" if notable else self.format(record))


def configure(level: str = "WARNING") -> None:
    """Send the log lines of seealso to stderr from `level` on."""
    root = logging.getLogger("seealso")
    root.setLevel(level)
    root.handlers = [_LineHandler()]
    root.propagate = False


class RateColumn(ProgressColumn):
    """Steps per second."""

    def render(self, task: Task) -> Text:
        """Return the current speed of `task`, or blanks before it is known."""
        speed = task.speed
        if not speed:
            return Text("")
        # a step of training takes seconds
        rate = f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s"
        return Text(rate, style="progress.data.speed")


Tick: TypeAlias = Callable[[int], None]
"""Called with the number of steps that are done; a `Ticker` is one."""


def no_progress(steps: int) -> None:
    """Count steps without showing them: the `Tick` of callers that show no progress."""


class Ticker:
    """Counts the steps of one piece of work; handed to the code that does the steps."""

    def __init__(self, progress: Progress, task: int) -> None:
        self._progress = progress
        self._task = task

    def __call__(self, steps: int = 1) -> None:
        """Report that `steps` more steps are done."""
        self._progress.advance(self._task, steps)  # type: ignore[arg-type]

    def total(self, total: int) -> None:
        """Say how many steps there are in all, once that is known."""
        self._progress.update(self._task, total=total)  # type: ignore[arg-type]

    def say(self, what: str) -> None:
        """Show `what` behind the bar: how it is going, in a few words."""
        self._progress.update(self._task, state=what)  # type: ignore[arg-type]


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Ticker]:
    """Show `label`, a bar, the rate and the time left on stderr while the block runs.

    Parameters
    ----------
    label
        What is being done, for instance ``"encoding"``.
    total
        Number of steps, if known.

    Yields
    ------
    Ticker
        Call it with the number of steps done.
    """
    with Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
        console=stderr,
        transient=False,
    ) as bars:
        yield Ticker(bars, bars.add_task(label, total=total, state=""))
