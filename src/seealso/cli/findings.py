"""What an evaluation found, in the terminal: the tables of the report, those that fit there."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from seealso.cli import tables
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.datasets.intervals import Estimate
    from seealso.evaluation.report.tables import Table
    from seealso.evaluation.results import Evaluation, ProtocolResult


def evaluation_table(found: "Evaluation") -> RenderableType:
    """Return what an evaluation found, as a person reads it."""
    from seealso.evaluation.report.tables import changed_settings

    parts: list[RenderableType] = [tables.facts({**found.data, "seconds": f"{found.seconds:.0f}"})]
    if found.changed:
        parts += ["", figures(changed_settings(found.changed))]
    for protocol in found.protocols:
        parts += ["", *_protocol(protocol)]
    return Group(*parts)


def figures(table: "Table") -> RenderableType:
    """Return a table of an evaluation: names to the left, figures to the right."""
    found = tables.rows(table.columns, [row.cells for row in table.rows])
    for column in found.columns[1:]:
        column.justify = "left" if table.words else "right"
    return found


def _protocol(protocol: "ProtocolResult") -> Iterator[RenderableType]:
    cold = f", {protocol.cold_items:,} of them cold" if protocol.cold_items else ""
    if protocol.name == "cold among cold":
        cold = ", all of them cold"
    users = format_count(protocol.users, protocol.subjects.removesuffix("s"))
    yield Text(
        f"{protocol.name}, {protocol.split}: {users}, {format_count(protocol.items, 'item')}{cold}",
        style="bold",
    )
    yield from _changes(protocol)
    for number, table in enumerate(one for one in _tables(protocol) if one.rows):
        yield from ("", figures(table)) if number else (figures(table),)
    for note in protocol.notes:
        yield Text(f"note: {note}", style="yellow")


def _changes(protocol: "ProtocolResult") -> Iterator[RenderableType]:
    """Yield what became of the first system of the product in a table, and of each in a line."""
    from seealso.evaluation.report.tables import moves

    metric = protocol.headline
    for change in protocol.changes[:1]:
        rows = [(move.part, move) for move in change.moves]
        yield figures(moves(f"{change.system}, before and after", rows, metric))
    for change in protocol.changes:
        yield Text(
            f"{change.system}: {metric.upper()} "
            f"{tables.interval(change.whole.differences[metric])}, p {change.p:.4f}; "
            f"{100 * change.overlap:.0f} % of the first ten items are those of before"
        )
    if protocol.changes:
        yield ""


def _tables(protocol: "ProtocolResult") -> Iterator["Table"]:
    from seealso.evaluation.report import tables as report
    from seealso.evaluation.report.wording import FEW_SHOT

    yield report.scores(protocol)
    for parts in (protocol.parts, protocol.attributes):
        if parts:
            yield report.by_part(protocol, parts, _mean)
    yield report.of_the_product(report.treatments(protocol))
    yield report.worst_off(protocol)
    # protocols of one name ask the same fitted systems: once is enough
    if not protocol.name.startswith(FEW_SHOT):
        yield report.chosen(protocol)


def _mean(one: "Estimate") -> str:
    return f"{one.mean:.4f}"
