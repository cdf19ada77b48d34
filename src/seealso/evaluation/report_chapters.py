"""The chapters of the report: an exam each, as plots, the tables behind them, and users to read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from seealso.evaluation import report_changes as changes
from seealso.evaluation import report_plots as plots
from seealso.evaluation import report_tables as tables
from seealso.evaluation.report_parts import Draw, Part, Person, Plot, Side
from seealso.evaluation.report_words import (
    FEW_SHOT,
    Sides,
    in_lists,
    question,
    standing,
    verdict,
)
from seealso.evaluation.results import ExamResult


@dataclass(frozen=True, slots=True)
class Chapter:
    """One exam, or several that differ in the length of the histories alone."""

    name: str
    anchor: str
    question: str
    asked: str
    users: str
    items: str
    cold: str
    verdict: str
    standing: str
    in_lists: str
    changed: str
    changed_standing: str
    notes: tuple[str, ...]
    parts: tuple[Part, ...]
    people: tuple[Person, ...]
    contrasts: tuple[Person, ...]


def chapters(exams: Sequence[ExamResult]) -> list[Chapter]:
    """Return a chapter of each exam; those that differ in the length of histories share one."""
    few = [one for one in exams if one.exam.startswith(FEW_SHOT)]
    numbers = count()

    def draw(figure: Any) -> Plot:
        # what stands between script tags must not end them
        return Plot(f"figure-{next(numbers)}", figure.to_json().replace("<", "\\u003c"))

    found = [
        _chapter(
            exam,
            exam.exam,
            question(exam),
            (*changes.parts(exam, draw), *_ranking(exam, draw), *_beyond(exam, draw)),
        )
        for exam in exams
        if exam not in few
    ]
    return [*found, _few_shot(few, draw)] if few else found


def _chapter(exam: ExamResult, name: str, asks: str, parts: Sequence[Part]) -> Chapter:
    cold = f", {exam.cold_items:,} of them new" if 0 < exam.cold_items < exam.items else ""
    return Chapter(
        name=name,
        anchor=name.replace(" ", "-"),
        question=asks,
        asked=exam.asked,
        users=f"{exam.users:,}",
        items=f"{exam.items:,}",
        cold=cold,
        verdict=verdict(exam),
        standing=standing(exam),
        in_lists=in_lists(exam),
        changed=changes.verdict(exam),
        changed_standing=changes.standing(exam),
        notes=exam.notes,
        parts=tuple(parts),
        people=tuple(_people(exam)),
        contrasts=tuple(changes.people(exam)),
    )


def _ranking(exam: ExamResult, draw: Draw) -> Iterator[Part]:
    """Yield how well the systems rank: for all users, and for parts of them."""
    yield Part(
        "Who ranks best",
        "Longer is better. Where the thin lines of two bars overlap widely, the difference may be "
        "chance; the table compares them user by user.",
        tables.scores(exam),
        draw(plots.scores(exam)),
    )
    if exam.parts:
        yield Part(
            "For whom",
            "Head items are the most chosen ones that a third of all choices goes to, tail items "
            "the least chosen ones, long tail the rarest of all; new users have a history of five "
            "items at most. Click a name to show or hide it.",
            tables.by_part(exam, exam.parts),
            draw(plots.by_part(exam, exam.parts)),
            folded=True,
        )
    if exam.attributes:
        yield Part(
            f"By {exam.by} of what was chosen",
            "Who chose an item with several values is counted with each of them.",
            tables.by_part(exam, exam.attributes),
            draw(plots.by_part(exam, exam.attributes)),
            folded=True,
        )


def _beyond(exam: ExamResult, draw: Draw) -> Iterator[Part]:
    """Yield what accuracy does not tell: exposure, probabilities, what was chosen on dev."""
    shown = tables.exposure(exam)
    if shown.rows:
        yield Part(
            "Who gets the places",
            "Of the choices that people made, a third went to each of the three groups.",
            shown,
            draw(plots.thirds(exam)),
            folded=True,
        )
    if plots.attribute_values(exam):
        words = "The same places by attribute. Click a name to show or hide it."
        yield Part("By attribute", words, shown, draw(plots.by_attribute(exam)), folded=True)
    if exam.treatments:
        yield Part(
            "Are users served alike",
            "By an attribute of the users; groups of fewer than 20 are left out. An interval of "
            "the difference that holds 0 may be chance.",
            tables.treatments(exam),
            kind="words",
        )
    if exam.reliability:
        yield Part(
            "Do probabilities come true",
            "On the dotted line they do; below it, more is promised than comes true.",
            tables.reliability(exam),
            draw(plots.reliability(exam)),
            folded=True,
        )
    if exam.tuned:
        yield Part("What dev chose", "", tables.chosen(exam), kind="words")


def _few_shot(exams: Sequence[ExamResult], draw: Draw) -> Chapter:
    part = Part(
        "How much a history helps",
        "The same users each time. Click a name to show or hide it.",
        tables.by_length(exams),
        draw(plots.by_length(exams)),
    )
    asks = "How good are lists where little is known of a user? Only the newest items of a history."
    found = _chapter(exams[0], "few-shot", asks, [*changes.by_length(exams, draw), part])
    length = exams[0].exam.removeprefix(FEW_SHOT)
    told = f"With only the newest {length} of each history: "
    return replace(
        found,
        verdict=told + found.verdict,
        changed=told + found.changed if found.changed else "",
        people=(),
        contrasts=(),
    )


def _people(exam: ExamResult) -> Iterator[Person]:
    shown = Sides.of(exam).shown
    for one in exam.examples:
        sides = tuple(Side(name, one.lists[name]) for name in shown if name in one.lists)
        yield Person(one.history, one.target, sides)
