"""Numbers that are chosen on dev one after the other: those of baselines and of fitted bundles."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from seealso.log import Tick


class Reached(Protocol):
    """What an attempt came to."""

    @property
    def ndcg(self) -> float:
        """NDCG on dev."""
        ...


ValueT = TypeVar("ValueT")
ReachedT = TypeVar("ReachedT", bound=Reached)


def search_coordinates(
    grid: Mapping[str, Sequence[ValueT]],
    attempt: Callable[[Mapping[str, ValueT]], ReachedT],
    tick: Tick,
) -> ReachedT:
    """Return the best attempt: of those that are equal, the first.

    Each number in the order of the grid takes the value that does best with those chosen so far.

    Parameters
    ----------
    grid
        Values of each number; the search begins with the first ones.
    attempt
        Tries one value of each.
    tick
        Called after each attempt; there are `count_attempts`.
    """
    chosen = {name: values[0] for name, values in grid.items()}
    best = attempt(chosen)
    tick(1)
    for name, values in grid.items():
        start = chosen
        for value in values[1:]:
            tried = {**start, name: value}
            found = attempt(tried)
            if found.ndcg > best.ndcg:
                chosen, best = tried, found
            tick(1)
    return best


def count_attempts(grid: Mapping[str, Sequence[ValueT]]) -> int:
    """Return how many attempts `search_coordinates` makes."""
    return 1 + sum(len(values) - 1 for values in grid.values())
