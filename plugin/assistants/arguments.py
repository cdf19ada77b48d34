"""Arguments of the tools, in the words of the service.

How a list is ranked, and by which business rules, is no argument: what a text has talked an
assistant into must not change it.
"""

from typing import Final

from pydantic import Field

from seealso.plugin.service.bodies.lists import GroupMembers, Selection, Who

MOST_PLACES: Final = 100
"""Items of one list: an assistant reads every one of them."""


class PopularArguments(Selection):
    """A list for nobody in particular."""

    size: int = Field(10, ge=1, le=MOST_PLACES, description="Length of the list.")


class RecommendArguments(PopularArguments, Who):
    """A list for one user."""


class RelatedArguments(PopularArguments):
    """A list by an item."""

    item: str = Field(min_length=1, description="Id of the item.")


class GroupArguments(PopularArguments, GroupMembers):
    """One list for several people."""


class ExplainArguments(Who):
    """Why an item has its value for a user."""

    item: str = Field(min_length=1, description="Id of the item; one that was seen, too.")
