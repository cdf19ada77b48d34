"""Is a mean, or a difference, chance? Resamples of users, and signs drawn at random."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

RESAMPLES: Final = 10_000
"""Times that the users are drawn again for an interval, or signs for a p-value."""
COVERED: Final = 0.95
"""Share of the means so found that an interval holds."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over users, or a mean difference NEW - OLD, with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    @property
    def standing(self) -> Literal["better", "worse", "alike"]:
        """What a difference says: ``alike`` where it may be chance, for its interval holds 0."""
        if self.low <= 0 <= self.high:
            return "alike"
        return "better" if self.mean > 0 else "worse"


def estimate(values: Values, seed: int) -> Estimate:
    """Return the mean of `values` and its percentile bootstrap interval.

    Users are drawn with replacement (Efron 1979, "Bootstrap Methods"). The values of users are
    few different ones, so a resample is a multinomial draw of how often each of them occurs.

    Parameters
    ----------
    values
        A metric of each user, or the paired difference of two, shape (users,), not empty.
    seed
        The same seed draws the same resamples.
    """
    distinct, counts = np.unique(values, return_counts=True)
    resamples = np.random.default_rng(seed).multinomial(
        len(values), counts / len(values), size=RESAMPLES
    )
    means = resamples @ distinct / len(values)
    low, high = np.quantile(means, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return Estimate(float(values.mean()), float(low), float(high))


def sign_flip(paired: Values, seed: int) -> float:
    """Return the two-sided p-value of a paired randomisation test of the mean.

    Were both systems alike, each user's difference could as well have the other sign (Fisher
    1935, "The Design of Experiments"). p is the share of random signs whose mean is at least as
    far from zero as the observed one, which is counted itself (Phipson and Smyth 2010: never 0).

    Parameters
    ----------
    paired
        Difference of each user, shape (users,).
    seed
        The same seed draws the same signs.
    """
    sizes, counts = np.unique(np.abs(paired[paired != 0]), return_counts=True)
    rng = np.random.default_rng(seed)
    # users whose differences are equally large are alike: of them, so many keep their sign
    kept = rng.binomial(counts, 0.5, size=(RESAMPLES, len(counts)))
    sums = (2 * kept - counts) @ sizes
    # sums of the same terms in another order differ by rounding
    extreme = int((np.abs(sums) >= abs(paired.sum()) - 1e-9).sum())
    return (extreme + 1) / (RESAMPLES + 1)
