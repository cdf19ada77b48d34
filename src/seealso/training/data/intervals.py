"""Is a difference chance? Paired differences of the same users, drawn again and again."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

RESAMPLES: Final = 10_000
"""Times that the users are drawn again for an interval."""
COVERED: Final = 0.95
"""Share of the differences so found that an interval holds."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean difference NEW - OLD over the same users, with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def difference(paired: npt.NDArray[np.float64], seed: int) -> Difference:
    """Return the mean of the users' differences and its percentile bootstrap interval.

    Users are drawn with replacement (Efron 1979, "Bootstrap Methods"). The differences take few
    values, so a resample is a multinomial draw of how often each of them occurs.

    Parameters
    ----------
    paired
        Difference of each user, shape (users,).
    seed
        The same seed draws the same resamples.
    """
    values, counts = np.unique(paired, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(paired), counts / len(paired), size=RESAMPLES
    )
    means = drawn @ values / len(paired)
    low, high = np.quantile(means, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return Difference(float(paired.mean()), float(low), float(high))
