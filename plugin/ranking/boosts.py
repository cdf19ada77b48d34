"""What is added to w * similarity of some items: by co-occurrence, and by what neighbours chose.

Pure functions over lists. A boosted item may come into a list by its boost alone, so boosted items
are asked for by name; all others keep their order. The first of both lists are therefore the first
of the whole index.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from seealso.plugin.neighbours import NeighbourBoosts
from seealso.plugin.recommendations import Recommendation
from seealso.types import Calibration, Source


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
        Those that may come into the list by this alone.
    scored
        Whether the cluster adds the boosts of those, by a script; else they are added here.
    """

    co_occurrence: Mapping[str, float] = field(default_factory=dict)
    neighbours: Mapping[str, float] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    scored: bool = True

    @classmethod
    def of(
        cls,
        co_occurrence: Mapping[str, float],
        neighbours: NeighbourBoosts,
        *,
        scored: bool = True,
    ) -> "Boosts":
        """Return the boosts of a user: all by co-occurrence, and the neighbours' candidates."""
        named = tuple(dict.fromkeys((*co_occurrence, *neighbours.candidates)))
        return cls(co_occurrence, neighbours.gains, named, scored)

    def total(self, item_id: str) -> float:
        """Return what is added to an item."""
        return self.co_occurrence.get(item_id, 0.0) + self.neighbours.get(item_id, 0.0)

    @property
    def of_named(self) -> dict[str, float]:
        """What is added to those that are named."""
        return {item_id: self.total(item_id) for item_id in self.named}


def add_boosts(
    items: Iterable[Recommendation], boosts: Boosts, calibration: Calibration
) -> list[Recommendation]:
    """Return the items in their order, with their boosts in `raw` and `probability`."""
    return [_boost(item, boosts, calibration) for item in items]


def merge_boosted(
    main: Sequence[Recommendation],
    named: Sequence[Recommendation],
    boosts: Boosts,
    calibration: Calibration,
) -> list[Recommendation]:
    """Return one list of the vector list and of the named items, ranked by boosted values.

    Parameters
    ----------
    main
        The vector list, without boosts.
    named
        The best of the named items, with boosts already where the cluster could add them.
    boosts, calibration
        What is added, and what makes a probability of it.
    """
    there = {item.item_id for item in main}
    brought = named if boosts.scored else add_boosts(named, boosts, calibration)
    own = [_attribute(item, boosts) for item in brought if item.item_id not in there]
    return sorted([*add_boosts(main, boosts, calibration), *own], key=_raw, reverse=True)


def _boost(item: Recommendation, boosts: Boosts, calibration: Calibration) -> Recommendation:
    total = boosts.total(item.item_id)
    if not total or item.raw is None:
        return item
    raw = item.raw + total
    return replace(
        item,
        raw=raw,
        probability=float(calibration.probability(raw)),
        co_occurrence=boosts.co_occurrence.get(item.item_id, 0.0),
        neighbours=boosts.neighbours.get(item.item_id, 0.0),
    )


def _attribute(item: Recommendation, boosts: Boosts) -> Recommendation:
    """Return an item that came by its boost, with what that boost is of."""
    co_occurrence = boosts.co_occurrence.get(item.item_id, 0.0)
    votes = boosts.neighbours.get(item.item_id, 0.0)
    source = Source.NEIGHBOURS if votes > co_occurrence else Source.CO_OCCURRENCE
    return replace(item, source=source, co_occurrence=co_occurrence, neighbours=votes)


def _raw(item: Recommendation) -> float:
    return float("-inf") if item.raw is None else item.raw
