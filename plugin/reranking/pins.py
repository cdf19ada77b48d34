"""Pins: items at places that a business chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from seealso.plugin.reranking.draft import PINNED, Candidate, Draft
from seealso.types import Source

NAMED: Final = 5
"""Most items that a note names."""


@dataclass(frozen=True, slots=True)
class Pins:
    """Puts items at their places; the others move down, and none comes twice."""

    places: Mapping[int, str]
    """Item ids by place, from 1 on."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with the pinned candidates at their places and nowhere else."""
        found = {one.item_id: one.by(Source.PIN) for one in draft.pool(PINNED).all}
        pins = {place: found[one] for place, one in self.places.items() if one in found}
        moved = frozenset(found)
        others = draft.change(lambda pool: pool.without(moved))
        checks = (*draft.checks, self.name_missing)
        return replace(others, tail=draft.tail.without(moved), pins=pins, checks=checks)

    def name_missing(self, items: Sequence[Candidate]) -> str:
        """Return a line on the pinned items that are not in a list; empty where all are."""
        there = {one.item_id for one in items}
        missing = [one for one in self.places.values() if one not in there]
        if not missing:
            return ""
        named = ", ".join(missing[:NAMED])
        return f"not pinned: {named} (seen, not allowed, beyond the list, or no vector)"


def insert(items: Sequence[Candidate], pins: Mapping[int, Candidate], size: int) -> list[Candidate]:
    """Return `size` items with the pinned ones at their places, from 1 on."""
    whole = list(items)
    for place in sorted(pins):
        whole.insert(place - 1, pins[place])
    return whole[:size]
