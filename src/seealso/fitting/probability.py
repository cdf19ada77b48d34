"""What a score means: b and T of the probability, by the likelihood of what dev users chose."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from seealso.errors import MissingExtraError
from seealso.fitting.bench import Bench
from seealso.models.histories import Matrix
from seealso.types import Calibration, Vector

LIST_LENGTH: Final = 10
"""Places of a list that a probability is about."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TopItems:
    """Scores of the first items of each dev user's list, and whether they were chosen.

    Attributes
    ----------
    x
        w * cos and its boosts, shape (shown,).
    chosen
        Shape (shown,).
    """

    x: Values
    chosen: npt.NDArray[np.bool_]


def collect_top_items(
    bench: Bench, users: Vector, items: Vector, boosts: Matrix | None = None
) -> TopItems:
    """Return the first ten items of every user.

    Parameters
    ----------
    bench
        The users.
    users
        E_u, unit rows, shape (users, dimension).
    items
        w_i * E_i, shape (n, dimension).
    boosts
        What is added to each w * cos, shape (users, n).
    """
    xs, hits = [], []
    for _, questions, scores in bench.scores(users, items, boosts):
        for row, question in enumerate(questions):
            own = scores[row]
            own[question.seen] = -np.inf
            places = (
                np.argpartition(-own, LIST_LENGTH)[:LIST_LENGTH]
                if len(own) > LIST_LENGTH
                else np.arange(len(own))
            )
            places = places[np.isfinite(own[places])]
            xs.append(own[places])
            hits.append(places == question.target)
    return TopItems(np.concatenate(xs).astype(np.float64), np.concatenate(hits))


def calibrate(found: TopItems) -> Calibration | None:
    """Return the most likely b and T for the choices; None if scores predict nothing.

    Logistic regression of the choice on x = w * cos (Platt 1999, "Probabilistic Outputs for
    Support Vector Machines"), with p = sigmoid((x - b) / T). The probability is that of being
    the next item that the user chooses.

    Raises
    ------
    MissingExtraError
        scipy is not installed.
    """
    try:
        from scipy.optimize import minimize
    except ModuleNotFoundError as exc:
        raise MissingExtraError.of("scipy", "evaluate") from exc
    if not found.chosen.any() or found.chosen.all():
        return None
    middle, spread = float(found.x.mean()), float(found.x.std())
    if spread <= 0:
        return None
    x = (found.x - middle) / spread
    y = found.chosen.astype(np.float64)

    def loss(parameters: Values) -> tuple[float, Values]:
        slope, offset = parameters
        z = slope * x + offset
        # log(1 + e^z) - y z, without an overflow
        value = np.logaddexp(0.0, z) - y * z
        error = 1.0 / (1.0 + np.exp(-z)) - y
        return float(value.mean()), np.array([(error * x).mean(), error.mean()])

    rate = y.mean()
    start = np.array([0.1, np.log(rate / (1.0 - rate))])
    slope, offset = minimize(loss, start, jac=True, method="BFGS").x
    if slope <= 0:
        return None
    return Calibration(b=float(middle - offset / slope * spread), t=float(spread / slope))
