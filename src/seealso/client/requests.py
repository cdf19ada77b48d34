"""What a service is asked for: users, and options of lists, as JSON has them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar, get_type_hints

from seealso.choices import SeenRule, StrategyName
from seealso.errors import DataError

T = TypeVar("T")

JsonObject: TypeAlias = Mapping[str, Any]
"""What JSON calls an object."""


@dataclass(frozen=True, slots=True)
class User:
    """A user, described in any mix of ways.

    Attributes
    ----------
    user_id
        Whose history and seen items the service knows.
    history
        Item ids, newest first, instead of the history known of the user.
    session
        Item ids, newest first, of the visit under way: put before the history.
    words
        The user's own words.
    attributes
        Values by name, instead of those known of the user.
    """

    user_id: str | None = None
    history: Sequence[str] | None = None
    session: Sequence[str] | None = None
    words: str = ""
    attributes: JsonObject | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what describes the user in a request."""
        return without_none(
            user=self.user_id,
            history=self.history,
            session=self.session,
            words=self.words or None,
            attributes=self.attributes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a user did with an item.

    Attributes
    ----------
    user
        Id of the user; None for nobody that is known.
    item
        Id of the item.
    type
        What it was, for instance ``click``; the service's ``events.default_type`` where it is None.
    time
        When it was; the time of the service where it is None.
    id
        By it, a repetition is recognised; a random one where it is None.
    query_id
        `RecommendationList.query_id` of the list that it happened in.
    value
        A rating, a quantity, seconds; 1 where it is None.
    """

    user: str | None
    item: str
    type: str | None = None
    time: datetime | str | None = None
    id: str | None = None
    query_id: str | None = None
    value: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the event as JSON has it."""
        time = self.time.isoformat() if isinstance(self.time, datetime) else self.time
        # nobody is said, not left out
        return {"user": self.user, **without_none(**{**asdict(self), "time": time})}


class PopularOptions(TypedDict, total=False):
    """Options of every list; where they are left out, the settings of the service decide."""

    size: int | None
    """Length of the list."""
    filters: JsonObject | Sequence[JsonObject] | None
    """Query DSL clauses that every item satisfies: one, or several."""
    exclude: Sequence[str] | None
    """Ids of items that are left out."""
    fields: Sequence[str] | None
    """Catalogue fields to bring along; all of them by default."""
    rules: Sequence[JsonObject] | None
    """Business rules of this list, before those of the settings."""
    without_rules: bool
    """Ignore the rules of the settings."""


class ListOptions(PopularOptions, total=False):
    """Options of every list that a vector ranks."""

    path: Literal["auto", "exact", "ann", "reference"] | None
    """Which path ranks."""
    min_probability: float | None
    """Items below it are left out."""


class UserListOptions(ListOptions, total=False):
    """Options of lists for users and groups."""

    tail_share: float | None
    """Share of the places that is for items of the long tail."""
    diversity: float | None
    """How much difference from the items above counts, from 0 to 1."""


class GroupListOptions(UserListOptions, total=False):
    """Options of lists for groups."""

    strategy: StrategyName | None
    """How the members' preferences become one order."""
    seen: SeenRule | None
    """Whose seen items are left out."""
    own_weight: float | None
    """What a known group's own history weighs, from 0 to 1."""


def without_none(**values: Any) -> dict[str, Any]:
    """Return the values that are there: what is None is left to the service."""
    return {name: value for name, value in values.items() if value is not None}


def read_options(kind: type[PopularOptions], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as JSON has them.

    Raises
    ------
    TypeError
        One is no option of `kind`, which has as many as the service of this version.
    """
    if unknown := options.keys() - get_type_hints(kind).keys():
        raise TypeError(f"unexpected keyword arguments: {', '.join(sorted(unknown))}")
    return without_none(**options)


def read_list(what: str, values: Sequence[T]) -> list[T]:
    """Return several values as JSON has them.

    Raises
    ------
    DataError
        They are no list: the letters of a text, for instance, are ids of other items.
    """
    if not isinstance(values, list | tuple):
        raise DataError(f"{what}: must be a list, not {values!r:.60}", field=what)
    return [*values]


def describe_user(user: str | User) -> str | dict[str, Any]:
    """Return how a user is named among others."""
    return user if isinstance(user, str) else user.as_json()


def describe_alone(user: str | User) -> dict[str, Any]:
    """Return how the one user of a request is described."""
    return {"user": user} if isinstance(user, str) else user.as_json()
