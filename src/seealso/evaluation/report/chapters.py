"""The chapters of the report, one a protocol: plots, the tables behind them, examples to read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from seealso.evaluation.report import changes, plots, tables
from seealso.evaluation.report.parts import Draw, Part, Person, Plot, Side
from seealso.evaluation.report.wording import (
    FEW_SHOT,
    Sides,
    in_lists,
    question,
    standing,
    verdict,
)
from seealso.evaluation.results import ProtocolResult


@dataclass(frozen=True, slots=True)
class Chapter:
    """One protocol, or several that differ in the length of the histories alone."""

    name: str
    anchor: str
    question: str
    split: str
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


def chapters(protocols: Sequence[ProtocolResult]) -> list[Chapter]:
    """Return a chapter of each protocol; those that differ in the length of histories share one."""
    few = [one for one in protocols if one.name.startswith(FEW_SHOT)]
    numbers = count()

    def draw(figure: Any) -> Plot:
        # what stands between script tags must not end them
        return Plot(f"figure-{next(numbers)}", figure.to_json().replace("<", "\\u003c"))

    found = [
        _chapter(
            protocol,
            protocol.name,
            question(protocol),
            (
                *changes.parts(protocol, draw),
                *_ranking(protocol, draw),
                *_beyond_accuracy(protocol, draw),
            ),
        )
        for protocol in protocols
        if protocol not in few
    ]
    return [*found, _few_shot(few, draw)] if few else found


def _chapter(protocol: ProtocolResult, name: str, asks: str, parts: Sequence[Part]) -> Chapter:
    cold = (
        f", {protocol.cold_items:,} of them new" if 0 < protocol.cold_items < protocol.items else ""
    )
    return Chapter(
        name=name,
        anchor=name.replace(" ", "-"),
        question=asks,
        split=protocol.split,
        users=f"{protocol.users:,}",
        items=f"{protocol.items:,}",
        cold=cold,
        verdict=verdict(protocol),
        standing=standing(protocol),
        in_lists=in_lists(protocol),
        changed=changes.verdict(protocol),
        changed_standing=changes.standing(protocol),
        notes=protocol.notes,
        parts=tuple(parts),
        people=tuple(_people(protocol)),
        contrasts=tuple(changes.people(protocol)),
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
            kind="words",
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
        yield Part("Chosen on dev", "", tables.chosen(protocol), kind="words")


def _few_shot(protocols: Sequence[ProtocolResult], draw: Draw) -> Chapter:
    part = Part(
        "How much a history helps",
        "The same users each time. Click a name to show or hide it.",
        tables.by_length(protocols),
        draw(plots.by_length(protocols)),
    )
    asks = "How good are lists for users with few events? Histories have only the newest items."
    found = _chapter(protocols[0], "few-shot", asks, [*changes.by_length(protocols, draw), part])
    length = protocols[0].name.removeprefix(FEW_SHOT)
    prefix = f"With only the newest {length} of each history: "
    return replace(
        found,
        verdict=prefix + found.verdict,
        changed=prefix + found.changed if found.changed else "",
        people=(),
        contrasts=(),
    )


def _people(protocol: ProtocolResult) -> Iterator[Person]:
    systems = Sides.of(protocol).systems
    for one in protocol.examples:
        sides = tuple(Side(name, one.lists[name]) for name in systems if name in one.lists)
        yield Person(one.history, one.target, sides)
