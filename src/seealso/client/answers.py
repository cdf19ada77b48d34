"""Lists as a service answers them: what a newer service adds does not break an older client."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from seealso.client.explanations import Explanation


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One place of a list.

    Attributes
    ----------
    item_id
        The item.
    probability
        That the user likes it; None for an item without a vector and for a list by importance
        alone.
    raw, score
        What `probability` is made of, and OpenSearch's score.
    source
        Which search found it, for instance ``vector`` or ``tail``.
    importance
        The weight of the item.
    tail
        Whether the item is of the long tail.
    fields
        The catalogue's own fields.
    co_occurrence, neighbours
        What is added to `raw` of what is chosen together, and by similar users.
    boost
        What rules and freshness add where the list is ranked.
    """

    item_id: str
    probability: float | None
    raw: float | None
    score: float
    source: str
    importance: float
    tail: bool
    fields: Mapping[str, Any] = field(default_factory=dict)
    co_occurrence: float = 0.0
    neighbours: float = 0.0
    boost: float = 0.0


@dataclass(frozen=True, slots=True)
class GroupRecommendation(Recommendation):
    """One place of a group's list; `members` has the probability for each of them, by name."""

    members: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationList:
    """A ranked list, and how it was made: iterable, with a length.

    Attributes
    ----------
    items
        Best first.
    query_id
        What events are sent back with; None where the service logs no lists.
    index, bundle
        The physical index that answered, and the fingerprint of its bundle.
    path
        How the list was ranked.
    took_ms
        Milliseconds, by part.
    degraded
        What was left out or guessed, and why; None for a list as it should be.
    user_id
        Whom the list is for, if known by id.
    reasons
        Why each item is in the list, where that was an option.
    """

    items: tuple[Recommendation, ...]
    query_id: str | None
    index: str
    bundle: str
    path: str
    took_ms: Mapping[str, float]
    degraded: str | None
    user_id: str | None = None
    reasons: tuple[Explanation, ...] = ()

    def __iter__(self) -> Iterator[Recommendation]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> Recommendation:
        return self.items[place]

    @property
    def ids(self) -> list[str]:
        """Item ids, best first."""
        return [one.item_id for one in self.items]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupList(RecommendationList):
    """A ranked list for several people.

    Attributes
    ----------
    members
        Names of those whose preferences it is made of.
    strategy
        How these became one order.
    group
        The id of a known group.
    """

    items: tuple[GroupRecommendation, ...]
    members: tuple[str, ...]
    strategy: str
    group: str | None = None

    def __iter__(self) -> Iterator[GroupRecommendation]:
        return iter(self.items)

    def __getitem__(self, place: int) -> GroupRecommendation:
        return self.items[place]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRanking(RecommendationList):
    """Items that a caller named, in a user's order, and those that have no place in it.

    Attributes
    ----------
    unknown
        Ids that the index does not hold.
    blocked
        Ids of items that the user must not be shown.
    """

    unknown: tuple[str, ...]
    blocked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedList:
    """What a list would be searched for with.

    Attributes
    ----------
    index, bundle
        The physical index that would be sent the searches, and the fingerprint of its bundle.
    path
        How the list would be ranked.
    requests
        Each search of the ``_msearch``: its ``index``, its ``body``, its ``search_type``.
    degraded
        What would be left out or guessed, and why.
    user_id
        Whom the list is for, if known by id.
    """

    index: str
    bundle: str
    path: str
    requests: tuple[Mapping[str, Any], ...]
    degraded: str | None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A user who is like another.

    Attributes
    ----------
    pseudonym
        Who it is.
    similarity
        From -1 to 1.
    latest
        Items of the history, newest first.
    shared
        How many of them the other user has met as well.
    """

    pseudonym: str
    similarity: float
    latest: tuple[str, ...]
    shared: int = 0


@dataclass(frozen=True, slots=True)
class NeighbourList:
    """The users most like one, most similar first.

    Attributes
    ----------
    neighbours
        Most similar first.
    pseudonym
        Whose neighbours they are, if known by id.
    index
        The physical index that answered.
    degraded
        What was left out or guessed, and why; None where nothing was.
    """

    neighbours: tuple[Neighbour, ...]
    pseudonym: str | None
    index: str
    degraded: str | None = None

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(self.neighbours)

    def __len__(self) -> int:
        return len(self.neighbours)

    def __getitem__(self, place: int) -> Neighbour:
        return self.neighbours[place]


@dataclass(frozen=True, slots=True)
class _Lists:
    lists: tuple[RecommendationList, ...]
