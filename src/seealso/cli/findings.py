"""What an evaluation found, as tables for the terminal."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from seealso.cli import tables

if TYPE_CHECKING:
    from seealso.datasets.intervals import Estimate
    from seealso.evaluation.changes import Change
    from seealso.evaluation.results import Evaluation, ProtocolResult
    from seealso.evaluation.scores import PairedTest


def evaluation_table(found: "Evaluation") -> RenderableType:
    """Return what an evaluation found, as a person reads it."""
    parts: list[RenderableType] = [tables.facts({**found.data, "seconds": f"{found.seconds:.0f}"})]
    if found.changed:
        parts += ["", _changed(found.changed)]
    for protocol in found.protocols:
        parts += ["", *_protocol(protocol)]
    return Group(*parts)


def _protocol(protocol: "ProtocolResult") -> Iterator[RenderableType]:
    cold = f", {protocol.cold_items:,} of them cold" if protocol.cold_items else ""
    if protocol.name == "cold among cold":
        cold = ", all of them cold"
    yield Text(
        f"{protocol.name}, {protocol.split}: {protocol.users:,} users, "
        f"{protocol.items:,} items{cold}",
        style="bold",
    )
    for change in protocol.changes[:1]:
        yield _moves(protocol, change)
    for change in protocol.changes:
        yield _change(protocol, change)
    if protocol.changes:
        yield ""
    yield _scores(protocol, protocol.headline)
    yield from _parts(protocol, protocol.headline)
    yield from _attributes(protocol, protocol.headline)
    yield from _treatments(protocol, protocol.headline)
    yield from _tuned(protocol)
    for note in protocol.notes:
        yield Text(f"note: {note}", style="yellow")


def _changed(changed: Mapping[str, tuple[str, str]]) -> RenderableType:
    """Return the counts and settings that were others before."""
    lines = [(name, before, now) for name, (before, now) in changed.items()]
    return tables.rows(("since the earlier evaluation", "before", "now"), lines)


def _moves(protocol: "ProtocolResult", change: "Change") -> RenderableType:
    """Return what became of one system, a part of the users a line."""
    metric = protocol.headline
    lines = [
        (
            move.part,
            move.users,
            f"{move.before[metric]:.4f}",
            f"{move.after[metric]:.4f}",
            tables.interval(move.differences[metric]),
            tables.interval(move.differences["hr@10"]),
            move.gained,
            move.lost,
        )
        for move in change.moves
    ]
    columns = (
        f"{change.system}, before and after", "users", f"{metric} before", "after",
        "after - before (95 %)", "hr@10 after - before", "gain", "lose",
    )  # fmt: skip
    return tables.rows(columns, lines, numbers="users after gain lose")


def _change(protocol: "ProtocolResult", change: "Change") -> RenderableType:
    """Return what became of one system, for all users, in a line."""
    metric, whole = protocol.headline, change.whole
    return Text(
        f"{change.system}: {metric} {tables.interval(whole.differences[metric])}, "
        f"p {change.p:.4f}; {100 * change.overlap:.0f} % of the first ten items are those of before"
    )


def _scores(protocol: "ProtocolResult", headline: str) -> RenderableType:
    breadth = {one.system: one for one in protocol.beyond_accuracy}
    errors = {one.system: one.error for one in protocol.reliability}
    reference = protocol.pairings[0].system if protocol.pairings else ""
    paired = {
        one.other: one
        for one in protocol.pairings
        if (one.system, one.metric) == (reference, headline)
    }
    lines = [
        (
            score.system,
            f"{score.metrics['hr@10'].mean:.4f}",
            f"{score.metrics['hr@20'].mean:.4f}",
            _interval(score.metrics[headline]),
            _gain(paired.get(score.system)),
            _p(paired.get(score.system)),
            f"{breadth[score.system].coverage:.3f}",
            f"{breadth[score.system].novelty:.1f}",
            f"{breadth[score.system].popularity_bias:+.3f}",
            f"{errors[score.system]:.3f}" if score.system in errors else "-",
        )
        for score in protocol.scores
        if score.part == "all"
    ]
    columns = (
        "system", "hr@10", "hr@20", f"{headline} (95 %)", f"{reference} minus it (95 %)", "p",
        "coverage", "novelty", "bias", "ece",
    )  # fmt: skip
    return tables.rows(columns, lines, numbers="hr@10 hr@20 p coverage novelty bias ece")


def _parts(protocol: "ProtocolResult", headline: str) -> Iterator[RenderableType]:
    """Return the headline of each part of the users, a column a part."""
    parts = protocol.parts
    if not parts:
        return
    systems = dict.fromkeys(one.system for one in protocol.scores)
    lines = [
        (system, *(f"{protocol.score(system, part).metrics[headline].mean:.4f}" for part in parts))
        for system in systems
    ]
    yield ""
    yield tables.rows((headline, *(f"{part} ({users:,})" for part, users in parts.items())), lines)


def _attributes(protocol: "ProtocolResult", headline: str) -> Iterator[RenderableType]:
    """Return the headline by what was chosen next, a column a system."""
    parts = protocol.attributes
    if not parts:
        return
    systems = dict.fromkeys(one.system for one in protocol.scores)
    lines = [
        (
            part,
            users,
            *(f"{protocol.score(one, part).metrics[headline].mean:.4f}" for one in systems),
        )
        for part, users in parts.items()
    ]
    yield ""
    yield tables.rows((headline, "users", *systems), lines, numbers="users")


def _treatments(protocol: "ProtocolResult", headline: str) -> Iterator[RenderableType]:
    """Return how the product, or else each system, serves groups of users."""
    lines = [
        (
            one.system,
            one.group,
            one.users,
            _interval(one.metric),
            tables.interval(one.against_rest),
            _interval(one.coverage),
            f"{one.tail_share.mean:.3f} ({one.tail_share.low:.3f} to {one.tail_share.high:.3f})",
        )
        for one in protocol.treatments
        if one.system in protocol.ours or not protocol.ours
    ]
    if lines:
        columns = (
            "served alike", "group", "users", f"{headline} (95 %)", "minus all others (95 %)",
            "coverage of 20 lists", "tail share (95 %)",
        )  # fmt: skip
        yield ""
        yield tables.rows(columns, lines, numbers="users")


def _tuned(protocol: "ProtocolResult") -> Iterator[RenderableType]:
    """Return what dev chose; once is enough for protocols that ask the same fitted systems."""
    if not protocol.tuned or protocol.name.startswith("few-shot"):
        return
    lines = [
        (
            one.system,
            ", ".join(f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}"
                      for name, value in one.settings.items()),
            one.tried,
            f"{one.dev:.4f}",
        )
        for one in protocol.tuned
    ]  # fmt: skip
    yield ""
    yield tables.rows(("chosen on dev", "settings", "tried", "ndcg@10"), lines, numbers="tried")


def _gain(pairing: "PairedTest | None") -> str:
    return "-" if pairing is None else tables.interval(pairing.difference)


def _p(pairing: "PairedTest | None") -> str:
    return "-" if pairing is None else f"{pairing.p:.4f}"


def _interval(one: "Estimate") -> str:
    return f"{one.mean:.4f} ({one.low:.4f} to {one.high:.4f})"
