"""``seealso evaluate``: how good the recommendations are, beside what others reach."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.text import Text

from seealso.cli import tables
from seealso.cli.context import Context, pass_context
from seealso.cli.inputs import on_error, read_inputs, say_skipped
from seealso.log import stderr

if TYPE_CHECKING:
    from seealso.evaluation.intervals import Estimate
    from seealso.evaluation.results import Evaluation, ExamResult, Pairing
    from seealso.evaluation.systems import Contender

EXAMS = ("leave-one-out", "temporal", "cold", "few-shot")
FOLDER = Path(".seealso/evaluation")
BASELINES = ("popularity", "itemknn", "ease", "ials", "ials-ridge", "bm25", "text")


@click.command()
@on_error
@click.option(
    "--exam",
    "exams",
    multiple=True,
    type=click.Choice([*EXAMS, "all"]),
    default=["leave-one-out"],
    show_default=True,
    help="What is asked; may be repeated.",
)
@click.option("--test", "asked", flag_value="test", default="dev", help="Ask test, not dev.")
@click.option(
    "--baseline",
    "chosen",
    multiple=True,
    type=click.Choice(BASELINES),
    help="Compare with these only; may be repeated.  [default: all]",
)
@click.option("--no-baselines", is_flag=True, help="Ask the index alone.")
@click.option("--no-index", is_flag=True, help="Ask the baselines alone; no cluster is needed.")
@click.option("--users", type=click.IntRange(min=1), help="Ask at most so many users, drawn.")
@click.option("--by", metavar="FIELD", help="Tell exposure apart by this field of the catalogue.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write report.html and evaluation.json to this folder.",
)
@click.option(
    "--open", "opened", is_flag=True, help=f"Open the report.  [--out is {FOLDER} by default]"
)
@click.option("--keep", is_flag=True, help="Leave the index that was examined in the cluster.")
@pass_context
def evaluate(
    context: Context,
    on_error: str,
    exams: tuple[str, ...],
    asked: str,
    chosen: tuple[str, ...],
    no_baselines: bool,
    no_index: bool,
    users: int | None,
    by: str | None,
    out: Path | None,
    opened: bool,
    keep: bool,
) -> None:
    """Measure recommendations on events that were kept back, beside tuned baselines.

    An index is built beside the live one from what may be known, asked by the product's own
    queries, and deleted. Every system ranks the whole catalogue; baselines are tuned on dev.
    Choose by dev; ask test once, at the end.
    """
    if chosen and no_baselines:
        raise click.UsageError("--baseline and --no-baselines exclude each other")
    if no_index and no_baselines:
        raise click.UsageError("--no-index and --no-baselines leave nobody to ask")
    from seealso.evaluation.evaluate import evaluate as hold
    from seealso.evaluation.report import require_plots, write_report

    folder = out or (FOLDER if opened else None)
    if folder is not None:
        # before anything is asked, not an hour later
        require_plots()
    source, problems = read_inputs(context, on_error)
    contenders: list[Contender] = []
    if not no_baselines:
        from seealso.evaluation.baselines import baselines

        contenders += baselines(context.settings, chosen or BASELINES)
    if not no_index:
        from seealso.fitting.refit import refitted
        from seealso.plugin.examined import IndexContender

        prepare = partial(refitted, items=source.items, images=source.images)
        contenders.append(
            IndexContender(context.cluster(), context.settings, source, keep, prepare)
        )
    found = hold(
        context.settings,
        source.items,
        source.events,
        contenders,
        exams=EXAMS if "all" in exams else exams,
        asked=asked,
        by=by,
        most_users=users,
    )
    say_skipped(problems)
    if folder is not None:
        page = write_report(found, folder)
        stderr.print(f"report: {page}", markup=False, soft_wrap=True)
        if opened:
            click.launch(str(page))
    context.show(found, lambda: shown(found))


def shown(found: "Evaluation") -> RenderableType:
    """Return what an evaluation found, as a person reads it."""
    parts: list[RenderableType] = [tables.facts({**found.data, "seconds": f"{found.seconds:.0f}"})]
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
    yield _scores(exam, exam.headline)
    yield from _parts(exam, exam.headline)
    yield from _tuned(exam)
    for note in exam.notes:
        yield Text(f"note: {note}", style="yellow")


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
    parts = {one.part: one.users for one in exam.scores if one.part != "all"}
    if not parts:
        return
    systems = dict.fromkeys(one.system for one in exam.scores)
    lines = [
        (system, *(f"{exam.score(system, part).metrics[headline].mean:.4f}" for part in parts))
        for system in systems
    ]
    yield ""
    yield tables.rows((headline, *(f"{part} ({users:,})" for part, users in parts.items())), lines)


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
    if pairing is None:
        return "-"
    change = pairing.difference
    return f"{change.mean:+.4f} ({change.low:+.4f} to {change.high:+.4f})"


def _p(pairing: "Pairing | None") -> str:
    return "-" if pairing is None else f"{pairing.p:.4f}"


def _interval(one: "Estimate") -> str:
    return f"{one.mean:.4f} ({one.low:.4f} to {one.high:.4f})"
