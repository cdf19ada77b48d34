"""Groups before the whole catalogue, in numpy: what each way to make their lists reaches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seealso.choices import SeenRule, StrategyName
from seealso.datasets.group_questions import GroupQuestion
from seealso.datasets.questions import Places, Question
from seealso.models.group_strategies import Matrix, OwnHistory, Values, looked_at, strategies
from seealso.types import Calibration, Vector

DEPTH: Final = 10
"""Places of a list that count."""

AT_ONCE: Final = 64
"""Groups that are scored together."""

Score = Callable[[Sequence[Question]], Vector]
"""Gives w * cos with boosts of every item for users by their histories, shape (users, n)."""


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """How a group's list is made: values of ``[groups]``."""

    strategy: StrategyName = "average"
    own_weight: float = 0.0
    seen: SeenRule = "any"

    @property
    def settings(self) -> dict[str, Any]:
        """The values by name."""
        return {"strategy": self.strategy, "own_weight": self.own_weight, "seen": self.seen}


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a group's members and its own history think of every item.

    Attributes
    ----------
    question
        What the group chose.
    members
        w * cos with boosts of each member, shape (members, n).
    own
        That of the own history, shape (n,); None without any.
    """

    question: GroupQuestion
    members: Vector
    own: Vector | None

    def seen(self, rule: SeenRule) -> Places:
        """Return what the list leaves out."""
        group, others = self.question.own, [one.seen for one in self.question.members]
        own = others[0][:0] if group is None else group.seen
        if rule == "group":
            return own
        common = others[0]
        for one in others[1:]:
            common = (np.union1d if rule == "any" else np.intersect1d)(common, one)
        return np.union1d(own, common)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The items that a strategy chooses from, as a search finds them.

    Attributes
    ----------
    probabilities
        Of each member, shape (members, candidates).
    own
        That of the own history, shape (candidates,).
    target
        Which of them the group chose; None where it is not among them.
    """

    probabilities: Matrix
    own: Values | None
    target: int | None

    def gain(self, choice: GroupChoice, fairness: float) -> float:
        """Return the NDCG of the list that is made so."""
        if self.target is None:
            return 0.0
        own = None if self.own is None else OwnHistory(self.own, choice.own_weight)
        ranked = strategies(fairness)[choice.strategy](self.probabilities, DEPTH, own)
        places = np.flatnonzero(ranked == self.target)
        return float(1 / np.log2(places[0] + 2)) if len(places) else 0.0


@dataclass
class GroupBench:
    """The groups that are asked, and what each way to make a list reaches.

    Attributes
    ----------
    scored
        The groups.
    calibration
        Makes probabilities.
    fairness
        Of the strategy ``fair``.
    """

    scored: Sequence[Scored]
    calibration: Calibration
    fairness: float

    def __post_init__(self) -> None:
        self._candidates: dict[tuple[SeenRule, int], list[Candidates]] = {}
        self._gains: dict[GroupChoice, Values] = {}

    def gains(self, choice: GroupChoice) -> Values:
        """Return the NDCG@10 of each group, shape (groups,)."""
        if choice not in self._gains:
            key = choice.seen, looked_at(choice.strategy)
            if key not in self._candidates:
                self._candidates[key] = [self._find(one, *key) for one in self.scored]
            gains = [one.gain(choice, self.fairness) for one in self._candidates[key]]
            self._gains[choice] = np.array(gains)
        return self._gains[choice]

    def _find(self, one: Scored, rule: SeenRule, each: int) -> Candidates:
        """Return the best items of each member, and those of the own history."""
        every = one.members if one.own is None else np.vstack([one.members, one.own])
        x = every.copy()
        x[:, one.seen(rule)] = -np.inf
        kept = min(each, x.shape[1])
        best = np.unique(np.argpartition(-x, kept - 1, axis=1)[:, :kept])
        best = best[np.isfinite(x[0, best])]
        known = self.calibration.probability(every[:, best])
        target = np.flatnonzero(best == one.question.target)
        members = len(one.members)
        return Candidates(
            known[:members],
            known[members] if one.own is not None else None,
            int(target[0]) if len(target) else None,
        )


def score_groups(questions: Sequence[GroupQuestion], score: Score) -> list[Scored]:
    """Return the groups with what `score` says of their members and their own history."""
    found: list[Scored] = []
    for start in range(0, len(questions), AT_ONCE):
        batch = questions[start : start + AT_ONCE]
        people = [(*one.members, *([] if one.own is None else [one.own])) for one in batch]
        ends = np.cumsum([len(one) for one in people])
        rows = np.split(score([each for one in people for each in one]), ends[:-1])
        for one, own in zip(batch, rows, strict=True):
            members = len(one.members)
            found.append(Scored(one, own[:members], own[members] if len(own) > members else None))
    return found
