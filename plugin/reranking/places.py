"""How many places of a list its shares are."""

import math
from collections.abc import Sequence


def round_up(size: int, share: float) -> int:
    """Return how many of `size` places a share is, rounded up."""
    return math.ceil(share * size - 1e-9)


def divide_places(size: int, shares: Sequence[float]) -> list[int]:
    """Return how many of `size` places each share is.

    Rounded up, but for those with the least to round where that makes more than there are. The
    first place of a list belongs to the best item, unless shares ask for the whole list: so a list
    of one is not the tail's.
    """
    places = [round_up(size, share) for share in shares]
    exact = [share * size for share in shares]
    free = 0 if sum(shares) >= 1 - 1e-9 else 1
    rounded = [n for n in range(len(shares)) if places[n] > exact[n]]
    rounded.sort(key=lambda n: exact[n] - math.floor(exact[n]))
    for n in rounded[: max(0, sum(places) + free - size)]:
        places[n] -= 1
    return places
