"""The tables of an evaluation, for the page and for the terminal: every figure of the plots too."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from seealso.datasets.intervals import Estimate
from seealso.evaluation.changes import Change, Move
from seealso.evaluation.report.wording import pairing, with_interval
from seealso.evaluation.results import ProtocolResult
from seealso.evaluation.scores import Tuned

SHARES = ("coverage", "places, ")
"""Measures that are shares of something, shown as per cent."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line, whose cells are empty where there is nothing to show; `ours` sets it off."""

    cells: tuple[str, ...]
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the first column names, the others hold figures, or words."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    words: bool = False


def systems(protocol: ProtocolResult) -> list[str]:
    """Return who was asked, in the order of the results."""
    return [one.system for one in protocol.scores if one.part == "all"]


def scores(protocol: ProtocolResult) -> Table:
    """Return how every system does, and by how much the product differs from it."""
    beyond_accuracy = {one.system: one for one in protocol.beyond_accuracy}
    errors = {one.system: f"{one.error:.3f}" for one in protocol.reliability}
    reference = protocol.pairings[0].system if protocol.pairings else ""
    rows = []
    for name in systems(protocol):
        metrics = protocol.score(name).metrics
        change = pairing(protocol, reference, name, protocol.headline)
        more = beyond_accuracy.get(name)
        cells = (
            name,
            f"{metrics['hr@10'].mean:.4f}",
            f"{metrics['hr@20'].mean:.4f}",
            with_interval(metrics[protocol.headline]),
            "" if change is None else with_interval(change.difference, sign="+"),
            "" if change is None else f"{change.p:.4f}",
            "" if more is None else f"{more.coverage:.3f}",
            "" if more is None else f"{more.novelty:.1f}",
            "" if more is None else f"{more.popularity_bias:+.3f}",
            errors.get(name, ""),
        )
        rows.append(Row(cells, name in protocol.ours))
    compared = f"{reference} minus it (95 %)" if reference else "difference (95 %)"
    columns = (
        "system", "HR@10", "HR@20", f"{protocol.headline.upper()} (95 %)", compared, "p",
        "coverage", "novelty", "bias", "ECE",
    )  # fmt: skip
    return Table(columns, tuple(rows))


def by_part(
    protocol: ProtocolResult,
    parts: Mapping[str, int],
    cell: Callable[[Estimate], str] = with_interval,
) -> Table:
    """Return the headline metric of every system, by `cell`, for some parts of the users."""
    metric = protocol.headline
    rows = [
        Row(
            (name, *(cell(protocol.score(name, part).metrics[metric]) for part in parts)),
            name in protocol.ours,
        )
        for name in systems(protocol)
    ]
    columns = (metric.upper(), *(f"{part} ({users:,})" for part, users in parts.items()))
    return Table(columns, tuple(rows))


def by_length(protocols: Sequence[ProtocolResult]) -> Table:
    """Return the headline metric of every system by the length of the histories."""
    (first, *_) = protocols
    rows = [
        Row(
            (name, *(with_interval(one.score(name).metrics[one.headline]) for one in protocols)),
            name in first.ours,
        )
        for name in systems(first)
    ]
    return Table((first.headline.upper(), *(one.name for one in protocols)), tuple(rows))


def exposure(protocol: ProtocolResult) -> Table:
    """Return the share of the places that each group of items got."""
    shares = {one.system: one.exposure for one in protocol.beyond_accuracy}
    groups = dict.fromkeys(group for own in shares.values() for group in own)
    rows = [
        Row((group, *(f"{own[group]:.1%}" if group in own else "" for own in shares.values())))
        for group in groups
    ]
    return Table(("share of the places", *shares), tuple(rows))


def treatments(protocol: ProtocolResult) -> Table:
    """Return how each system serves groups of users."""
    rows = [
        Row(
            (one.system, one.group, f"{one.users:,}", with_interval(one.metric),
             with_interval(one.against_rest, sign="+"), with_interval(one.coverage),
             with_interval(one.tail_share)),
            one.system in protocol.ours,
        )
        for one in protocol.treatments
    ]  # fmt: skip
    columns = (
        "served alike", "group", "users", f"{protocol.headline.upper()} (95 %)",
        "minus all others (95 %)", "coverage of 20 lists", "tail share (95 %)",
    )  # fmt: skip
    return Table(columns, tuple(rows), words=True)


