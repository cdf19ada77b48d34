"""Bodies of requests: whom an answer is for, and options, named as the library names them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from seealso.choices import SeenRule, StrategyName
from seealso.plugin.ranking.named_items import MOST_ITEMS

MOST_USERS: Final = 100
"""Users of one request; `seealso recommend-batch` is for more."""


MOST_PLACES: Final = 10_000
"""Items that the lists of one request have together at most."""

MOST_REASONS: Final = 100
"""Items of one request whose value is explained."""


class Body(BaseModel):
    """A JSON object in which every name is known: a misspelt option is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Who(Body):
    """Whom an answer is for, described in any mix of ways."""

    user: str | None = Field(None, description="Id of a user; history and seen items are known.")
    history: list[str] | None = Field(
        None, description="Item ids, newest first, instead of the history known of the user."
    )
    session: list[str] | None = Field(
        None,
        description="Item ids, newest first, of the visit under way: put before the history.",
    )
    words: str = Field("", description="The user's own words.")
    attributes: dict[str, Any] | None = Field(
        None, description="Values by name, instead of those known of the user."
    )


class Selection(Body):
    """Which items a list is made of, and what it says of them."""

    size: int | None = Field(None, description="Length of the list.")
    filters: dict[str, Any] | list[dict[str, Any]] | None = Field(
        None,
        description="Query DSL clauses that every item satisfies.",
        examples=[[{"term": {"genres": "Drama"}}]],
    )
    exclude: list[str] | None = Field(None, description="Ids of items that are left out.")
    fields: list[str] | None = Field(
        None, description="Catalogue fields to bring along; all of them by default."
    )

    def chosen(self, *beside: str) -> dict[str, Any]:
        """Return the options as keywords of the library, without the fields named in `beside`."""
        return self.model_dump(exclude={*Who.model_fields, *beside})


class PopularBody(Selection):
    """Options of every list; where they are left out, the settings of the service decide."""

    rules: list[dict[str, Any]] | None = Field(
        None,
        description="Business rules of this list, before those of the settings.",
        examples=[[{"do": "exclude", "field": "genres", "values": ["Horror"]}]],
    )
    without_rules: bool = Field(False, description="Ignore the rules of the settings.")


class ListOptions(PopularBody):
    """Options of every list that a vector ranks."""

    path: Literal["auto", "exact", "ann", "reference"] | None = Field(
        None, description="How to rank."
    )
    min_probability: float | None = Field(None, description="Items below it are left out.")


class UserListOptions(ListOptions):
    """Options of lists for users and groups."""

    tail_share: float | None = Field(
        None, description="Share of the places that is for items of the long tail."
    )
    diversity: float | None = Field(
        None, description="How much difference from the items above counts, from 0 to 1."
    )


class RecommendBody(Who, UserListOptions):
    """A list for one user."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user": "1", "size": 5}, {"history": ["318", "858"]}]}
    )

    explain: bool = Field(False, description="Bring along why each item is in the list.")


class BatchBody(UserListOptions):
    """A list for each of several users."""

    users: list[str | Who] = Field(
        description="Ids of users, or users described in any mix of ways.",
        min_length=1,
        max_length=MOST_USERS,
        examples=[["1", {"history": ["318"]}]],
    )


class GroupMembers(Body):
    """Several people, and how their preferences become one order."""

    group: str | None = Field(None, description="Id of a known group, instead of members.")
    members: list[str | Who] | None = Field(
        None, description="Ids of users, or users described in any mix of ways."
    )
    words: str = Field("", description="What the group says of itself: one more member.")
    attributes: dict[str, Any] | None = Field(None, description="The same, as values by name.")
    strategy: StrategyName | None = Field(
        None, description="How the members' preferences become one order."
    )
    seen: SeenRule | None = Field(None, description="Whose seen items are left out.")
    own_weight: float | None = Field(
        None, description="What a known group's own history weighs, from 0 to 1."
    )


class GroupBody(UserListOptions, GroupMembers):
    """One list for several people."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"members": ["1", "2"]}]})


class RankBody(Who):
    """Items to be brought into the order of a user."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user": "1", "items": ["318", "858", "527"]}]}
    )

    items: list[str] = Field(description="Item ids.", min_length=1, max_length=MOST_ITEMS)
    fields: list[str] | None = Field(
        None, description="Catalogue fields to bring along; all of them by default."
    )


class ExplainBody(Who):
    """Why items have their value for a user."""

    items: list[str] = Field(description="Item ids.", min_length=1, max_length=MOST_REASONS)


class NeighboursBody(Who):
    """The users most like one."""

    size: int = Field(10, ge=1, le=1000)


class PersonaliseBody(Who):
    """A search body of an application, to be ranked by the taste of a user."""

    body: dict[str, Any] = Field(description="The search body.")
    weight: float | None = Field(None, description="How much the preference counts.")
    window: int | None = Field(None, description="Rerank only so many of the best hits.")
    send: bool = Field(False, description="Answer with the hits instead of the body.")


class Recommended(BaseModel):
    """One item of a list."""

    model_config = ConfigDict(extra="allow")

    item_id: str
    probability: float | None
    source: str


class Answers(BaseModel):
    """Lists, in the order of the users."""

    lists: "Sequence[Answer]"


class Answer(BaseModel):
    """A list, and how it was made."""

    model_config = ConfigDict(extra="allow")

    query_id: str | None = Field(description="What events are sent back with; null without UBI.")
    index: str = Field(description="The physical index that answered.")
    bundle: str = Field(description="Fingerprint of the model bundle.")
    path: str = Field(description="How the list was ranked.")
    took_ms: Mapping[str, float] = Field(description="Milliseconds, by part.")
    degraded: str | None = Field(description="What was left out or guessed, and why.")
    items: Sequence[Recommended]


class Ranking(Answer):
    """Items in the order of a user, and those that have no place in it."""

    unknown: Sequence[str] = Field(description="Ids that the index does not hold.")
    blocked: Sequence[str] = Field(description="Ids of items that the user must not be shown.")


class Planned(BaseModel):
    """What a list would be asked for with."""

    model_config = ConfigDict(extra="allow")

    index: str = Field(description="The physical index that would be asked.")
    bundle: str = Field(description="Fingerprint of the model bundle.")
    path: str = Field(description="How the list would be ranked.")
    degraded: str | None = Field(description="What would be left out or guessed, and why.")
    requests: Sequence[Mapping[str, Any]] = Field(
        description="Each search of the `_msearch`: its `index`, its `body`, its `search_type`."
    )
