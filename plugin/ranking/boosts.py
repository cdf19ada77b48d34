"""What lifts an item over its similarity: what it is chosen around, and what neighbours chose.

Pure functions over lists. An item that is lifted may come into a list by that alone, so lifted
items are asked for by name; all others keep their order. The first of both lists are therefore the
first of the whole index.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from seealso.plugin.neighbours import NeighbourBoosts
from seealso.plugin.recommendations import Recommendation
from seealso.types import Calibration, Source


@dataclass(frozen=True, slots=True)
class Lifts:
    """What is added to w * similarity of some items, for one user.

    Attributes
    ----------
    pairs
        Of those that are chosen around items of the history.
    neighbours
        Of those that neighbours chose lately.
    named
        Those that may come into the list by this alone.
    scored
        Whether the cluster adds the gains of those, by a script; else they are added here.
    """

    pairs: Mapping[str, float] = field(default_factory=dict)
    neighbours: Mapping[str, float] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    scored: bool = True

    @classmethod
    def of(
        cls, pairs: Mapping[str, float], neighbours: NeighbourBoosts, *, scored: bool = True
    ) -> "Lifts":
        """Return what lifts items: all of `pairs`, and the candidates of neighbours, are named."""
        named = tuple(dict.fromkeys((*pairs, *neighbours.candidates)))
        return cls(pairs, neighbours.gains, named, scored)

    def gain(self, item_id: str) -> float:
        """Return what is added to an item."""
        return self.pairs.get(item_id, 0.0) + self.neighbours.get(item_id, 0.0)

    @property
    def gains(self) -> dict[str, float]:
        """What is added to those that are named."""
        return {item_id: self.gain(item_id) for item_id in self.named}


NOTHING: Final = Lifts()
"""Nothing is lifted."""


def lifted(
    items: Iterable[Recommendation], lifts: Lifts, calibration: Calibration
) -> list[Recommendation]:
    """Return the items in their order, with what lifts each in `raw` and `probability`."""
    return [_lifted(item, lifts, calibration) for item in items]


def joined(
    main: Sequence[Recommendation],
    named: Sequence[Recommendation],
    lifts: Lifts,
    calibration: Calibration,
) -> list[Recommendation]:
    """Return one list of the vector list and of the named items, ranked by lifted values.

    Parameters
    ----------
    main
        The vector list, not lifted yet.
    named
        The best of the named items, lifted already where the cluster could.
    lifts, calibration
        What lifts, and what makes a probability of it.
    """
    there = {item.item_id for item in main}
    brought = named if lifts.scored else lifted(named, lifts, calibration)
    own = [_told(item, lifts) for item in brought if item.item_id not in there]
    return sorted([*lifted(main, lifts, calibration), *own], key=_raw, reverse=True)


def _lifted(item: Recommendation, lifts: Lifts, calibration: Calibration) -> Recommendation:
    gain = lifts.gain(item.item_id)
    if not gain or item.raw is None:
        return item
    raw = item.raw + gain
    return replace(
        item,
        raw=raw,
        probability=float(calibration.probability(raw)),
        pairs=lifts.pairs.get(item.item_id, 0.0),
        neighbours=lifts.neighbours.get(item.item_id, 0.0),
    )


def _told(item: Recommendation, lifts: Lifts) -> Recommendation:
    pairs, votes = (by.get(item.item_id, 0.0) for by in (lifts.pairs, lifts.neighbours))
    source = Source.NEIGHBOURS if votes > pairs else Source.PAIRS
    return replace(item, source=source, pairs=pairs, neighbours=votes)


def _raw(item: Recommendation) -> float:
    return float("-inf") if item.raw is None else item.raw
