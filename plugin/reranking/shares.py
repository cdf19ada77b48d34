"""Shares: places of a list that some items are sure of; the long tail is one of them."""

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
        members = {one.item_id for one in reserve}
        counted = members | {one.item_id for one in draft.pins.values()}
        return replace(
            draft,
            shares=(*draft.shares, Share(self.places, reserve, members, Source.SHARE)),
            checks=(*draft.checks, partial(self.count_places, counted)),
        )

    def count_places(self, members: Set[str], items: Sequence[Candidate]) -> str:
        """Return a line on the places that no item could fill; empty where all are filled."""
        places = sum(one.item_id in members for one in items)
        return "" if places >= self.places else f"{self.name}: {places} of {self.places} places"
