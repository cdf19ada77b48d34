"""A linear map fitted on the catalogue: centre, whiten, cut.

Language models crowd their vectors in a narrow cone; whitening spreads them again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from seealso.encoder.arrays import open_arrays
from seealso.errors import BundleError, ConfigError, DataError
from seealso.types import Vector

EIGENVALUE_FLOOR = 1e-4
"""Eigenvalues below this share of the largest are noise: they are raised to it."""
SOFT_WHITENING: Final = 0.35
"""Power of the eigenvalues to divide by; measured, see docs/decisions/0002-soft-whitening.md."""
FULL_WHITENING: Final = 0.5
"""The power that gives every direction the same variance."""


@dataclass(frozen=True, eq=False)
class Projection:
    """The map x -> unit((x - mean) @ matrix).

    Attributes
    ----------
    mean
        Mean of the raw vectors, shape (d,), float32.
    matrix
        Rotation and scale, shape (d, m), float32.
    """

    mean: Vector
    matrix: Vector

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Projection) and self.content() == other.content()

    def __hash__(self) -> int:
        return hash(self.content())

    def apply(self, raw: Vector) -> Vector:
        """Project raw vectors and bring them to unit length.

        Parameters
        ----------
        raw
            Unit vectors of the model, shape (n, d); a zero row means 'not encoded'.

        Returns
        -------
        Vector
            Shape (n, m); zero rows stay zero.
        """
        projected = unit_rows(np.matmul(raw - self.mean, self.matrix, dtype=np.float32))
        projected[~raw.any(axis=1)] = 0.0
        return projected

    def content(self) -> bytes:
        """Return its bytes for a fingerprint."""
        shape = np.asarray(self.matrix.shape, dtype="<i8")
        parts = (shape, self.mean.astype("<f4"), self.matrix.astype("<f4"))
        return b"".join(part.tobytes() for part in parts)

    def arrays(self) -> dict[str, Any]:
        """Return its arrays by name, as its file holds them."""
        return {"mean": self.mean, "matrix": self.matrix}

    @classmethod
    def load(cls, file: Path) -> "Projection":
        """Read what `save` wrote.

        Raises
        ------
        BundleError
            The file is not a projection.
        """
        with open_arrays(file, "a projection", "bind the bundle again") as arrays:
            mean, matrix = arrays["mean"], arrays["matrix"]
        if mean.ndim != 1 or matrix.ndim != 2 or matrix.shape[0] != mean.shape[0]:
            raise BundleError(
                f"{file}: mean {mean.shape} and matrix {matrix.shape} do not fit together",
                hint="bind the bundle again",
                file=str(file),
            )
        return cls(mean=mean.astype(np.float32), matrix=matrix.astype(np.float32))


def unit_rows(rows: Vector) -> Vector:
    """Return `rows`, shape (n, d), each divided by its length; zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vector = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit


def require_shorter(dimension: int, width: int) -> None:
    """Make sure that vectors of `width` numbers can be shortened to `dimension`.

    Raises
    ------
    ConfigError
        They have fewer.
    """
    if dimension > width:
        raise ConfigError(
            f"encoder.dimension: {dimension} is more than the model's {width}",
            hint=f"set it to at most {width}",
            field="encoder.dimension",
        )


def fit_projection(
    raw: Vector, *, whiten: bool, dimension: int | None, exponent: float = SOFT_WHITENING
) -> Projection:
    """Fit the projection on vectors of the catalogue.

    Parameters
    ----------
    raw
        Unit vectors of the model, shape (n, d); zero rows ('not encoded') are left out.
    whiten
        Centre, and divide each principal direction by a power of its eigenvalue, with a floor
        of 1e-4 of the largest (Su et al. 2021, "Whitening Sentence Representations", plus floor
        and power).
        Eigenvalues are drawn to their mean first, by a share of d / (n + d): next to nothing
        for a large catalogue. Without, nothing is centred: the map then keeps as much of every
        inner product as `dimension` allows, which is what a trained model wants whose mean
        says how often a text is chosen.
    dimension
        Keep this many leading directions; all of them if none.
    exponent
        That power: 0.5 whitens fully, less lets directions of more variance count for more.

    Returns
    -------
    Projection
        The same for the same input: double precision, and the largest component of every
        direction is positive.

    Raises
    ------
    ConfigError
        `dimension` is larger than d.
    DataError
        Fewer than two different vectors, or numbers that are not finite.
    """
    width = raw.shape[1]
    if dimension is not None:
        require_shorter(dimension, width)
    rows = raw[raw.any(axis=1)].astype(np.float64)
    if not np.isfinite(rows).all():
        raise DataError("the vectors to fit a projection on hold numbers that are not finite")
    mean = rows.mean(axis=0) if len(rows) else np.zeros(width)
    if not len(rows) or ((rows - mean) ** 2).mean() * width <= 1e-12:
        raise DataError(
            f"a projection needs texts that differ; {len(rows)} vectors, all alike",
            hint="check the item template, or leave encoder.whiten out",
        )
    mean = mean if whiten else np.zeros(width)
    centred = rows - mean
    values, directions = np.linalg.eigh(centred.T @ centred / len(rows))
    values, directions = values[::-1], directions[:, ::-1]
    strongest = np.abs(directions).argmax(axis=0)
    directions = directions * np.sign(directions[strongest, np.arange(width)])
    if whiten:
        # of n <= d texts, plain whitening makes a simplex: all equally far apart, nothing learnt
        share = width / (len(rows) + width)
        spread = (1 - share) * values + share * values.mean()
        directions = directions / np.maximum(spread, EIGENVALUE_FLOOR * spread[0]) ** exponent
    chosen = directions[:, : dimension or width]
    return Projection(mean.astype(np.float32), np.ascontiguousarray(chosen, dtype=np.float32))
