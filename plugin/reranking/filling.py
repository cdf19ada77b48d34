"""Fills the places of a list so that every share has its part and no cap is broken."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar


class Place(Protocol):
    """What can stand at a place of a list."""

    @property
    def item_id(self) -> str:
        """The item."""
        ...

    @property
    def fields(self) -> Mapping[str, Any]:
        """The catalogue's own fields."""
        ...


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
    """

    places: int
    reserve: Sequence[P]
    members: Set[str]


@dataclass(frozen=True, slots=True)
class Cap:
    """How often a value of a field may come.

    Attributes
    ----------
    field
        The field; an item with several values counts for each.
    most
        Items with one value.
    window
        Positions in a row that they are counted in; None for the whole list.
    """

    field: str
    most: int
    window: int | None = None

    def values(self, item: Place) -> frozenset[str]:
        """Return what an item has in the field."""
        found = item.fields.get(self.field)
        several = found if isinstance(found, list | tuple) else [found]
        return frozenset(str(one) for one in several if one is not None)


def fill(
    main: Sequence[P],
    shares: Sequence[Share[P]],
    size: int,
    caps: Sequence[Cap] = (),
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
        What may not come too often. No item is taken for its rank that a share with fewer items
        needs the room of.

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
class _Filling(Generic[P]):
    """A list while it is filled."""

    main: Sequence[P]
    shares: Sequence[Share[P]]
    size: int
    caps: Sequence[Cap]
    chosen: list[P] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._used: set[str] = set()
        self._spent: list[Counter[str]] = [Counter() for _ in self.caps]
        self._given = [0 for _ in self.shares]
        self._open = [True for _ in self.shares]
        self._ranked = deque(self.main)
        self._reserves = [deque(share.reserve) for share in self.shares]
        # the nth item of a share is even where the list is this long
        self._deadlines = [
            [-(-nth * self.size // share.places) for nth in range(1, share.places + 1)]
            for share in self.shares
        ]
        self._calm = 0

    def take(self, item: P) -> None:
        """Put an item at the next position."""
        self.chosen.append(item)
        self._used.add(item.item_id)
        for cap, spent in zip(self.caps, self._spent, strict=True):
            spent.update(cap.values(item))
        for n, share in enumerate(self.shares):
            self._given[n] += item.item_id in share.members

    def next(self) -> P | None:
        """Return the item of the next position, or None where none may come."""
        for n in self._urgent():
            item = self._first(self._candidates(n))
            if item is not None:
                return item
            # what only a window bars now may come later
            if not any(self._room(one, self._spent) for one in self._candidates(n)):
                self._open[n] = False
        rest = (one for reserve in self._reserves for one in self._left(reserve))
        return self._first(self._left(self._ranked)) or self._first(rest)

    def _urgent(self) -> list[int]:
        """Return the shares of which one must have the next position, the most urgent first."""
        length = len(self.chosen)
        if length < self._calm:
            return []
        due = sorted(
            (max(deadline, length + 1), n)
            for n, deadlines in enumerate(self._deadlines)
            if self._open[n]
            for deadline in deadlines[self._given[n] :]
        )
        # how many positions may go to others before these items are late
        spare = [deadline - length - nth for nth, (deadline, _) in enumerate(due, 1)]
        late = next((place for place, left in enumerate(spare) if left <= 0), None)
        if late is not None:
            return list(dict.fromkeys(n for deadline, n in due if deadline <= due[late][0]))
        # a position takes one of them at most: until then nothing can be late
        self._calm = length + min(spare, default=self.size)
        return []

    def _candidates(self, n: int) -> Iterator[P]:
        members = self.shares[n].members
        yield from self._left(self._reserves[n])
        yield from (one for one in self._left(self._ranked) if one.item_id in members)

    def _left(self, items: deque[P]) -> Iterator[P]:
        while items and items[0].item_id in self._used:
            items.popleft()
        return (one for one in items if one.item_id not in self._used)

    def _first(self, items: Iterable[P]) -> P | None:
        """Return the first item that may come and leaves every share what it needs."""
        if not self.caps:
            return next(iter(items), None)
        allowed = [one for one in items if self._room(one, self._spent) and self._apart(one)]
        if not self.shares or not allowed:
            return next(iter(allowed), None)
        now = self._missing(None)
        return next((one for one in allowed if self._missing(one) <= now), allowed[0])

    def _room(self, item: P, spent: Sequence[Counter[str]]) -> bool:
        return all(
            cap.window is not None or all(counted[value] < cap.most for value in cap.values(item))
            for cap, counted in zip(self.caps, spent, strict=True)
        )

    def _apart(self, item: P) -> bool:
        for cap in self.caps:
            if cap.window is not None:
                near = [cap.values(one) for one in self.chosen[-(cap.window - 1) :]]
                counted = Counter(value for values in near for value in values)
                if any(counted[value] >= cap.most for value in cap.values(item)):
                    return False
        return True

    def _missing(self, chosen: P | None) -> int:
        """Return how many places of shares could not be filled any more after an item."""
        spent = [Counter(one) for one in self._spent]
        planned: list[P] = []

        def plan(item: P) -> None:
            planned.append(item)
            for cap, counted in zip(self.caps, spent, strict=True):
                counted.update(cap.values(item))

        if chosen is not None:
            plan(chosen)
        missing = 0
        for n, share in enumerate(self.shares):
            given = int(self._given[n]) + sum(one.item_id in share.members for one in planned)
            used = {one.item_id for one in planned}
            for item in self._candidates(n):
                if given >= share.places:
                    break
                if item.item_id not in used and self._room(item, spent):
                    plan(item)
                    used.add(item.item_id)
                    given += item.item_id in share.members
            missing += max(0, share.places - given)
        return missing
