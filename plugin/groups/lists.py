"""The list for several people: ranked items, and how probable each is for each member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.table import Table

from seealso.plugin.recommendations import (
    Ranked,
    Recommendation,
    RecommendationList,
    ranked_table,
)
from seealso.plugin.reranking.draft import Candidate
from seealso.types import Calibration, Path

COLUMNS: Final = 6
"""Most members with a column each in a table."""


@dataclass(frozen=True, slots=True)
class GroupRecommendation:
    """One place of a group's list.

    Attributes
    ----------
    item
        The item; its probability is the mean over the members, in which a group's own history
        counts with its weight.
    probabilities
        That of each member, in the order of `GroupList.members`; None for an item without a
        vector and for a list by importance alone.
    """

    item: Recommendation
    probabilities: tuple[float, ...] | None

    @property
    def item_id(self) -> str:
        """The item."""
        return self.item.item_id

    @property
    def fields(self) -> Mapping[str, Any]:
        """Its catalogue fields."""
        return self.item.fields

    @classmethod
    def of(cls, candidate: Candidate, calibration: Calibration) -> "GroupRecommendation":
        """Return the place that a candidate has in a list."""
        known = calibration.probability(candidate.raw) if candidate.raw else None
        return cls(candidate.item, None if known is None else tuple(known.tolist()))


@dataclass(frozen=True, slots=True)
class GroupList(Ranked[GroupRecommendation]):
    """A ranked list for several people and how it was made.

    Attributes
    ----------
    items
        Best first.
    members
        Names of those whose preferences it is made of; the own history of a known group, which is
        the last one, is called like the group.
    strategy
        How their preferences became one order.
    path, index, fingerprint, note, latency_ms, query_id
        As in `RecommendationList`.
    group_id
        The id of a known group.
    """

    items: tuple[GroupRecommendation, ...]
    members: tuple[str, ...]
    strategy: str
    path: Path
    index: str
    fingerprint: str
    note: str = ""
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    query_id: str = ""
    group_id: str | None = None

    @classmethod
    def of_one(
        cls, found: RecommendationList, name: str, strategy: str, group_id: str | None
    ) -> "GroupList":
        """Return the list of one user, whom the group calls `name`, as that of a group of one."""
        return cls(
            tuple(
                GroupRecommendation(one, None if one.probability is None else (one.probability,))
                for one in found
            ),
            (name,),
            strategy,
            found.path,
            found.index,
            found.fingerprint,
            found.note,
            found.latency_ms,
            group_id=group_id,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            **({} if self.group_id is None else {"group": self.group_id}),
            "members": list(self.members),
            "strategy": self.strategy,
            **self.provenance(),
            "items": [
                {
                    **one.item.as_dict(),
                    "members": dict(zip(self.members, one.probabilities or (), strict=False)),
                }
                for one in self.items
            ],
        }

    def table(self, show: str | None = None) -> Table:
        """Return the list as a rich table: each member's probability, of many the ends alone.

        Parameters
        ----------
        show
            Catalogue field to show beside the id; the first text, by name, where an item has none.
        """
        few = len(self.members) <= COLUMNS
        columns = self.members if few else ("least", "most")
        rows = []
        for one in self.items:
            values: Sequence[float | None] = one.probabilities or (None,) * len(columns)
            if one.probabilities and not few:
                values = (min(one.probabilities), max(one.probabilities))
            rows.append((one.item, (one.item.probability, *values)))
        return ranked_table(rows, ("mean p", *columns), show)
