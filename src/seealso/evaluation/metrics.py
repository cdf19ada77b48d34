"""Metrics of ranked lists, per user. The formulas are those of ir_measures.

With one right answer a user, every measure depends on the rank of that answer alone: it is asked
of ir_measures once for each rank, whatever the number of users.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np

from seealso.datasets.intervals import Values, estimate, sign_flip
from seealso.datasets.questions import Places, Question
from seealso.errors import MissingExtraError
from seealso.evaluation.protocols import EvaluationProtocol
from seealso.evaluation.scores import PairedTest, Score
from seealso.evaluation.systems import Lists

DEPTH: Final = 20
"""Places of a list that are looked at."""

MEASURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hr@10": "Success@10",
        "hr@20": "Success@20",
        "ndcg@10": "nDCG@10",
        "ndcg@20": "nDCG@20",
        "mrr@20": "RR@20",
        "recall@20": "R@20",
    }
)
"""Our names, and what ir_measures calls them."""

PAIRED: Final = ("ndcg@10", "ndcg@20", "hr@10")
"""Metrics that two systems are compared by."""


def ranks_in(lists: Lists, questions: Sequence[Question]) -> Places:
    """Return the rank of each target in its list, 0 where it is not shown, shape (users,)."""
    targets = np.array([question.target for question in questions])
    found = lists.places[:, :DEPTH] == targets[:, None]
    return np.where(found.any(axis=1), found.argmax(axis=1) + 1, 0)


def per_user(ranks: Places) -> dict[str, Values]:
    """Return every metric of each user, shape (users,), from ranks of which 0 means not shown.

    Raises
    ------
    MissingExtraError
        ir_measures is not installed.
    """
    return {name: by_rank[ranks] for name, by_rank in _by_rank().items()}


@lru_cache(maxsize=1)
def _by_rank() -> dict[str, Values]:
    """Return each metric for a target at rank 0 (not shown), 1, 2, ..., `DEPTH`."""
    try:
        import ir_measures
    except ModuleNotFoundError as exc:
        raise MissingExtraError.of("ir_measures", "evaluate") from exc
    measures = {ir_measures.parse_measure(theirs): ours for ours, theirs in MEASURES.items()}
    # query r has its right answer at rank r, and at none for r = 0
    right = [ir_measures.Qrel(str(rank), f"d{rank}", 1) for rank in range(DEPTH + 1)]
    ranked = [
        ir_measures.ScoredDoc(str(rank), f"d{place}", float(-place))
        for rank in range(DEPTH + 1)
        for place in range(1, DEPTH + 1)
    ]
    values = {name: np.zeros(DEPTH + 1) for name in MEASURES}
    for metric in ir_measures.iter_calc(list(measures), right, ranked):
        values[measures[metric.measure]][int(metric.query_id)] = metric.value
    return values


def scores(
    system: str, protocol: EvaluationProtocol, values: Mapping[str, Values], seed: int
) -> list[Score]:
    """Return the score of each part of the protocol, with intervals."""
    return [
        Score(
            system,
            part,
            len(places),
            {name: estimate(own[places], seed) for name, own in values.items()},
        )
        for part, places in protocol.parts
    ]


def pairings(
    ours: Sequence[str], values: Mapping[str, Mapping[str, Values]], seed: int
) -> list[PairedTest]:
    """Compare each of `ours` with every other system, over all users.

    Parameters
    ----------
    ours
        Names of the systems to compare.
    values
        What `per_user` gave, by system.
    seed
        Seed of what is drawn.
    """
    found = []
    for place, system in enumerate(ours):
        for other in values:
            # a pair of ours is compared once
            if other in ours[: place + 1]:
                continue
            for metric in PAIRED:
                paired = values[system][metric] - values[other][metric]
                change = estimate(paired, seed)
                found.append(
                    PairedTest(system, other, "all", metric, change, sign_flip(paired, seed))
                )
    return found
