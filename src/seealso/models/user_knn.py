"""User kNN: what the users most like one chose lately, each vote weighted by similarity."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import Protocol, TypeVar

ItemT = TypeVar("ItemT", bound=Hashable)
ItemT_co = TypeVar("ItemT_co", bound=Hashable, covariant=True)


class Neighbour(Protocol[ItemT_co]):
    """A user who is like another."""

    @property
    def similarity(self) -> float:
        """Cosine of both users' vectors."""
        ...

    @property
    def latest(self) -> Sequence[ItemT_co]:
        """Items of the history, newest first."""
        ...


def vote(
    neighbours: Iterable[Neighbour[ItemT]], seen: Collection[ItemT], latest: int
) -> dict[ItemT, float]:
    """Return which part of the neighbours chose an item lately, each weighted by similarity.

    vote_i = sum of s_n over those who chose i / sum of all s_n, in (0, 1], s_n being the cosine
    of both users, or 0 where that is negative (Herlocker et al. 1999, "An Algorithmic Framework
    for Performing Collaborative Filtering").

    Parameters
    ----------
    neighbours
        Most similar users.
    seen
        What the user has met; left out.
    latest
        Newest items of each neighbour that count.

    Returns
    -------
    dict
        By item; items without a vote are left out.
    """
    votes: defaultdict[ItemT, float] = defaultdict(float)
    total = 0.0
    for one in neighbours:
        if one.similarity > 0:
            total += one.similarity
            for item in dict.fromkeys(one.latest[:latest]):
                votes[item] += one.similarity
    return {item: share / total for item, share in votes.items() if item not in seen}
