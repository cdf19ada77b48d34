"""From OpenSearch's scores to w * similarity and back.

OpenSearch's ``innerproduct`` score of x = u . v is s = 1 + x for x >= 0 and 1 / (1 - x) below
(k-NN plugin, space type ``innerproduct``), so that scores are positive.
"""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from seealso.types import Calibration

Floats: TypeAlias = npt.NDArray[np.float64]


def raw_value(score: float) -> float:
    """Return x = w * cos(u, E) for an ``innerproduct`` score."""
    return score - 1.0 if score >= 1.0 else 1.0 - 1.0 / score


def raw_values(scores: Floats) -> Floats:
    """Return what `raw_value` does, for scores of any shape."""
    return np.where(scores >= 1.0, scores - 1.0, 1.0 - 1.0 / scores)


def scores_of(x: Floats) -> Floats:
    """Return the ``innerproduct`` score of each x, shape (n,); the inverse of `raw_value`."""
    return np.where(x >= 0.0, 1.0 + x, 1.0 / (1.0 + np.abs(x)))


def score_of(x: float) -> float:
    """Return the ``innerproduct`` score of one x."""
    return float(scores_of(np.array([x]))[0])


def logit(p: float, calibration: Calibration) -> float:
    """Return the x whose probability is `p`, for 0 < p < 1."""
    return calibration.b + calibration.t * math.log(p / (1.0 - p))
