"""Joins the vector list and the tail list so that tail items keep a share of the positions."""

import math
from collections.abc import Iterator, Sequence

from seealso.plugin.recommendations import Recommendation


def fuse(
    vector: Sequence[Recommendation],
    tail: Sequence[Recommendation],
    *,
    size: int,
    tail_share: float,
) -> list[Recommendation]:
    """Return `size` recommendations, at least ``ceil(tail_share * size)`` of them tail items.

    The vector list keeps its order. A tail item is put in front of its next item only where
    the tail items so far fall behind their even share, so they are spread over the list and
    the guarantee holds (within rounding) for every prefix. Tail items that the vector list
    brings by itself count towards the share.

    Parameters
    ----------
    vector
        Ranked by probability; some of them may be tail items.
    tail
        Tail items that match the profile's words, best first.
    size
        Length of the result, if there are as many items.
    tail_share
        Share of the positions in [0, 1].

    Returns
    -------
    list of Recommendation
        No item twice. Shorter than `size` where both lists together are.
    """
    needed = shared_places(size, tail_share)
    taken: set[str] = set()
    main, reserve = _unseen(vector, taken), _unseen(tail, taken)
    fused: list[Recommendation] = []
    tails = 0
    while len(fused) < size:
        due = tails < math.floor((len(fused) + 1) * needed / size + 1e-9)
        chosen = next(reserve, None) if due else None
        if due and chosen is None:
            chosen = _first_tail(vector, taken)
        chosen = chosen or next(main, None) or next(reserve, None)
        if chosen is None:
            break
        taken.add(chosen.item_id)
        fused.append(chosen)
        tails += chosen.tail
    return fused


def shared_places(size: int, tail_share: float) -> int:
    """Return how many of `size` places a share stands for, rounded up."""
    return math.ceil(tail_share * size - 1e-9)


def _unseen(items: Sequence[Recommendation], taken: set[str]) -> Iterator[Recommendation]:
    return (item for item in items if item.item_id not in taken)


def _first_tail(items: Sequence[Recommendation], taken: set[str]) -> Recommendation | None:
    return next((item for item in items if item.tail and item.item_id not in taken), None)
