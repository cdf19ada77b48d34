"""Shares: places of a list that some items are sure of; the long tail is one of them."""

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import partial

from seealso.plugin.reranking.draft import RANKED, Candidate, Draft
from seealso.plugin.reranking.filling import Share
from seealso.types import Source


@dataclass(frozen=True, slots=True)
class TailShare:
    """Sure places of the long tail; tail items that the ranking brings by itself count.

    A list by importance alone has none.
    """

    places: int
    """How many."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with this share among its promises."""
        if not draft.known:
            return draft
        tail = draft.tail.all
        members = {one.item_id for one in (*draft.pool(RANKED).all, *tail) if one.item.tail}
        return replace(draft, shares=(*draft.shares, Share(self.places, tail, members)))


@dataclass(frozen=True, slots=True)
class ExposureShare:
    """Sure places of the items that a setting means."""

    name: str
    """What the share is called in messages."""
    pool: str
    """Which pool of the draft holds its items."""
    places: int
    """How many."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with this share among its promises."""
        reserve = draft.pool(self.pool).all
        sure = [replace(one, item=replace(one.item, source=Source.SHARE)) for one in reserve]
        members = {one.item_id for one in reserve}
        counted = members | {one.item_id for one in draft.pins.values()}
        return replace(
            draft,
            shares=(*draft.shares, Share(self.places, sure, members)),
            checks=(*draft.checks, partial(self.count_places, counted)),
        )

    def count_places(self, members: Set[str], items: Sequence[Candidate]) -> str:
        """Return a line on the places that no item could fill; empty where all are filled."""
        places = sum(one.item_id in members for one in items)
        return "" if places >= self.places else f"{self.name}: {places} of {self.places} places"


def round_up(size: int, share: float) -> int:
    """Return how many of `size` places a share stands for, rounded up."""
    return math.ceil(share * size - 1e-9)


def divide_places(size: int, shares: Sequence[float]) -> list[int]:
    """Return how many of `size` places each share stands for.

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
