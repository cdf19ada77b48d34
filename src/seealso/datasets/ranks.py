"""How good is a model? Ranks of the targets over the whole catalogue, never a sample of it."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from seealso.datasets.questions import Places, Question
from seealso.types import Vector

USERS_AT_ONCE = 512
"""Users whose scores of the whole catalogue are in memory together."""


def profile_vectors(
    vectors: Vector, questions: Sequence[Question], recency: float, most: int
) -> Vector:
    """Return the profile of each user from item vectors, as the query does.

    Parameters
    ----------
    vectors
        Unit vectors of the catalogue, shape (n, d).
    questions
        The users.
    recency
        Weight of a history item relative to the next newer one.
    most
        Newest items that take part.

    Returns
    -------
    Vector
        Shape (users, d); not of unit length, which changes no ranking.
    """
    out = np.zeros((len(questions), vectors.shape[1]), dtype=np.float32)
    for row, question in enumerate(questions):
        recent = question.history[:most]
        weights = np.power(np.float32(recency), np.arange(len(recent), dtype=np.float32))
        out[row] = weights @ vectors[recent]
    return out


Scored = Iterator[tuple[slice, Sequence[Question], Vector]]
"""Rows of some of the users, who they are, and their scores of every item, shape (rows, n)."""


def score_in_chunks(questions: Sequence[Question], score: Callable[[slice], Vector]) -> Scored:
    """Score the catalogue for `USERS_AT_ONCE` users after the others; `score` is given rows."""
    for start in range(0, len(questions), USERS_AT_ONCE):
        rows = slice(start, start + USERS_AT_ONCE)
        yield rows, questions[rows], score(rows)


def target_ranks(users: Vector, vectors: Vector, questions: Sequence[Question]) -> Places:
    """Return the rank of each target among all items not seen, 1 being the best.

    Items that tie with the target count as before it, and so do all others if its score is NaN.
    """
    return rank_targets(score_in_chunks(questions, lambda rows: users[rows] @ vectors.T))


def rank_targets(scored: Scored) -> Places:
    """Return the rank of each target, as `target_ranks` does, shape (users,)."""
    return np.concatenate([ranks_among(scores, questions) for _, questions, scores in scored])


def ranks_among(scores: Vector, questions: Sequence[Question]) -> Places:
    """Return the rank of each target, as `target_ranks` does, from scores of shape (users, n)."""
    ranks = np.empty(len(questions), dtype=np.int64)
    for row, question in enumerate(questions):
        own = scores[row, question.target]
        # not below it, rather than above or equal: a model of NaN must not rank best
        before = int((~(scores[row] < own)).sum()) - 1
        before -= int((~(scores[row, question.seen] < own)).sum())
        ranks[row] = before + 1
    return ranks


def gains(ranks: Places, depth: int = 10) -> npt.NDArray[np.float64]:
    """Return NDCG at `depth` of each user, shape (users,): 1 / log2(rank + 1) up to it, else 0."""
    return np.where(ranks <= depth, 1.0 / np.log2(ranks + 1.0), 0.0)


def metrics(ranks: Places) -> dict[str, float]:
    """Return hit rates and NDCG@10 for one target a user (NDCG is then 1 / log2(rank + 1))."""
    return {
        "hr@1": float((ranks <= 1).mean()),
        "hr@10": float((ranks <= 10).mean()),
        "hr@20": float((ranks <= 20).mean()),
        "ndcg@10": float(gains(ranks).mean()),
    }
