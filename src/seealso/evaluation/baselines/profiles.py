"""Histories as sparse matrices, with the weights that recency gives, and sparse neighbourhoods."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from seealso.errors import MissingExtraError
from seealso.training.data.ranking import Question
from seealso.types import Vector

try:
    from scipy import sparse
except ModuleNotFoundError as exc:
    raise MissingExtraError.of("scipy", "evaluate") from exc

NEWEST: Final = 100
"""Items of a history that take part, the newest ones."""
ROWS_AT_ONCE: Final = 512

Matrix: TypeAlias = sparse.csr_matrix


class Model(Protocol):
    """A fitted baseline."""

    def scores(self, profiles: Matrix) -> Vector:
        """Return scores of shape (users, n) for weights of history items, shape (users, n)."""
        ...


def interactions(sequences: Sequence[Sequence[int]], items: int) -> Matrix:
    """Return who chose what: ones, shape (users, items), float32."""
    lengths = [len(sequence) for sequence in sequences]
    places = np.fromiter((i for one in sequences for i in one), dtype=np.int32, count=sum(lengths))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    ones = np.ones(len(places), dtype=np.float32)
    found = sparse.csr_matrix((ones, places, starts), shape=(len(sequences), items))
    found.sum_duplicates()
    found.data[:] = 1.0
    return found


def profiles(asked: Sequence[Question], items: int, recency: float) -> Matrix:
    """Return the weight of each history item: recency to the power of its age, newest first.

    Shape (users, items), float32.
    """
    recent = [question.history[:NEWEST] for question in asked]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in recent])])
    ages = np.concatenate([np.arange(len(one)) for one in recent])
    weights = np.power(recency, ages).astype(np.float32)
    return sparse.csr_matrix((weights, np.concatenate(recent), starts), shape=(len(recent), items))


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Scores by the similarity of each history item to its neighbours.

    Attributes
    ----------
    similarity
        Row: an item of a history; entries: its neighbours. Shape (n, n).
    """

    similarity: Matrix

    def scores(self, profiles: Matrix) -> Vector:
        """Return weighted sums of similarities; what is nobody's neighbour is not ranked."""
        found: Vector = (profiles @ self.similarity).toarray()
        found[found == 0] = -np.inf
        return found


@dataclass(frozen=True, eq=False)
class Directions:
    """Scores by inner products: a user is the weighted sum of the vectors of the history.

    Attributes
    ----------
    vectors
        Shape (n, d).
    """

    vectors: Vector

    def scores(self, profiles: Matrix) -> Vector:
        """Return inner products of the users' sums with every vector."""
        return np.asarray((profiles @ self.vectors) @ self.vectors.T, dtype=np.float32)


def strongest(rows: Callable[[slice], Vector], n: int, k: int) -> Matrix:
    """Return the `k` largest positive entries of each row, without the diagonal.

    Parameters
    ----------
    rows
        Gives dense rows of an n by n matrix; they may be written to.
    n, k
        Size of the matrix, and how many entries of a row are kept.
    """
    return sparse.vstack([_cut(rows(one), one.start, k) for one in chunks(n)], format="csr")


def chunks(n: int) -> Iterator[slice]:
    """Yield slices over `n` rows, as many as are in memory together."""
    for start in range(0, n, ROWS_AT_ONCE):
        yield slice(start, min(start + ROWS_AT_ONCE, n))


def _cut(dense: npt.NDArray[np.float32], start: int, k: int) -> Matrix:
    own = np.arange(len(dense))
    dense[own, start + own] = 0.0
    kept = min(k, dense.shape[1])
    columns = np.argpartition(-dense, kept - 1, axis=1)[:, :kept]
    values = np.maximum(np.take_along_axis(dense, columns, axis=1), 0.0)
    starts = np.arange(len(dense) + 1) * kept
    found = sparse.csr_matrix((values.ravel(), columns.ravel(), starts), shape=dense.shape)
    found.eliminate_zeros()
    return found
