"""What an evaluation says in a sentence: better, worse or alike, by how much and how surely."""

from dataclasses import dataclass
from typing import Final

from seealso.evaluation.results import ExamResult, Pairing

FEW_SHOT: Final = "few-shot "
"""Exams that differ in the length of the histories alone are called so, with the length."""

QUESTIONS: Final = {
    "leave-one-out": "Which item did each user choose next? Everything up to then is known.",
    "temporal": "What did users choose first after a moment? Nothing later is known of anybody.",
    "cold": "Who chose items that nobody had chosen before? They stand in the whole catalogue, "
    "and only their texts are known.",
    "cold among cold": "The same users and items, with only those new items to choose from.",
}


@dataclass(frozen=True, slots=True)
class Sides:
    """Who is compared in one exam.

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
    def of(cls, exam: ExamResult) -> "Sides":
        """Return who is compared in `exam`."""
        own = exam.ours[0] if exam.ours else None
        others = [one for one in exam.scores if one.part == "all" and one.system not in exam.ours]
        best = max(others, key=lambda one: one.metrics[exam.headline].mean, default=None)
        return cls(own, None if best is None else best.system)

    @property
    def shown(self) -> tuple[str, ...]:
        """Those of both that there are."""
        return tuple(name for name in (self.own, self.rival) if name is not None)


def verdict(exam: ExamResult) -> str:
    """Return how the product stands against the best baseline, in one sentence."""
    sides = Sides.of(exam)
    metric = exam.headline.upper()
    if sides.own is None or sides.rival is None:
        return _alone(exam, sides)
    found = pairing(exam, sides.own, sides.rival, exam.headline)
    if found is None:
        return f"{sides.own} and {sides.rival} were not compared by {metric}."
    change, base = found.difference, exam.score(sides.rival).metrics[exam.headline].mean
    # nothing ranks worse than not at all: the other's mean is taken for certain here
    low = max(change.low, -base)
    if change.low > 0:
        gap = _gap(metric, base, change.mean, low, change.high)
        return f"{sides.own} beats the best baseline, {sides.rival}, by {gap}."
    if change.high < 0:
        gap = _gap(metric, base, -change.mean, -change.high, -low)
        return f"{sides.own} stays behind the best baseline, {sides.rival}, by {gap}."
    gap = _gap(metric, base, change.mean, low, change.high, sign="+")
    return (
        f"{sides.own} and the best baseline, {sides.rival}, cannot be told apart: the "
        f"difference, {gap}, may be chance."
    )


def _alone(exam: ExamResult, sides: Sides) -> str:
    alone = sides.own or sides.rival
    if alone is None:
        return "Nobody was asked."
    found = exam.score(alone).metrics[exam.headline]
    reached = f"{exam.headline.upper()} {found.mean:.4f} ({found.low:.4f} to {found.high:.4f})"
    if sides.own is None:
        return f"The best of the baselines, {alone}, reaches {reached}; no index was asked."
    return f"{alone} reaches {reached}; no baseline was asked to compare it with."


def standing(exam: ExamResult) -> str:
    """Return ``better``, ``worse`` or ``alike``: the product against the best baseline."""
    sides = Sides.of(exam)
    change = None
    if sides.own is not None and sides.rival is not None:
        change = pairing(exam, sides.own, sides.rival, exam.headline)
    if change is None or change.difference.low <= 0 <= change.difference.high:
        return "alike"
    return "better" if change.difference.mean > 0 else "worse"


def in_lists(exam: ExamResult) -> str:
    """Return how often a list of ten holds what was chosen, in words."""
    told = [
        f"{100 * exam.score(system).metrics['hr@10'].mean:.1f} % of the lists of {system}"
        for system in Sides.of(exam).shown
    ]
    return f"Of ten items shown, one is the item that was chosen in {' and in '.join(told)}."


def question(exam: ExamResult) -> str:
    """Return what an exam asks."""
    if exam.exam.startswith(FEW_SHOT):
        length = exam.exam.removeprefix(FEW_SHOT)
        return f"As leave-one-out, with the newest {length} of each history."
    return QUESTIONS.get(exam.exam, "")


def pairing(exam: ExamResult, system: str, other: str, metric: str) -> Pairing | None:
    """Return the comparison of two systems over all users, if there is one."""
    for one in exam.pairings:
        if (one.system, one.other, one.part, one.metric) == (system, other, "all", metric):
            return one
    return None


def _gap(metric: str, base: float, mean: float, low: float, high: float, sign: str = "") -> str:
    """Return a difference as a share of what the other reaches, or as it is where that is 0."""
    if base <= 0:
        return f"{mean:{sign}.4f} {metric} ({low:{sign}.4f} to {high:{sign}.4f})"
    middle, least, most = (f"{100 * one / base:{sign}.0f}" for one in (mean, low, high))
    # a line must not begin with the sign
    return f"{middle}\u00a0% {metric} ({least} to {most}\u00a0%)"
