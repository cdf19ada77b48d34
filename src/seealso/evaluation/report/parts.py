"""What a chapter of the report is made of: plots, the tables behind them, users to read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seealso.evaluation.report.tables import Table


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure as the page draws it: a name that no other has, and JSON."""

    name: str
    figure: str


Draw = Callable[[Any], Plot]


@dataclass(frozen=True, slots=True)
class Part:
    """A plot and the table with its figures.

    Attributes
    ----------
    heading, words
        What stands above.
    table
        The figures.
    plot
        None where a table says it better.
    folded
        The table is closed at first.
    kind
        ``words`` where cells are text, not figures.
    """

    heading: str
    words: str
    table: Table
    plot: Plot | None = None
    folded: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """What one system showed to one user; `same` are titles that another side shows as well."""

    system: str
    titles: tuple[str, ...]
    same: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """One user to read."""

    history: tuple[str, ...]
    target: str
    sides: tuple[Side, ...]
