"""What an evaluation says in a sentence: better, worse or alike, by how much and how surely."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from seealso.datasets.intervals import Estimate
from seealso.evaluation.group_protocols import GROUP_CHOICES, MEMBER_CHOICES
from seealso.evaluation.results import ProtocolResult
from seealso.evaluation.scores import PairedTest

FEW_SHOT: Final = "few-shot "
"""Protocols that differ in the length of the histories alone are called so, with the length."""

QUESTIONS: Final = {
    "leave-one-out": "Which item did each user choose next? All earlier events are known.",
    "temporal": "What did users choose first after a moment? Only events before it are known.",
    "cold": "Which users chose items without earlier events? The whole catalogue is ranked, and "
    "only the texts of these items are known.",
    "cold among cold": "The same users and items, but only these new items are ranked.",
    GROUP_CHOICES: "Which item did each known group choose together next? Earlier events of the "
    "group and of its members are known.",
    MEMBER_CHOICES: "Which item did each member of a group choose next? The list is that of the "
    "whole group.",
    "few-shot": "How good are lists for users with few events? Histories have only the newest "
    "items.",
}
"""What the chapter of each protocol asks."""


VERDICTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "better": "ranks better than before",
        "worse": "ranks worse than before",
        "alike": "cannot be distinguished from before",
    }
)


@dataclass(frozen=True, slots=True)
class Sides:
    """Who is compared in one protocol.

    Attributes
    ----------
    own
        The product as it is set; None where baselines were asked alone.
    rival
        The baseline that ranks best by the headline metric; None where there is none.
    """

    own: str | None
    rival: str | None

    @classmethod
    def of(cls, protocol: ProtocolResult) -> "Sides":
        """Return who is compared in `protocol`."""
        own = protocol.ours[0] if protocol.ours else None
        others = [
            one for one in protocol.scores if one.part == "all" and one.system not in protocol.ours
        ]
        best = max(others, key=lambda one: one.metrics[protocol.headline].mean, default=None)
        return cls(own, None if best is None else best.system)

    @property
    def systems(self) -> tuple[str, ...]:
        """Those of both that there are."""
        return tuple(name for name in (self.own, self.rival) if name is not None)


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, and whether that is good news: ``better``, ``worse`` or ``alike``."""

    text: str
    standing: str = "alike"


def verdict(protocol: ProtocolResult) -> Sentence:
    """Return how the product stands against the best baseline, in one sentence."""
    sides = Sides.of(protocol)
    metric = protocol.headline.upper()
    if sides.own is None or sides.rival is None:
        return Sentence(_alone(protocol, sides))
    found = pairing(protocol, sides.own, sides.rival, protocol.headline)
    if found is None:
        return Sentence(f"{sides.own} and {sides.rival} were not compared by {metric}.")
    change, base = found.difference, protocol.score(sides.rival).metrics[protocol.headline].mean
    # nothing ranks worse than not at all: the other's mean is taken for certain here
    low = max(change.low, -base)
    if change.standing == "better":
        gap = _gap(metric, base, change.mean, low, change.high)
        text = f"{sides.own} beats the best baseline, {sides.rival}, by {gap}."
    elif change.standing == "worse":
        gap = _gap(metric, base, -change.mean, -change.high, -low)
        text = f"{sides.own} stays behind the best baseline, {sides.rival}, by {gap}."
    else:
        gap = _gap(metric, base, change.mean, low, change.high, sign="+")
        text = (
            f"{sides.own} and the best baseline, {sides.rival}, cannot be distinguished: the "
            f"difference, {gap}, may be chance."
        )
    return Sentence(text, change.standing)


def changed_verdict(protocol: ProtocolResult) -> Sentence | None:
    """Return in a sentence how the product ranks beside what it was; None where nobody asked."""
    if not protocol.changes:
        return None
    change, metric = protocol.changes[0], protocol.headline
    whole, found = change.whole, change.whole.differences[metric]
    return Sentence(
        f"{change.system} {VERDICTS[found.standing]}: {metric.upper()} "
        f"{whole.before[metric]:.4f} before, {whole.after[metric]:.4f} now, "
        f"{with_interval(found, sign='+')}.",
        found.standing,
    )


def _alone(protocol: ProtocolResult, sides: Sides) -> str:
    alone = sides.own or sides.rival
    if alone is None:
        return "There were no questions."
    found = protocol.score(alone).metrics[protocol.headline]
    reached = f"{protocol.headline.upper()} {with_interval(found)}"
    if sides.own is None:
        return f"The best of the baselines, {alone}, reaches {reached}; no index was evaluated."
    return f"{alone} reaches {reached}; no baseline was evaluated for comparison."


def in_lists(protocol: ProtocolResult) -> str:
    """Return how often a list of ten holds what was chosen, in words."""
    shares = [
        f"{100 * protocol.score(system).metrics['hr@10'].mean:.1f} % of the lists of {system}"
        for system in Sides.of(protocol).systems
    ]
    return f"The ten recommended items contain the chosen item in {' and in '.join(shares)}."


def with_interval(found: Estimate, sign: str = "") -> str:
    """Return a mean and its interval."""
    mean, low, high = (f"{one:{sign}.4f}" for one in (found.mean, found.low, found.high))
    return f"{mean} ({low} to {high})"


def pairing(protocol: ProtocolResult, system: str, other: str, metric: str) -> PairedTest | None:
    """Return the comparison of two systems over all users, if there is one."""
    for one in protocol.pairings:
        if (one.system, one.other, one.metric) == (system, other, metric):
            return one
    return None


def _gap(metric: str, base: float, mean: float, low: float, high: float, sign: str = "") -> str:
    """Return a difference as a share of what the other reaches, or as it is where that is 0."""
    if base <= 0:
        return f"{mean:{sign}.4f} {metric} ({low:{sign}.4f} to {high:{sign}.4f})"
    middle, least, most = (f"{100 * one / base:{sign}.0f}" for one in (mean, low, high))
    # a line must not begin with the sign
    return f"{middle}\u00a0% {metric} ({least} to {most}\u00a0%)"
