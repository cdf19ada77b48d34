"""Baselines with a closed form: popularity, nearest neighbours by items, EASE."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from seealso.errors import SeeAlsoError
from seealso.evaluation.baselines.profiles import (
    Matrix,
    Model,
    Neighbours,
    interactions,
    strongest,
)
from seealso.log import logger
from seealso.training.data.material import Material
from seealso.types import Vector

log = logger(__name__)

MOST_ITEMS: Final = 20_000
"""EASE holds a dense matrix of items by items: 1.6 GB for so many, in float32."""


@dataclass(frozen=True, eq=False)
class Popularity:
    """The same scores for everybody.

    Attributes
    ----------
    events
        Training events of each item, shape (n,).
    """

    events: Vector

    def scores(self, profiles: Matrix) -> Vector:
        """Return the number of events of each item for every user."""
        return np.tile(self.events, (profiles.shape[0], 1))


@dataclass(frozen=True, eq=False)
class Weights:
    """Scores by a dense matrix.

    Attributes
    ----------
    weights
        From row to column, shape (m, m), of the `kept` items.
    kept
        Positions of the items that have weights, shape (m,).
    """

    weights: Vector
    kept: np.ndarray[tuple[int], np.dtype[np.int64]]

    def scores(self, profiles: Matrix) -> Vector:
        """Return weighted sums of rows; items without weights are not ranked."""
        found = np.full(profiles.shape, -np.inf, dtype=np.float32)
        found[:, self.kept] = profiles[:, self.kept] @ self.weights
        return found


def fit_popularity(material: Material, chosen: Mapping[str, float]) -> Model:  # noqa: ARG001
    """Count events; nothing is chosen."""
    return Popularity(material.event_counts().astype(np.float32))


def fit_item_knn(material: Material, chosen: Mapping[str, float]) -> Model:
    """Find the nearest items of each item by who chose both.

    Cosine of the columns with shrinkage, x_i.x_j / (|x_i| |x_j| + shrink), as in Ferrari Dacrema,
    Cremonesi and Jannach 2019, "Are We Really Making Much Progress?".

    Parameters
    ----------
    material
        What may be learnt from.
    chosen
        ``k`` neighbours and ``shrink``.
    """
    n = len(material.catalogue.ids)
    chose = interactions(material.sequences, n)
    by_item = chose.T.tocsr()
    length = np.sqrt(np.asarray(chose.sum(axis=0), dtype=np.float32)).ravel()

    def rows(one: slice) -> Vector:
        both: Vector = (by_item[one] @ chose).toarray()
        scale = np.outer(length[one], length) + np.float32(chosen["shrink"])
        return np.divide(both, scale, out=both, where=scale > 0)

    return Neighbours(strongest(rows, n, int(chosen["k"])))


def fit_ease(material: Material, chosen: Mapping[str, float]) -> Model:
    """Solve EASE in closed form: B = I - P diag(1 / diag P), P = (X'X + lambda I)^-1.

    Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data". Of a catalogue of more than
    `MOST_ITEMS` items the most chosen ones take part.

    Parameters
    ----------
    material
        What may be learnt from.
    chosen
        ``regularisation``, called lambda there.

    Raises
    ------
    SeeAlsoError
        The matrix could not be inverted.
    """
    from scipy.linalg import lapack

    events = material.event_counts()
    kept = np.sort(np.argsort(-events, kind="stable")[:MOST_ITEMS])
    kept = kept[events[kept] > 0]
    if (events > 0).sum() > MOST_ITEMS:
        log.warning("ease: ranks the %d most chosen items only", MOST_ITEMS)
    chose = interactions(material.sequences, len(events))[:, kept]
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
    return Weights(np.ascontiguousarray(inverse), kept)