def worst_off(protocol: ProtocolResult) -> Table:
    """Return how each system serves the worst-off members of known groups."""
    reference = next((one.system for one in protocol.worst_off if one.difference is None), "")
    rows = [
        Row(
            (one.system, f"{one.groups:,}", with_interval(one.metric),
             "" if one.difference is None else with_interval(one.difference, sign="+")),
            one.system in protocol.ours,
        )
        for one in protocol.worst_off
    ]  # fmt: skip
    metric = protocol.headline.upper()
    columns = ("worst-off member", "groups", f"{metric} (95 %)", f"{reference} minus it (95 %)")
    return Table(columns, tuple(rows))


def of_the_product(table: Table) -> Table:
    """Return the lines of the product alone, if it was asked."""
    return replace(table, rows=tuple(row for row in table.rows if row.ours) or table.rows)


def reliability(protocol: ProtocolResult) -> Table:
    """Return what was predicted and what came true, bin by bin."""
    rows = [
        Row((one.system, f"{bin_.low:.4f}–{bin_.high:.4f}", f"{bin_.count:,}",
             f"{bin_.predicted:.4f}", f"{bin_.observed:.4f}"))
        for one in protocol.reliability
        for bin_ in one.bins
    ]  # fmt: skip
    return Table(("system", "probabilities", "items shown", "predicted", "chosen"), tuple(rows))


def chosen(protocol: ProtocolResult) -> Table:
    """Return what dev chose for each system."""
    rows = [
        Row((one.system, _settings(one), f"{one.tried:,}", f"{one.dev:.4f}"))
        for one in protocol.tuned
    ]
    return Table(("chosen on dev", "settings", "tried", "NDCG@10"), tuple(rows), words=True)


def moves(label: str, rows: Sequence[tuple[str, Move]], metric: str) -> Table:
    """Return `metric` and HR@10 before and after, a line for each name, under `label`."""
    columns = (
        label, "users", f"{metric.upper()} before", "after", "after minus before (95 %)",
        "HR@10 before", "after", "after minus before (95 %)", "gain", "lose",
    )  # fmt: skip
    return Table(columns, tuple(Row((name, *_cells(move, metric))) for name, move in rows))


def _cells(move: Move, metric: str) -> tuple[str, ...]:
    figures = (
        (
            f"{move.before[name]:.4f}",
            f"{move.after[name]:.4f}",
            with_interval(move.differences[name], sign="+"),
        )
        for name in (metric, "hr@10")
    )
    headline, hits = figures
    return f"{move.users:,}", *headline, *hits, f"{move.gained:,}", f"{move.lost:,}"


def beside_the_ranking(change: Change) -> Table:
    """Return what accuracy does not tell, before and after."""
    rows = []
    for name, (before, after) in change.beyond_accuracy.items():
        form = ".1%" if name.startswith(SHARES) else ".3f"
        rows.append(Row((name, f"{before:{form}}", f"{after:{form}}")))
    return Table(("lists of ten", "before", "after"), tuple(rows))


def changed_settings(changed: Mapping[str, tuple[str, str]]) -> Table:
    """Return the counts and settings that were others before."""
    rows = tuple(Row((name, before, now)) for name, (before, now) in changed.items())
    return Table(("since the earlier evaluation", "before", "now"), rows, words=True)


def facts(data: Mapping[str, int | float | str]) -> Iterator[tuple[str, str]]:
    """Yield what was measured, a name and a value each."""
    for name, value in data.items():
        yield name, f"{value:,}" if isinstance(value, int) and name != "seed" else str(value)


def _settings(tuned: Tuned) -> str:
    return ", ".join(
        f"{name} {value}" if isinstance(value, str) else f"{name} {value:g}"
        for name, value in tuned.settings.items()
    )
