"""A table that cuts no number and no name, however narrow the terminal is.

Rich cuts what finds no room. But half a number is another number, and half the name of an index is
of no use to the command that asks for it.
"""

from collections.abc import Iterable
from dataclasses import replace

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.style import StyleType
from rich.table import Column, Table
from rich.text import Text

LEAST = 12
"""Characters of a name or a text that a line has room for."""

GAP = 2
"""Blanks between two columns."""

UNLIMITED = 10_000
"""A width that nothing reaches."""


class WholeTable(Table):
    """A table without frames, which is narrowed with care.

    Columns to the right hold figures, whose lines break at blanks alone. Those with
    ``overflow="ellipsis"`` hold free text in one line, which is shortened first, down to their
    ``min_width``. All others hold names and sentences, which go on in the next line. If even that
    is too wide, each row is printed as lines of a name and a value.

    Parameters
    ----------
    title, title_style
        The line above, and how it looks.
    """

    def __init__(self, title: str | Text | None = None, title_style: StyleType = "bold") -> None:
        super().__init__(
            title=title, title_justify="left", title_style=title_style, box=None, pad_edge=False
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table as it is, narrowed, or as one block of lines for each row."""
        room = options.max_width - GAP * (len(self.columns) - 1)
        natural = [self._natural(console, options, column) for column in self.columns]
        if sum(natural) <= room:
            return super().__rich_console__(console, options)
        least = [
            min(width, self._least(console, options, column))
            for width, column in zip(natural, self.columns, strict=True)
        ]
        if sum(least) > room:
            return iter([self._blocks()])
        return iter([self._narrowed(self._shared(natural, least, room))])

    def _natural(self, console: Console, options: ConsoleOptions, column: Column) -> int:
        header = [column.header] if self.show_header else []
        cells = _measure(console, options, [*header, *column.cells])
        return min(cells.maximum, column.max_width or cells.maximum)

    def _least(self, console: Console, options: ConsoleOptions, column: Column) -> int:
        if column.justify != "right":
            return column.min_width or LEAST
        header = _measure(console, options, [column.header])
        figures = _measure(console, options, column.cells)
        # an interval may go on in the next line, at its blanks
        return max(header.minimum, figures.minimum, min(LEAST, figures.maximum))

    def _shared(self, natural: list[int], least: list[int], room: int) -> list[int]:
        """Return widths that fit: texts give way before names, wide columns before others."""
        widths = list(natural)
        while sum(widths) > room:
            place = max(
                (place for place, width in enumerate(widths) if width > least[place]),
                key=lambda place: (_is_text(self.columns[place]), widths[place]),
            )
            widths[place] -= 1
        return widths

    def _narrowed(self, widths: list[int]) -> Table:
        table = Table(box=None, pad_edge=False, show_header=self.show_header)
        self._entitle(table)
        table.rows = self.rows
        table.columns = [
            replace(column, width=width, no_wrap=_is_text(column))
            for column, width in zip(self.columns, widths, strict=True)
        ]
        return table

    def _blocks(self) -> Table:
        """Return each row as lines of a name and a value, without what is empty."""
        lines = Table.grid(padding=(0, GAP))
        self._entitle(lines)
        lines.add_column(style="dim", overflow="fold")
        lines.add_column(overflow="fold")
        for number, row in enumerate(zip(*(column.cells for column in self.columns), strict=True)):
            if number:
                lines.add_row()
            for column, cell in zip(self.columns, row, strict=True):
                if str(cell):
                    lines.add_row(column.header, _folded(cell, column.max_width))
        return lines

    def _entitle(self, table: Table) -> None:
        table.title, table.title_style, table.title_justify = self.title, self.title_style, "left"


def _is_text(column: Column) -> bool:
    return column.overflow == "ellipsis"


def _folded(cell: RenderableType, most: int | None) -> RenderableType:
    """Return a cell that goes on in the next line; a text is no longer than in the table."""
    if not isinstance(cell, Text):
        return cell
    folded = cell.copy()
    if most is not None:
        folded.truncate(most, overflow="ellipsis")
    folded.no_wrap, folded.overflow = False, "fold"
    return folded


def _measure(
    console: Console, options: ConsoleOptions, cells: Iterable[RenderableType]
) -> Measurement:
    """Return the longest word and the longest line of some cells."""
    unlimited = options.update(max_width=UNLIMITED)
    found = [console.measure(cell, options=unlimited) for cell in cells]
    return Measurement(
        max((one.minimum for one in found), default=0),
        max((one.maximum for one in found), default=0),
    )
