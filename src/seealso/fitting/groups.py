"""How a list for a known group is made: strategy, own history and seen items, chosen on dev.

The question is what each group chose together next. A choice that is less simple must gain more
than chance gives the best of several: groups are few.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

import numpy as np

from seealso.choices import SeenRule, StrategyName
from seealso.config import Settings
from seealso.datasets.dataset import Events
from seealso.datasets.group_questions import read_group_questions
from seealso.evaluation.protocols import Holdout
from seealso.fitting.fitter import Fitted
from seealso.fitting.group_bench import GroupBench, GroupChoice, score_groups
from seealso.fitting.group_scores import GroupScorer
from seealso.fitting.importance import Shares
from seealso.log import Tick, progress
from seealso.types import Calibration, GroupMembers, Vector

RULES: Final[tuple[SeenRule, ...]] = ("any", "everyone", "group")
"""Whose seen items may be left out; of its own, a group is asked for new ones alone."""

OWN_WEIGHTS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

ERRORS: Final = 2.0
"""Standard errors of the difference that a less simple choice must gain."""

FEWEST: Final = 20
"""Groups that are asked at least: of fewer, nothing is chosen."""


@dataclass(frozen=True, slots=True)
class ChosenGroups:
    """What was chosen on dev.

    Attributes
    ----------
    settings
        Of ``[groups]``; empty where too few groups could be asked.
    dev
        NDCG@10 of the groups' choices with the mean of the members, with the own history alone,
        and as chosen.
    groups
        How many were asked.
    """

    settings: Mapping[str, Any]
    dev: Mapping[str, float]
    groups: int


def count_choices() -> int:
    """Return how many ways to make a list `choose_groups` tries."""
    return len(RULES) - 1 + (len(OWN_WEIGHTS) - 1) * len(get_args(StrategyName))


def choose_groups(bench: GroupBench, tick: Tick) -> ChosenGroups:
    """Choose whose seen items are left out, then strategy and weight of the own history.

    Parameters
    ----------
    bench
        The groups.
    tick
        Called after each way that was tried; there are at most `count_choices`.
    """
    plain = GroupChoice()
    if len(bench.scored) < FEWEST:
        return ChosenGroups({}, {}, len(bench.scored))
    best = plain
    for rule in RULES[1:]:
        best = _better(bench, best, replace(plain, seen=rule))
        tick(1)
    weighed = max(_with_weights(bench, best, tick), key=lambda one: bench.gains(one).mean())
    best = _better(bench, best, weighed)
    for strategy in get_args(StrategyName):
        if strategy != best.strategy:
            start = replace(best, strategy=strategy, own_weight=0.0)
            tried = [start, *_with_weights(bench, start, tick)]
            best = _better(bench, best, max(tried, key=lambda one: bench.gains(one).mean()))
    steps = {"average": plain, "own history": replace(best, own_weight=1.0), "as chosen": best}
    return ChosenGroups(
        best.settings,
        {name: float(bench.gains(one).mean()) for name, one in steps.items()},
        len(bench.scored),
    )


def _with_weights(bench: GroupBench, start: GroupChoice, tick: Tick) -> list[GroupChoice]:
    tried = [replace(start, own_weight=weight) for weight in OWN_WEIGHTS[1:]]
    for one in tried:
        bench.gains(one)
        tick(1)
    return tried


def _better(bench: GroupBench, simple: GroupChoice, other: GroupChoice) -> GroupChoice:
    """Return `other` if it gains more than `ERRORS`."""
    gained = bench.gains(other) - bench.gains(simple)
    error = gained.std(ddof=1) / np.sqrt(len(gained))
    return other if gained.mean() > ERRORS * error else simple


def fit_groups(
    settings: Settings,
    holdout: Holdout,
    texts: Vector,
    fitted: Fitted,
    shares: Shares,
    events: Events,
    groups: GroupMembers,
) -> ChosenGroups:
    """Choose how lists for `groups` are made, with what was fitted for users.

    Parameters
    ----------
    settings
        ``groups.fairness``, ``events.positive``, ``training`` and ``profile`` are used.
    holdout
        What may be known.
    texts
        Vectors of the contents of its n items, shape (n, d).
    fitted
        What was chosen for users.
    shares
        The importances that were tried.
    events
        Gives the event frames.
    groups
        The members of each group.
    """
    questions = read_group_questions(settings, holdout.dataset.catalogue, events, groups, "dev")
    scorer = GroupScorer.of(settings, holdout.dataset, texts, fitted, shares)
    bench = GroupBench(
        score_groups(questions.own, scorer.score),
        fitted.calibration or Calibration(),
        settings.groups.fairness,
    )
    with progress("groups", count_choices()) as tick:
        return choose_groups(bench, tick)
