"""Calibration of the probabilities? Those of shown items against what was chosen."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from seealso.datasets.questions import Question
from seealso.evaluation.scores import Bin, Reliability
from seealso.evaluation.systems import SHOWN, Lists

BINS: Final = 15


def reliability(system: str, lists: Lists, questions: Sequence[Question]) -> Reliability | None:
    """Return how well the probabilities of the first ten items predict the choice.

    None where a system gives no probabilities.
    """
    if lists.probabilities is None:
        return None
    predicted = lists.probabilities[:, :SHOWN]
    targets = np.array([question.target for question in questions])
    chosen = lists.places[:, :SHOWN] == targets[:, None]
    known = np.isfinite(predicted) & (lists.places[:, :SHOWN] >= 0)
    if not known.any():
        return None
    error, bins = calibration_error(predicted[known], chosen[known])
    return Reliability(system, error, bins)


def calibration_error(
    predicted: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_]
) -> tuple[float, tuple[Bin, ...]]:
    """Return the expected calibration error and its bins of equal counts.

    The mean of |predicted - observed| over the bins, weighted by their counts (Naeini, Cooper
    and Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning"; bins
    of equal mass as in Nguyen and O'Connor 2015, since the probabilities crowd).

    Parameters
    ----------
    predicted
        Probabilities, shape (n,), not empty.
    chosen
        Whether each came true, shape (n,).
    """
    order = np.argsort(predicted, kind="stable")
    bins = []
    for places in np.array_split(order, min(BINS, len(order))):
        own = predicted[places]
        bins.append(
            Bin(
                low=float(own[0]),
                high=float(own[-1]),
                count=len(places),
                predicted=float(own.mean()),
                observed=float(chosen[places].mean()),
            )
        )
    error = sum(one.count * abs(one.predicted - one.observed) for one in bins) / len(order)
    return float(error), tuple(bins)
