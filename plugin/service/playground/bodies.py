"""Bodies of the playground's requests: those of the service, and which index is asked."""

from typing import Any, Final, Literal

from pydantic import Field

from seealso.plugin.service.bodies.lists import (
    Body,
    ExplainBody,
    GroupBody,
    UserListOptions,
    Who,
)

MOST_ITEMS: Final = 1_000
"""Items that are named in one request."""


class OfIndex(Body):
    """What another index than the live one may answer."""

    index: str | None = Field(None, description="A physical index; the live one by default.")


class ListBody(Who, UserListOptions, OfIndex):
    """A list for one user, from any index."""


class ReasonsBody(ExplainBody, OfIndex):
    """Why items have their value for a user, in any index."""


class GroupListBody(GroupBody, OfIndex):
    """A list for several people, from any index."""


class PlaceBody(Who, OfIndex):
    """A user and items, to be placed on the map."""

    items: list[str] = Field(default_factory=list, max_length=MOST_ITEMS)


class UserBody(Body):
    """A user to be looked up."""

    user: str


class ItemsBody(Body):
    """Items by their ids, or by words as typed so far."""

    ids: list[str] | None = Field(None, max_length=MOST_ITEMS)
    words: str | None = Field(None, max_length=200)
    size: int = Field(20, ge=1, le=100)


class VotedList(Body):
    """One of two lists that somebody compared."""

    request: dict[str, Any]
    index: str
    bundle: str
    items: list[str] = Field(max_length=MOST_ITEMS)


class VoteBody(Body):
    """Which of two lists is better."""

    better: Literal["left", "right", "same"]
    left: VotedList
    right: VotedList
