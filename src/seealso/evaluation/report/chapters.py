"""The chapters of the report, one a protocol: plots, the tables behind them, examples to read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from seealso.evaluation.changes import Change, Example
from seealso.evaluation.report import plots, tables
from seealso.evaluation.report.tables import Table
from seealso.evaluation.report.wording import (
    FEW_SHOT,
    QUESTIONS,
    Sentence,
    Sides,
    changed_verdict,
    in_lists,
    verdict,
)
from seealso.evaluation.results import ProtocolResult


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
        The table opens when asked for.
    """

    heading: str
    words: str
    table: Table
    plot: Plot | None = None
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """One protocol, or several that differ in the length of the histories alone.

    Attributes
    ----------
    name
        What it is called.
    protocol
        What was asked; the first of several.
    verdict, changed
        How the product ranks beside baselines, and beside what it was.
    parts, people, contrasts
        Plots with their tables, users to read, and users whose lists changed.
    """

    name: str
    protocol: ProtocolResult
    verdict: Sentence
    changed: Sentence | None
    parts: tuple[Part, ...]
    people: tuple[Example, ...] = ()
    contrasts: tuple[Example, ...] = ()

    @property
    def question(self) -> str:
        """What is asked."""
        return QUESTIONS.get(self.name, "")

    @property
    def in_lists(self) -> str:
        """How often a list of ten holds what was chosen."""
        return in_lists(self.protocol)


def chapters(protocols: Sequence[ProtocolResult]) -> list[Chapter]:
    """Return a chapter of each protocol; those that differ in the length of histories share one."""
    few = [one for one in protocols if one.name.startswith(FEW_SHOT)]
    numbers = count()

    def draw(figure: Any) -> Plot:
        # what stands between script tags must not end them
        return Plot(f"figure-{next(numbers)}", figure.to_json().replace("<", "\\u003c"))

    found = [_chapter(protocol, draw) for protocol in protocols if protocol not in few]
    return [*found, _few_shot(few, draw)] if few else found


def _chapter(protocol: ProtocolResult, draw: Draw) -> Chapter:
    return Chapter(
        protocol.name,
        protocol,
        verdict(protocol),
        changed_verdict(protocol),
        (
            *_moves(protocol, draw),
            *_ranking(protocol, draw),
            *_beyond_accuracy(protocol, draw),
        ),
        tuple(_compared(protocol)),
        protocol.changes[0].contrasts if protocol.changes else (),
    )


def _moves(protocol: ProtocolResult, draw: Draw) -> Iterator[Part]:
    """Yield what became of each system of the product, for all users and for parts of them."""
    for place, change in enumerate(protocol.changes):
        name = "" if len(protocol.changes) == 1 else f": {change.system}"
        rows = [(move.part, move) for move in change.moves]
        yield Part(
            f"Before and after{name}",
            f"{_describe_lists(change)} Each line is a 95 % interval of the difference, user by "
            "user: if it contains 0, the difference may be chance.",
            tables.moves(protocol.headline.upper(), rows, protocol.headline),
            draw(plots.moves(rows, protocol.headline)) if place == 0 else None,
            folded=place > 0,
        )
        if place == 0:
            yield Part(
                "Beside the ranking, before and after", "", tables.beside_the_ranking(change)
            )


def _moves_by_length(protocols: Sequence[ProtocolResult], draw: Draw) -> Iterator[Part]:
    """Yield what became of the product, by the length of the histories."""
    rows = [(one.name, one.changes[0].whole) for one in protocols if one.changes]
    if rows:
        metric = protocols[0].headline
        table = tables.moves(metric.upper(), rows, metric)
        yield Part("Before and after", "", table, draw(plots.moves(rows, metric)))


def _describe_lists(change: Change) -> str:
    whole = change.whole
    return (
        f"Of the first ten items {100 * change.overlap:.0f} % are those of before. The item "
        f"chosen next has a higher place for {whole.gained:,} of {whole.users:,} users and a "
        f"lower place for {whole.lost:,}; p {change.p:.4f}."
    )


def _ranking(protocol: ProtocolResult, draw: Draw) -> Iterator[Part]:
    """Yield how well the systems rank: for all users, and for parts of them."""
    yield Part(
        "Who ranks best",
        "Longer is better. Where the thin lines of two bars overlap widely, the difference may be "
        "chance; the table compares them user by user.",
        tables.scores(protocol),
        draw(plots.scores(protocol)),
    )
    if protocol.parts:
        yield Part(
            "For whom",
            "Head items are the most chosen ones that a third of all choices goes to, tail items "
            "the least chosen ones, long tail the rarest of all; new users have a history of five "
            "items at most. Click a name to show or hide it.",
            tables.by_part(protocol, protocol.parts),
            draw(plots.by_part(protocol, protocol.parts)),
            folded=True,
        )
    if protocol.attributes:
        yield Part(
            f"By {protocol.by} of what was chosen",
            "A user who chose an item with several values is counted with each of them.",
            tables.by_part(protocol, protocol.attributes),
            draw(plots.by_part(protocol, protocol.attributes)),
            folded=True,
        )


def _beyond_accuracy(protocol: ProtocolResult, draw: Draw) -> Iterator[Part]:
    """Yield the parts beyond accuracy: exposure, probabilities, what was chosen on dev."""
    exposure = tables.exposure(protocol)
    if exposure.rows:
        yield Part(
            "Exposure",
            "A third of all choices of users is in each of the three groups.",
            exposure,
            draw(plots.thirds(protocol)),
            folded=True,
        )
    if plots.attribute_values(protocol):
        words = "The same places by attribute. Click a name to show or hide it."
        yield Part("By attribute", words, exposure, draw(plots.by_attribute(protocol)), folded=True)
    if protocol.treatments:
        yield Part(
            "Groups of users",
            "By an attribute of the users; groups of fewer than 20 are left out. If the interval "
            "of a difference contains 0, the difference may be chance.",
            tables.treatments(protocol),
        )
    if protocol.worst_off:
        yield Part(
            "Worst-off members",
            "Of each group, the member whom the list serves worst; groups of which two members at "
            "least were asked about.",
            tables.worst_off(protocol),
        )
    if protocol.reliability:
        yield Part(
            "Calibration of the probabilities",
            "On the dotted line they are right; below it, they are too high.",
            tables.reliability(protocol),
            draw(plots.reliability(protocol)),
            folded=True,
        )
    if protocol.tuned:
        yield Part("Chosen on dev", "", tables.chosen(protocol))


def _few_shot(protocols: Sequence[ProtocolResult], draw: Draw) -> Chapter:
    part = Part(
        "How much a history helps",
        "The same users each time. Click a name to show or hide it.",
        tables.by_length(protocols),
        draw(plots.by_length(protocols)),
    )
    (first, *_) = protocols
    length = f"With only the newest {first.name.removeprefix(FEW_SHOT)} of each history"
    beside, before = verdict(first), changed_verdict(first)
    return Chapter(
        FEW_SHOT.strip(),
        first,
        replace(beside, text=f"{length}: {beside.text}"),
        None if before is None else replace(before, text=f"{length}: {before.text}"),
        (*_moves_by_length(protocols, draw), part),
    )


def _compared(protocol: ProtocolResult) -> Iterator[Example]:
    """Yield the users to read, with the lists of the product and of the best baseline."""
    for one in protocol.examples:
        names = (name for name in Sides.of(protocol).systems if name in one.lists)
        yield replace(one, lists={name: one.lists[name] for name in names})
