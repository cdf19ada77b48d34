"""The tables of the report: every figure of the plots is in one of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seealso.datasets.intervals import Estimate
from seealso.evaluation.report.wording import pairing
from seealso.evaluation.results import ProtocolResult
from seealso.evaluation.scores import Tuned

MISSING = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `ours` sets it off."""

    cells: tuple[str, ...]
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is shown: the first column names, the others hold figures."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def systems(protocol: ProtocolResult) -> list[str]:
    """Return who was asked, in the order of the results."""
    return [one.system for one in protocol.scores if one.part == "all"]


def scores(protocol: ProtocolResult) -> Table:
    """Return how every system does, and by how much the product differs from it."""
    beyond_accuracy = {one.system: one for one in protocol.beyond_accuracy}
    errors = {one.system: one.error for one in protocol.reliability}
    reference = protocol.pairings[0].system if protocol.pairings else ""
    rows = []
    for name in systems(protocol):
        metrics, change = (
            protocol.score(name).metrics,
            pairing(protocol, reference, name, protocol.headline),
        )
        more = beyond_accuracy.get(name)
        figures = (
            [MISSING] * 3
            if more is None
            else [f"{more.coverage:.3f}", f"{more.novelty:.1f}", f"{more.popularity_bias:+.3f}"]
        )
        cells = (
            name,
            f"{metrics['hr@10'].mean:.4f}",
            with_interval(metrics[protocol.headline]),
            MISSING if change is None else with_interval(change.difference, sign="+"),
            MISSING if change is None else f"{change.p:.4f}",
            *figures,
            f"{errors[name]:.3f}" if name in errors else MISSING,
        )
        rows.append(Row(cells, name in protocol.ours))
    metric = protocol.headline.upper()
    compared = f"{reference} minus it (95 %)" if reference else "difference (95 %)"
    columns = (
        "system", "HR@10", f"{metric} (95 %)", compared, "p",
        "coverage", "novelty", "bias", "ECE",
    )  # fmt: skip
    return Table(columns, tuple(rows))


def by_part(protocol: ProtocolResult, found: Mapping[str, int]) -> Table:
    """Return the headline metric of every system for the parts `found` of the users."""
    metric = protocol.headline
    rows = [
        Row(
            (
                name,
                *(with_interval(protocol.score(name, part).metrics[metric]) for part in found),
            ),
            name in protocol.ours,
        )
        for name in systems(protocol)
    ]
    columns = (metric.upper(), *(f"{part} ({users:,})" for part, users in found.items()))
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
    groups = dict.fromkeys(group for one in protocol.beyond_accuracy for group in one.exposure)
    rows = [
        Row(
            (group, *(f"{one.exposure[group]:.1%}" if group in one.exposure else MISSING
                      for one in protocol.beyond_accuracy))
        )
        for group in groups
    ]  # fmt: skip
    return Table(
        ("share of the places", *(one.system for one in protocol.beyond_accuracy)), tuple(rows)
    )


def treatments(protocol: ProtocolResult) -> Table:
    """Return how each system serves groups of users."""

    def cell(one: Estimate) -> str:
        return f"{one.mean:.4f} ({one.low:.4f} to {one.high:.4f})"

    rows = [
        Row(
            (one.system, one.group, f"{one.users:,}", cell(one.metric), cell(one.against_rest),
             cell(one.coverage), cell(one.tail_share)),
            one.system in protocol.ours,
        )
        for one in protocol.treatments
    ]  # fmt: skip
    columns = (
        "system", "group", "users", f"{protocol.headline.upper()}", "minus all others",
        "coverage of 20 lists", "tail share",
    )  # fmt: skip
    return Table(columns, tuple(rows))


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
    return Table(("system", "settings", "tried", "NDCG@10 on dev"), tuple(rows))


def facts(cell: Mapping[str, int | float | str]) -> Iterator[tuple[str, str]]:
    """Yield what was measured, a name and a value each."""
    for name, value in cell.items():
        yield name, f"{value:,}" if isinstance(value, int) and name != "seed" else str(value)


def with_interval(found: Estimate, sign: str = "") -> str:
    """Return a mean and its interval."""
    mean, low, high = (f"{one:{sign}.4f}" for one in (found.mean, found.low, found.high))
    return f"{mean} ({low} to {high})"


def _settings(tuned: Tuned) -> str:
    cell = [
        f"{name} {value}" if isinstance(value, str) else f"{name} {value:g}"
        for name, value in tuned.settings.items()
    ]
    return ", ".join(cell) or MISSING
