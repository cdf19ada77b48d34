"""What is added to w * similarity of some items: by co-occurrence, and by what neighbours chose.

A boosted item may come into a list by its boost alone, so boosted items are searched for by their
ids; all others keep their order. The best of both lists are therefore the best of the whole index.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from seealso.plugin.neighbours import NeighbourBoosts
from seealso.types import Source


@dataclass(frozen=True, slots=True)
class Boosts:
    """What is added to w * similarity of some items, for one user.

    Attributes
    ----------
    co_occurrence
        Of those that are chosen around items of the history.
    neighbours
        Of those that neighbours chose lately.
    named
        What is added in all to those that may come into the list by this alone.
    """

    co_occurrence: Mapping[str, float] = field(default_factory=dict)
    neighbours: Mapping[str, float] = field(default_factory=dict)
    named: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, co_occurrence: Mapping[str, float], neighbours: NeighbourBoosts) -> "Boosts":
        """Return the boosts of a user: all by co-occurrence, and the neighbours' candidates."""
        if not neighbours.gains:
            return cls(co_occurrence, named=co_occurrence)
        named = {**co_occurrence, **dict.fromkeys(neighbours.candidates, 0.0), **co_occurrence}
        for item_id in named.keys() & neighbours.gains.keys():
            named[item_id] += neighbours.gains[item_id]
        return cls(co_occurrence, neighbours.gains, named)

    def total(self, item_id: str) -> float:
        """Return what is added to an item."""
        return self.co_occurrence.get(item_id, 0.0) + self.neighbours.get(item_id, 0.0)

    def source(self, item_id: str) -> Source:
        """Return what brings an item into a list: the larger part of its boost."""
        votes = self.neighbours.get(item_id, 0.0)
        more = votes > self.co_occurrence.get(item_id, 0.0)
        return Source.NEIGHBOURS if more else Source.CO_OCCURRENCE
