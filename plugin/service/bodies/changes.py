"""Bodies of what is written: events, items, what is kept of users; and what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from seealso.plugin.service.bodies.lists import Body
from seealso.plugin.service.bodies.texts import Text, UserName

MOST_ITEMS: Final = 1000
"""Items that one request writes or deletes."""

MOST_EVENTS: Final = 1000
"""Events of one request."""


class Event(Body):
    """What a user did with an item."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user": "1", "item": "318", "type": "click", "time": "2026-11-29T10:00:00Z"}
            ]
        }
    )

    user: UserName | None = Field(description="Id of the user; null for nobody that is known.")
    item: Text = Field(description="Id of the item.", min_length=1)
    type: Text | None = Field(None, description="What it was; `events.default_type` by default.")
    time: Text | None = Field(None, description="When it was, as ISO 8601 has it; now by default.")
    id: Text | None = Field(
        None,
        min_length=1,
        description="Its own id: by that, or by all it says, a repetition is recognised.",
    )
    query_id: Text | None = Field(
        None, min_length=1, description="`query_id` of the list that it happened in."
    )
    value: float | None = Field(
        None,
        strict=True,
        allow_inf_nan=False,
        description="A rating, a quantity, seconds; 1 by default.",
    )


class EventsBody(Body):
    """Events, each read by itself: one that is broken keeps no other from being written."""

    events: list[SkipValidation[Event]] = Field(min_length=1, max_length=MOST_EVENTS)


class RefusedEvent(BaseModel):
    """An event that was not written."""

    event: int = Field(description="Its place in the request, from 0.")
    field: str
    reason: str


class EventsAnswer(BaseModel):
    """What became of the events of a request."""

    written: int
    repeated: int = Field(description="They were there already, and changed nothing.")
    refused: Sequence[RefusedEvent]
    unknown: Sequence[str] = Field(
        description="Items that the index does not hold; their events are kept."
    )
    differing: Sequence[str] = Field(
        description="Ids of those repeated that say something else than the first, which stays."
    )
    nobody: int = Field(description="Events of no user: they count for importance alone.")
    forgotten: int = Field(
        description="Events left out: their users were forgotten while the request was under way."
    )
    degraded: str | None = Field(description="What does not follow the events, and why.")


class ItemsBody(Body):
    """Items, each read by itself: one that is broken keeps no other from being written."""

    items: list[SkipValidation[dict[str, Any]]] = Field(
        description="Rows with the columns of the catalogue, as `[catalogue]` names them.",
        min_length=1,
        max_length=MOST_ITEMS,
        examples=[[{"movieId": "1", "title": "Toy Story (1995)", "genres": ["Comedy"]}]],
    )


class RefusedItem(BaseModel):
    """An item that was not written, or a value that it was written without."""

    item: int = Field(description="Its place in the request, from 0.")
    field: str
    reason: str


class UpsertedItems(BaseModel):
    """What became of the items of a request."""

    index: str = Field(description="The physical index.")
    written: int
    unchanged: int = Field(description="The index holds them as they are.")
    refused: Sequence[RefusedItem]
    left_out: Sequence[RefusedItem] = Field(
        description="Broken values: their items were written without them."
    )
    ignored: Sequence[str] = Field(description="Columns that `[catalogue]` does not name.")
    notes: Sequence[str] = Field(description="What was guessed or left out besides.")


class DeletionBody(Body):
    """Items to delete."""

    ids: list[Text] = Field(min_length=1, max_length=MOST_ITEMS)
    allow: bool = Field(False, description="Delete more than 5 % of the index, too.")


class DeletedItems(BaseModel):
    """What was deleted."""

    index: str = Field(description="The physical index.")
    deleted: int
    absent: Sequence[str] = Field(description="Ids that the index does not hold.")


class KeptOfUser(BaseModel):
    """All that is kept of a user."""

    pseudonym: str
    documents: Mapping[str, Sequence[Mapping[str, Any]]] = Field(description="By index.")


class ForgottenUser(BaseModel):
    """What was deleted of a user."""

    pseudonym: str
    deleted: Mapping[str, int] = Field(description="Documents, by index.")
    remains: Sequence[str] = Field(
        description="Files and indices from which a later build would read the user again."
    )
