"""EASE: a linear model of items by items with a closed form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from seealso.datasets.dataset import Dataset
from seealso.errors import SeeAlsoError
from seealso.log import logger
from seealso.models.histories import Matrix, Model, build_interactions
from seealso.types import Vector

log = logger(__name__)

MOST_ITEMS: Final = 20_000
"""EASE holds a dense matrix of items by items: 1.6 GB for so many, in float32."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Scores by a dense matrix.

    Attributes
    ----------
    weights
        From row to column, shape (m, m), of `items`.
    items
        Positions of the items that have weights, shape (m,).
    """

    weights: Vector
    items: np.ndarray[tuple[int], np.dtype[np.int64]]

    def scores(self, profiles: Matrix) -> Vector:
        """Return weighted sums of rows; items without weights are not ranked."""
        found = np.full(profiles.shape, -np.inf, dtype=np.float32)
        found[:, self.items] = profiles[:, self.items] @ self.weights
        return found


def fit_ease(dataset: Dataset, chosen: Mapping[str, float]) -> Model:
    """Solve EASE in closed form: B = I - P diag(1 / diag P), P = (X'X + lambda I)^-1.

    Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data". Of a catalogue of more than
    `MOST_ITEMS` items the most chosen ones take part.

    Parameters
    ----------
    dataset
        What may be learnt from.
    chosen
        ``regularisation``, called lambda there.

    Raises
    ------
    SeeAlsoError
        The matrix could not be inverted.
    """
    from scipy.linalg import lapack

    events = dataset.event_counts()
    items = np.sort(np.argsort(-events, kind="stable")[:MOST_ITEMS])
    items = items[events[items] > 0]
    if (events > 0).sum() > MOST_ITEMS:
        log.warning("ease: ranks the %d most chosen items only", MOST_ITEMS)
    chose = build_interactions(dataset.sequences, len(events))[:, items]
    # lapack works in place on a matrix of columns
    gram = np.asfortranarray((chose.T @ chose).toarray(), dtype=np.float32)
    gram[np.diag_indices_from(gram)] += np.float32(chosen["regularisation"])
    factor, failed = lapack.spotrf(gram, lower=0, clean=1, overwrite_a=1)
    inverse, failed_too = lapack.spotri(factor, lower=0, overwrite_c=1)
    if failed or failed_too:
        raise SeeAlsoError(
            f"ease: X'X + {chosen['regularisation']:g} I cannot be inverted",
            hint="leave this baseline out with --baseline",
        )
    # lapack fills one triangle
    inverse += np.triu(inverse, 1).T
    inverse /= -np.diag(inverse).copy()
    inverse[np.diag_indices_from(inverse)] = 0.0
    return Weights(np.ascontiguousarray(inverse), items)
