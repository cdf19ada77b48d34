"""The order of a group's list: that of its strategy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seealso.config import GroupSettings
from seealso.models.group_strategies import Matrix, average, strategies
from seealso.plugin.groups.members import Group
from seealso.plugin.reranking.draft import Candidate
from seealso.types import Calibration


@dataclass(frozen=True, slots=True)
class ByStrategy:
    """The order of a list for several people.

    Attributes
    ----------
    settings
        Strategy and fairness.
    calibration
        Makes the probabilities that a strategy weighs.
    group
        Whose they are.
    """

    settings: GroupSettings
    calibration: Calibration
    group: Group

    def rank(self, candidates: Sequence[Candidate], size: int) -> list[Candidate]:
        """Return the candidates as the strategy ranks them; behind, those of the long tail."""
        # the order of the hits, which decides between equals, would change with that of the members
        found = sorted(candidates, key=lambda one: one.item_id)
        matrix: Matrix = self.calibration.probability([one.values for one in found]).T
        members, own = self.group.preferences(matrix)
        first = strategies(self.settings.fairness)[self.settings.strategy](members, size, own)
        # the tail's share may need items from further down
        further = [n for n in average(members, len(found), own).tolist() if found[n].item.tail]
        return [found[n] for n in dict.fromkeys([*first.tolist(), *further[: 2 * size]])]

    def relevance(self, ranked: Sequence[Candidate]) -> Matrix:
        """Return the places of the order as relevance, from 1 to 0, shape (n,)."""
        return np.linspace(1.0, 0.0, len(ranked))
