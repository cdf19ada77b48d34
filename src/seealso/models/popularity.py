"""Popularity: the same list for everybody."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seealso.datasets.dataset import Dataset
from seealso.models.histories import Matrix, Model
from seealso.types import Vector


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


def fit_popularity(dataset: Dataset, chosen: Mapping[str, float]) -> Model:  # noqa: ARG001
    """Count events; nothing is chosen."""
    return Popularity(dataset.event_counts().astype(np.float32))
