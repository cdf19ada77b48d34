"""Scores by how similar items are: a sparse matrix of each item's nearest ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from seealso.errors import MissingExtraError
from seealso.models.histories import Matrix
from seealso.types import Vector

try:
    from scipy import sparse
except ModuleNotFoundError as exc:
    raise MissingExtraError.of("scipy", "evaluate") from exc


ROWS_AT_ONCE: Final = 512


@dataclass(frozen=True, eq=False)
class ItemNeighbours:
    """Scores by the similarity of each history item to its neighbours.

    Attributes
    ----------
    similarity
        Row: an item of a history; entries: its neighbours. Shape (n, n).
    """

    similarity: Matrix

    def scores(self, profiles: Matrix) -> Vector:
        """Return weighted sums of similarities; an item that is no neighbour is not ranked."""
        found: Vector = (profiles @ self.similarity).toarray()
        found[found == 0] = -np.inf
        return found


def keep_strongest(rows: Callable[[slice], Vector], n: int, k: int) -> Matrix:
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
