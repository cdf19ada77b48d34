"""How sure a mean over users is, and a randomisation test of paired differences."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seealso.training.data.intervals import RESAMPLES, Difference, difference

__all__ = ["RESAMPLES", "Difference", "Estimate", "Values", "difference", "estimate", "sign_flip"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over users with its 95 % percentile bootstrap interval."""

    mean: float
    low: float
    high: float


def estimate(values: Values, seed: int) -> Estimate:
    """Return the mean of `values` and its percentile bootstrap interval.

    Parameters
    ----------
    values
        A metric of each user, shape (users,), not empty.
    seed
        The same seed draws the same resamples.
    """
    found = difference(values, seed)
    return Estimate(found.mean, found.low, found.high)


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
