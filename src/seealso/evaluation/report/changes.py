"""Before and after in the report: what became of the product, for whom, and lists to read."""

from collections.abc import Iterator, Mapping, Sequence

from seealso.evaluation.changes import Change, Move
from seealso.evaluation.report import plots
from seealso.evaluation.report.parts import Draw, Part, Person, Side
from seealso.evaluation.report.tables import Row, Table, with_interval
from seealso.evaluation.results import ProtocolResult

SHARES = ("coverage", "places, ")
"""Measures that are shares of something, shown as per cent."""


def verdict(protocol: ProtocolResult) -> str:
    """Return in a sentence how the product ranks compared with before; may be empty."""
    if not protocol.changes:
        return ""
    change, metric = protocol.changes[0], protocol.headline
    whole, found = change.whole, change.whole.differences[metric]
    judgement = {
        "better": "ranks better than before",
        "worse": "ranks worse than before",
        "alike": "cannot be distinguished from before",
    }[standing(protocol)]
    return (
        f"{change.system} {judgement}: {metric.upper()} {whole.before[metric]:.4f} before, "
        f"{whole.after[metric]:.4f} now, {with_interval(found, sign='+')}."
    )


def standing(protocol: ProtocolResult) -> str:
    """Return ``better``, ``worse`` or ``alike``: the product against what it was before."""
    if not protocol.changes:
        return "alike"
    found = protocol.changes[0].whole.differences[protocol.headline]
    if found.low <= 0 <= found.high:
        return "alike"
    return "better" if found.mean > 0 else "worse"


def parts(protocol: ProtocolResult, draw: Draw) -> Iterator[Part]:
    """Yield what became of each system of the product, for all users and for parts of them."""
    for place, change in enumerate(protocol.changes):
        name = "" if len(protocol.changes) == 1 else f": {change.system}"
        rows = [(move.part, move) for move in change.moves]
        yield Part(
            f"Before and after{name}",
            f"{_lists(change)} Each line is a 95 % interval of the difference, user by user: if "
            f"it contains 0, the difference may be chance.",
            moves(rows, protocol.headline),
            draw(plots.moves(rows, protocol.headline)) if place == 0 else None,
            folded=place > 0,
        )
        if place == 0:
            yield Part("Beside the ranking, before and after", "", _beyond_accuracy(change))


def by_length(protocols: Sequence[ProtocolResult], draw: Draw) -> Iterator[Part]:
    """Yield what became of the product, by the length of the histories."""
    rows = [(one.name, one.changes[0].whole) for one in protocols if one.changes]
    if rows:
        metric = protocols[0].headline
        plot = draw(plots.moves(rows, metric))
        yield Part("Before and after", "", moves(rows, metric), plot)


def people(protocol: ProtocolResult) -> Iterator[Person]:
    """Yield the users whose lists changed most."""
    for one in protocol.changes[0].contrasts if protocol.changes else ():
        same = frozenset(one.before) & frozenset(one.after)
        sides = (Side("before", one.before, same), Side("after", one.after, same))
        yield Person(one.history, one.target, sides)


def moves(rows: Sequence[tuple[str, Move]], metric: str) -> Table:
    """Return the headline metric and HR@10 before and after, a line for each name."""
    name = metric.upper()
    columns = (
        name, "users", "before", "after", "after minus before (95 %)", "HR@10 before", "after",
        "after minus before (95 %)", "gain", "lose",
    )  # fmt: skip
    return Table(columns, tuple(Row(_cells(label, move, metric)) for label, move in rows))


def settings(changed: Mapping[str, tuple[str, str]]) -> Table:
    """Return the counts and settings that were others before."""
    rows = tuple(Row((name, before, now)) for name, (before, now) in changed.items())
    return Table(("what differs", "before", "now"), rows)


def _cells(label: str, move: Move, metric: str) -> tuple[str, ...]:
    return (
        label,
        f"{move.users:,}",
        f"{move.before[metric]:.4f}",
        f"{move.after[metric]:.4f}",
        with_interval(move.differences[metric], sign="+"),
        f"{move.before['hr@10']:.4f}",
        f"{move.after['hr@10']:.4f}",
        with_interval(move.differences["hr@10"], sign="+"),
        f"{move.gained:,}",
        f"{move.lost:,}",
    )


def _lists(change: Change) -> str:
    whole = change.whole
    return (
        f"Of the first ten items {100 * change.overlap:.0f} % are those of before. The item "
        f"chosen next has a higher place for {whole.gained:,} of {whole.users:,} users and a "
        f"lower place for {whole.lost:,}; p {change.p:.4f}."
    )


def _beyond_accuracy(change: Change) -> Table:
    rows = []
    for name, (before, after) in change.beyond_accuracy.items():
        form = ".1%" if name.startswith(SHARES) else ".3f"
        rows.append(Row((name, f"{before:{form}}", f"{after:{form}}")))
    return Table(("lists of ten", "before", "after"), tuple(rows))
