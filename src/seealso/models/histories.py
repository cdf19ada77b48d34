"""Histories as sparse matrices, with the weights that recency gives."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

import numpy as np

from seealso.datasets.questions import Question
from seealso.errors import MissingExtraError
from seealso.types import Vector

try:
    from scipy import sparse
except ModuleNotFoundError as exc:
    raise MissingExtraError.of("scipy", "evaluate") from exc

NEWEST: Final = 100
"""Items of a history that take part, the newest ones."""

Matrix: TypeAlias = sparse.csr_matrix


class Model(Protocol):
    """A fitted model."""

    def scores(self, profiles: Matrix) -> Vector:
        """Return scores of shape (users, n) for weights of history items, shape (users, n)."""
        ...


def build_interactions(sequences: Sequence[Sequence[int]], items: int) -> Matrix:
    """Return who chose what: ones, shape (users, items), float32."""
    lengths = [len(sequence) for sequence in sequences]
    places = np.fromiter((i for one in sequences for i in one), dtype=np.int32, count=sum(lengths))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    ones = np.ones(len(places), dtype=np.float32)
    found = sparse.csr_matrix((ones, places, starts), shape=(len(sequences), items))
    found.sum_duplicates()
    found.data[:] = 1.0
    return found


def weigh_histories(questions: Sequence[Question], items: int, recency: float) -> Matrix:
    """Return the weight of each history item: recency to the power of its age, newest first.

    Shape (users, items), float32.
    """
    recent = [question.history[:NEWEST] for question in questions]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in recent])])
    ages = np.concatenate([np.arange(len(one)) for one in recent])
    weights = np.power(recency, ages).astype(np.float32)
    return sparse.csr_matrix((weights, np.concatenate(recent), starts), shape=(len(recent), items))
