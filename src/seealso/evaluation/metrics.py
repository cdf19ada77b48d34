"""Metrics of ranked lists, per user: with one right answer a user, all depend on its rank alone."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from seealso.datasets.intervals import Values, estimate, sign_flip
from seealso.datasets.questions import Places, Question
from seealso.evaluation.protocols import EvaluationProtocol
from seealso.evaluation.scores import PairedTest, Score
from seealso.evaluation.systems import Lists

DEPTH: Final = 20
"""Places of a list that are looked at."""

PAIRED: Final = ("ndcg@10", "ndcg@20", "hr@10")
"""Metrics that two systems are compared by."""


def ranks_in(lists: Lists, questions: Sequence[Question]) -> Places:
    """Return the rank of each target in its list, 0 where it is not shown, shape (users,)."""
    targets = np.array([question.target for question in questions])
    found = lists.places[:, :DEPTH] == targets[:, None]
    return np.where(found.any(axis=1), found.argmax(axis=1) + 1, 0)


def per_user(ranks: Places) -> dict[str, Values]:
    """Return every metric of each user, shape (users,), from ranks of which 0 means not shown.

    NDCG is 1 / log2(rank + 1), the reciprocal rank 1 / rank, both 0 beyond their depth; of one
    right answer, recall is the hit rate.
    """
    places = np.where(ranks == 0, np.inf, ranks)
    gains = 1 / np.log2(places + 1)
    hit = np.where(places <= DEPTH, 1.0, 0.0)
    return {
        "hr@10": np.where(places <= 10, 1.0, 0.0),
        "hr@20": hit,
        "ndcg@10": np.where(places <= 10, gains, 0.0),
        "ndcg@20": hit * gains,
        "mrr@20": hit / places,
        "recall@20": hit,
    }


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
                change, p = estimate(paired, seed), sign_flip(paired, seed)
                found.append(PairedTest(system, other, metric, change, p))
    return found
