"""How results look: aligned tables and facts without frames."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from seealso.whole_table import WholeTable
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.datasets.intervals import Estimate
    from seealso.indexer.event_summary import EventSummary


@dataclass(frozen=True)
class Trimmed:
    """What is shown, with lines that end where their text ends: tables pad theirs with blanks."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the content without the blanks at the ends of its lines."""
        for line in console.render_lines(self.content, options, pad=False):
            while line and not line[-1].text.rstrip(" "):
                line.pop()
            if line:
                line[-1] = line[-1]._replace(text=line[-1].text.rstrip(" "))
            yield from line
            yield Segment.line()


def facts(pairs: Mapping[str, object]) -> Table:
    """Return names and values, one pair a line."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", overflow="fold")
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        table.add_row(name, Text(as_text(value)))
    return table


def rows(
    columns: Sequence[str],
    lines: Iterable[Sequence[object]],
    *,
    numbers: str = "",
) -> Table:
    """Return a table.

    Parameters
    ----------
    columns, lines
        Names, and the values of each line.
    numbers
        Names the columns that are aligned to the right, by spaces.
    """
    table = WholeTable()
    right = set(numbers.split())
    for name in columns:
        justify: JustifyMethod = "right" if name in right else "left"
        table.add_column(name, justify=justify, overflow="fold")
    for line in lines:
        table.add_row(*(Text(as_text(value)) for value in line))
    return table


def as_text(value: object) -> str:
    """Return `value` as a person reads it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value)


def events(summary: "EventSummary") -> dict[str, object]:
    """Return what events are as a fact; none where there are no events."""
    return {"events": str(summary)} if summary.events else {}


def moment(at: datetime) -> str:
    """Return a time, and how long ago it is."""
    return f"{at:%Y-%m-%d %H:%M} UTC ({age(at)})"


def age(at: datetime) -> str:
    """Return how long ago a time is, in the unit that suits it."""
    minutes = int((datetime.now(UTC) - at).total_seconds() // 60)
    for unit, length in (("day", 1440), ("hour", 60), ("minute", 1)):
        if count := minutes // length:
            return f"{format_count(count, unit)} ago"
    return "just now"


def interval(found: "Estimate") -> str:
    """Return a difference with the interval that it lies in."""
    return f"{found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def size(count: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    amount = float(count)
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount:,.0f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"
