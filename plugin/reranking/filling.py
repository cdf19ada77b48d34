"""Fills the places of a list so that every share has its part and no cap is broken."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Generic, TypeVar

from seealso.config import CapSettings
from seealso.plugin.recommendations import Place
from seealso.types import Source

P = TypeVar("P", bound=Place)


@dataclass(frozen=True, slots=True)
class Share(Generic[P]):
    """Positions that some items are sure of.

    Attributes
    ----------
    places
        How many.
    reserve
        Items that may fill them, best first.
    members
        Ids of the items that count, those of the ranked list among them.
    source
        What brings an item of the reserve into a list; what found it for None.
    """

    places: int
    reserve: Sequence[P]
    members: Set[str]
    source: Source | None = None


def fill(
    main: Sequence[P],
    shares: Sequence[Share[P]],
    size: int,
    caps: Sequence[CapSettings] = (),
) -> list[P]:
    """Return `size` items in which every share has its places and no cap is broken.

    The ranked list keeps its order. An item of a share comes in front of its next item only where
    the share would fall behind its even part otherwise, earliest deadline first, so what is sure
    of a part of the list has it (within rounding) in every prefix.

    Parameters
    ----------
    main
        The ranked list, best first.
    shares
        Of the positions; together at most `size`.
    size
        Length of the result, if the caps let so many pass.
    caps
        Values that may not come too often. An item does not come for its rank alone where a
        share with few items would then lack the room.

    Returns
    -------
    list
        No item twice. A share gets less only where its items, or those that the caps let pass,
        are too few.
    """
    filling = _Filling(main, shares, size, caps)
    while len(filling.chosen) < size and (item := filling.next()) is not None:
        filling.take(item)
    return filling.chosen


@dataclass
class _Count(Generic[P]):
    """What items use up of the caps over a whole list, and of the places of shares."""

    shares: Sequence[Share[P]]
    caps: Sequence[CapSettings]
    values: list[Counter[str]]
    filled: list[int]

    def add(self, item: P) -> None:
        """Count an item."""
        for cap, counted in zip(self.caps, self.values, strict=True):
            counted.update(_values(item, cap))
        for n, share in enumerate(self.shares):
            self.filled[n] += item.item_id in share.members

    def has_room(self, item: P) -> bool:
        """Tell whether the caps let one more item pass."""
        return all(map(_allows, self.caps, self.values, repeat(item)))

    def copy(self) -> "_Count[P]":
        """Return a count that continues this one."""
        return replace(self, values=[Counter(one) for one in self.values], filled=[*self.filled])


class _Filling(Generic[P]):
    """A list while it is filled."""

    def __init__(
        self, main: Sequence[P], shares: Sequence[Share[P]], size: int, caps: Sequence[CapSettings]
    ) -> None:
        self.chosen: list[P] = []
        self._size = size
        self._shares = shares
        self._windows = [(cap, cap.window - 1) for cap in caps if cap.window is not None]
        whole = [cap for cap in caps if cap.window is None]
        self._count = _Count(shares, whole, [Counter() for _ in whole], [0] * len(shares))
        # what is left of the ranked list, and of the reserve of each share
        self._left = [
            {one.item_id: one for one in items}
            for items in (main, *(share.reserve for share in shares))
        ]
        # the lengths in which a list has one, two, three items of each share
        self._deadlines = [
            [-(-number * size // share.places) for number in range(1, share.places + 1)]
            for share in shares
        ]
        # no share is urgent in a shorter list
        self._urgent_from = 0
        # places of shares that cannot be filled any more, while that is known
        self._short: int | None = None

    def take(self, item: P) -> None:
        """Put an item at the next position."""
        self.chosen.append(item)
        self._count.add(item)
        for items in self._left:
            items.pop(item.item_id, None)

    def next(self) -> P | None:
        """Return the item of the next position, or None where none may come."""
        for n in self._urgent_shares():
            item = self._best(self._members(n))
            if item is not None:
                return item
            # what only a window bars now may come later
            if not any(map(self._count.has_room, self._members(n))):
                self._deadlines[n] = []
        main, *reserves = (items.values() for items in self._left)
        return self._best(main) or self._best(chain.from_iterable(reserves))

    def _urgent_shares(self) -> list[int]:
        """Return the shares of which one must have the next position, the most urgent first."""
        length = len(self.chosen)
        if length < self._urgent_from:
            return []
        owed = sorted(
            (max(deadline, length + 1), n)
            for n, filled in enumerate(self._count.filled)
            for deadline in self._deadlines[n][filled:]
        )
        # until its deadline, the k-th of them needs k positions
        starts = [deadline - k for k, (deadline, _) in enumerate(owed, 1)]
        late = next((k for k, start in enumerate(starts) if start <= length), None)
        if late is None:
            # until then, an item that counts for a share only leaves more room
            self._urgent_from = min(starts, default=self._size)
            return []
        return list(dict.fromkeys(n for deadline, n in owed if deadline <= owed[late][0]))

    def _members(self, n: int) -> Iterator[P]:
        """Yield what may fill a place of a share: its reserve, then its items that are ranked."""
        main, members = self._left[0], self._shares[n].members
        yield from self._left[n + 1].values()
        yield from (item for item_id, item in main.items() if item_id in members)

    def _best(self, items: Iterable[P]) -> P | None:
        """Return the first item that may come and leaves every share what it needs."""
        allowed = (one for one in items if self._count.has_room(one) and self._apart(one))
        first = next(allowed, None)
        if first is None or not self._shares or not self._count.caps:
            return first
        now = self._missing() if self._short is None else self._short
        for one in chain((first,), allowed):
            self._short = self._missing(one)
            if self._short <= now:
                return one
        self._short = None
        return first

    def _apart(self, item: P) -> bool:
        """Tell whether an item is far enough from those with its values."""
        for cap, before in self._windows:
            near = chain.from_iterable(_values(one, cap) for one in self.chosen[-before:])
            if not _allows(cap, Counter(near), item):
                return False
        return True

    def _missing(self, *chosen: P) -> int:
        """Return how many places of shares could not be filled any more after an item."""
        count, used = self._count.copy(), {one.item_id for one in chosen}
        for item in chosen:
            count.add(item)
        for n, share in enumerate(self._shares):
            for item in self._members(n):
                if count.filled[n] >= share.places:
                    break
                if item.item_id not in used and count.has_room(item):
                    count.add(item)
                    used.add(item.item_id)
        return sum(
            max(0, share.places - filled)
            for share, filled in zip(self._shares, count.filled, strict=True)
        )


def _values(item: Place, cap: CapSettings) -> frozenset[str]:
    """Return the values that a cap counts of an item; one with several counts for each."""
    found = item.fields.get(cap.field)
    several = found if isinstance(found, list | tuple) else [found]
    return frozenset(str(one) for one in several if one is not None)


def _allows(cap: CapSettings, counted: Counter[str], item: Place) -> bool:
    """Tell whether an item may come where values came as often as `counted` says."""
    return all(counted[value] < cap.most for value in _values(item, cap))
