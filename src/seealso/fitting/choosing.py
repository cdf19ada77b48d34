"""Which of many settings that were tried on dev is taken: one whose gain is no luck."""

from typing import Final

import numpy as np

from seealso.datasets.intervals import Values

FOLDS: Final = 2


def choose_beyond_chance(tried: Values, standing: int) -> int:
    """Return which setting is best on dev, or `standing` where its gain may be luck.

    Of many settings on one dev split, the best promises more than it gives: some of its gain is
    that of having been picked (Cawley and Talbot 2010, "On Over-fitting in Model Selection and
    Subsequent Selection Bias in Performance Evaluation"). So the users are cut in two, and what is
    best for one half is measured on the other. `standing` stays unless it loses more there than
    one standard error: the one-standard-error rule (Breiman, Friedman, Olshen and Stone 1984,
    "Classification and Regression Trees"), on differences that are paired by user.

    Parameters
    ----------
    tried
        A metric of each user with each setting, shape (settings, users).
    standing
        The setting that is kept in doubt: the default, or the one that was chosen before.
    """
    half = np.arange(tried.shape[1]) % FOLDS
    gained = np.concatenate(
        [
            tried[_best(tried[:, half != one], standing)][half == one]
            - tried[standing][half == one]
            for one in range(FOLDS)
        ]
    )
    deviation = gained.std(ddof=1) if len(gained) > 1 else 0.0
    # nothing gained in either half is no gain
    if gained.mean() <= deviation / np.sqrt(len(gained)):
        return standing
    return _best(tried, standing)


def _best(tried: Values, standing: int) -> int:
    """Return the best setting: of equal ones the standing one, then the first."""
    if not tried.shape[1]:
        return standing
    means = tried.mean(axis=1)
    best = int(np.argmax(means))
    return best if means[best] > means[standing] else standing
