"""A user of a matrix factorisation, folded in from the history: the one place that solves for it.

The fits of `seealso.models.ials` and a bundle at query time call the same functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from seealso.encoder.projection import unit_rows
from seealso.types import Vector

Floats: TypeAlias = npt.NDArray[np.floating[Any]]


class History(NamedTuple):
    """What a user chose: rows of some matrix, and the age of each, 0 being the newest item."""

    rows: npt.NDArray[np.int64]
    ages: npt.NDArray[np.int64]

    @classmethod
    def of(cls, ids: Iterable[str], place: Mapping[str, int]) -> "History":
        """Return a history of ids, newest first; those without a row keep their age."""
        rows = np.array([place.get(item_id, -1) for item_id in ids], dtype=np.int64)
        ages = np.flatnonzero(rows >= 0)
        return cls(rows[ages], ages)


def average_contents(contents: Vector, histories: Sequence[History], recency: float) -> Vector:
    """Return unit(sum of recency ** age * content of E_i) for each history.

    Parameters
    ----------
    contents
        Of the m items of all histories, shape (m, d).
    histories
        Rows of `contents`, for each user.
    recency
        Weight of an item relative to the next newer one.

    Returns
    -------
    Vector
        Shape (histories, d); zeros for a history without items.
    """
    sums = np.zeros((len(histories), contents.shape[1]), dtype=np.float32)
    for row, (rows, ages) in zip(sums, histories, strict=True):
        row[:] = np.power(np.float32(recency), ages.astype(np.float32)) @ contents[rows]
    return unit_rows(sums)


def fold_in(chosen: Floats, solved: Floats, confidence: Floats) -> Floats:
    """Return the factor of a user with a history of h items, shape (k,).

    u = (F'F + reg + H'CH)^-1 H'(1 + c), the least-squares solution of Hu, Koren and Volinsky 2008
    ("Collaborative Filtering for Implicit Feedback Datasets"), by the push-through identity: a
    system as large as the history instead of one as large as the factors.

    Parameters
    ----------
    chosen
        H, the factors of the items, shape (h, k).
    solved
        H (F'F + reg)^-1, same shape.
    confidence
        c, by how much that of each item is above 1, shape (h,).
    """
    user: Floats = np.linalg.solve(_system(chosen, solved, confidence), 1.0 + confidence) @ solved
    return user


def fold_in_parts(chosen: Floats, solved: Floats, confidence: Floats) -> Floats:
    """Return what each item of the history adds to the factor of a user, shape (h, k).

    The rows sum up to `fold_in`: the factor is linear in the confidences on its right-hand side
    (Hu, Koren and Volinsky 2008, section 5, "Explaining recommendations").

    Parameters
    ----------
    chosen, solved, confidence
        As for `fold_in`.
    """
    added: Floats = np.linalg.solve(_system(chosen, solved, confidence).T, solved)
    return (1.0 + confidence)[:, None] * added


def _system(chosen: Floats, solved: Floats, confidence: Floats) -> Floats:
    system: Floats = confidence[:, None] * (chosen @ solved.T)
    system.flat[:: len(system) + 1] += 1.0  # the diagonal
    return system
