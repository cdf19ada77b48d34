"""What an evaluation found, as tables for the terminal."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from seealso.cli import tables

if TYPE_CHECKING:
    from seealso.datasets.intervals import Estimate
    from seealso.evaluation.changes import Change
    from seealso.evaluation.results import Evaluation, ExamResult, Pairing


def shown(found: "Evaluation") -> RenderableType:
    """Return what an evaluation found, as a person reads it."""
    parts: list[RenderableType] = [tables.facts({**found.data, "seconds": f"{found.seconds:.0f}"})]
    if found.changed:
        parts += ["", _changed(found.changed)]
    for exam in found.exams:
        parts += ["", *_exam(exam)]
    return Group(*parts)


def _exam(exam: "ExamResult") -> Iterator[RenderableType]:
    cold = f", {exam.cold_items:,} of them cold" if exam.cold_items else ""
    if exam.exam == "cold among cold":
        cold = ", all of them cold"
    yield Text(
        f"{exam.exam}, {exam.asked}: {exam.users:,} users, {exam.items:,} items{cold}",
        style="bold",
    )
    for change in exam.changes[:1]:
        yield _moves(exam, change)
    for change in exam.changes:
        yield _change(exam, change)
    if exam.changes:
        yield ""
    yield _scores(exam, exam.headline)
    yield from _parts(exam, exam.headline)
    yield from _attributes(exam, exam.headline)
    yield from _treatments(exam, exam.headline)
    yield from _tuned(exam)
    for note in exam.notes:
        yield Text(f"note: {note}", style="yellow")


def _changed(changed: Mapping[str, tuple[str, str]]) -> RenderableType:
    """Return the counts and settings that were others before."""
    lines = [(name, before, now) for name, (before, now) in changed.items()]
    return tables.rows(("since the earlier evaluation", "before", "now"), lines)


def _moves(exam: "ExamResult", change: "Change") -> RenderableType:
    """Return what became of one system, a part of the users a line."""
    metric = exam.headline
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


def _change(exam: "ExamResult", change: "Change") -> RenderableType:
    """Return what became of one system, for all users, in a line."""
    metric, whole = exam.headline, change.whole
    return Text(
        f"{change.system}: {metric} {tables.interval(whole.differences[metric])}, "
        f"p {change.p:.4f}; {100 * change.kept:.0f} % of the first ten items are those of before"
    )


def _scores(exam: "ExamResult", headline: str) -> RenderableType:
    beyond = {one.system: one for one in exam.beyond}
    errors = {one.system: one.error for one in exam.reliability}
    reference = exam.pairings[0].system if exam.pairings else ""
    paired = {
        one.other: one for one in exam.pairings if (one.system, one.metric) == (reference, headline)
    }
    lines = [
        (
            score.system,
            f"{score.metrics['hr@10'].mean:.4f}",
            f"{score.metrics['hr@20'].mean:.4f}",
            _interval(score.metrics[headline]),
            _gain(paired.get(score.system)),
            _p(paired.get(score.system)),
            f"{beyond[score.system].coverage:.3f}",
            f"{beyond[score.system].novelty:.1f}",
            f"{beyond[score.system].popularity_bias:+.3f}",
            f"{errors[score.system]:.3f}" if score.system in errors else "-",
        )
        for score in exam.scores
        if score.part == "all"
    ]
    columns = (
        "system", "hr@10", "hr@20", f"{headline} (95 %)", f"{reference} minus it (95 %)", "p",
        "coverage", "novelty", "bias", "ece",
    )  # fmt: skip
    return tables.rows(columns, lines, numbers="hr@10 hr@20 p coverage novelty bias ece")


def _parts(exam: "ExamResult", headline: str) -> Iterator[RenderableType]:
    """Return the headline of each part of the users, a column a part."""
    parts = exam.parts
    if not parts:
        return
    systems = dict.fromkeys(one.system for one in exam.scores)
    lines = [
        (system, *(f"{exam.score(system, part).metrics[headline].mean:.4f}" for part in parts))
        for system in systems
    ]
    yield ""
    yield tables.rows((headline, *(f"{part} ({users:,})" for part, users in parts.items())), lines)


def _attributes(exam: "ExamResult", headline: str) -> Iterator[RenderableType]:
    """Return the headline by what was chosen next, a column a system."""
    parts = exam.attributes
    if not parts:
        return
    systems = dict.fromkeys(one.system for one in exam.scores)
    lines = [
        (part, users, *(f"{exam.score(one, part).metrics[headline].mean:.4f}" for one in systems))
        for part, users in parts.items()
    ]
    yield ""
    yield tables.rows((headline, "users", *systems), lines, numbers="users")


def _treatments(exam: "ExamResult", headline: str) -> Iterator[RenderableType]:
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
        for one in exam.treatments
        if one.system in exam.ours or not exam.ours
    ]
    if lines:
        columns = (
            "served alike", "group", "users", f"{headline} (95 %)", "minus all others (95 %)",
            "coverage of 20 lists", "tail share (95 %)",
        )  # fmt: skip
        yield ""
        yield tables.rows(columns, lines, numbers="users")


def _tuned(exam: "ExamResult") -> Iterator[RenderableType]:
    """Return what dev chose; once is enough for exams that ask the same fitted systems."""
    if not exam.tuned or exam.exam.startswith("few-shot"):
        return
    lines = [
        (
            one.system,
            ", ".join(f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}"
                      for name, value in one.settings.items()),
            one.tried,
            f"{one.dev:.4f}",
        )
        for one in exam.tuned
    ]  # fmt: skip
    yield ""
    yield tables.rows(("chosen on dev", "settings", "tried", "ndcg@10"), lines, numbers="tried")


def _gain(pairing: "Pairing | None") -> str:
    return "-" if pairing is None else tables.interval(pairing.difference)


def _p(pairing: "Pairing | None") -> str:
    return "-" if pairing is None else f"{pairing.p:.4f}"


def _interval(one: "Estimate") -> str:
    return f"{one.mean:.4f} ({one.low:.4f} to {one.high:.4f})"
