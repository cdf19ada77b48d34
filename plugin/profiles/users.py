"""What is known of a user: put together from events and arguments, checked, and told about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from seealso.errors import DataError
from seealso.plugin.profiles.profile import Profile
from seealso.types import HistoryEntry, User


class KnownUsers(Protocol):
    """Knows users by id: events in memory, or the users index."""

    def user(self, user_id: str) -> User | None:
        """Return the user, or None if unknown."""
        ...


@dataclass(frozen=True, slots=True)
class FoundUsers:
    """Some users who were looked up already, by id."""

    found: Mapping[str, User]

    def user(self, user_id: str) -> User | None:
        """Return the user, or None if unknown."""
        return self.found.get(user_id)


def describe(
    known: KnownUsers | None,
    user_id: Any = None,
    history: Any = None,
    words: Any = "",
    attributes: Any = None,
) -> User:
    """Return the user that the arguments describe; the arguments may come from a file.

    Parameters
    ----------
    known
        What is known of users, if anything.
    user_id
        A text or whole number, looked up in `known`: history, seen items and attributes come from
        there.
    history
        A list of item ids, newest first, instead of the history found there; seen as well.
    words
        The user's own words.
    attributes
        Values by name; above those found there.

    Raises
    ------
    DataError
        An argument is of the wrong type; the message names it.
    """
    if not isinstance(words, str):
        raise _wrong("words", "a text", words)
    if not isinstance(attributes or {}, Mapping):
        raise _wrong("attributes", "values by name", attributes)
    name = None if user_id is None else id_of("user_id", user_id)
    found = known.user(name) if name is not None and known is not None else None
    entries = found.history if found else ()
    seen = found.seen if found else frozenset[str]()
    if history is not None:
        if not isinstance(history, list | tuple):
            raise _wrong("history", "a list of item ids", history)
        ids = [id_of("history", item_id) for item_id in history]
        entries = tuple(HistoryEntry(item_id) for item_id in dict.fromkeys(ids))
        seen = seen | frozenset(ids)
    held = found.attributes if found else {}
    return User(name, entries, seen, {**held, **(attributes or {})}, words, held)


def note(user: User, profile: Profile) -> str:
    """Return what a person should know of a list: which part of the user it is not made of."""
    missing = ""
    if profile.unread:
        missing = f"{profile.unread} items of the history could not be read: shards do not answer"
    elif user.user_id is not None and not user.seen:
        known = "did nothing yet" if user.kept else "is unknown"
        missing = f"user {user.user_id!r} {known}"
    elif user.history and not profile.history_used:
        missing = "no item of the history has a vector in the index"
    elif user.user_id is not None and not user.history:
        missing = f"user {user.user_id!r} liked nothing yet"
    if profile.vector is None:
        return f"{missing or 'nothing is known of the user'}: ranked by importance alone"
    if profile.unread and profile.history_used:
        return missing
    return f"{missing}: ranked by words and attributes alone" if missing else ""


def id_of(what: str, value: Any) -> str:
    """Return an id as text.

    Raises
    ------
    DataError
        It is neither text nor a whole number; the message says `what` it was given as.
    """
    # JSON files often hold ids as numbers; in catalogue and events they were read as text
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong(what, "an id (text or whole number)", value)
    return str(value)


def require_users(what: str, given: Sequence[User]) -> None:
    """Refuse what is no sequence of users.

    Raises
    ------
    DataError
        It is something else; the message says `what` it was given as.
    """
    if not isinstance(given, list | tuple):
        raise _wrong(what, "a list of users", given)
    for one in given:
        if not isinstance(one, User):
            raise _wrong(what, "a user, as Recommender.user gives them", one)


def ids_of(what: str, given: Sequence[str]) -> list[str]:
    """Return several ids as texts.

    Raises
    ------
    DataError
        They are no list of ids; the message says `what` they were given as.
    """
    if not isinstance(given, list | tuple):
        raise _wrong(what, "a list of ids", given)
    return [id_of(what, one) for one in given]


def _wrong(what: str, wanted: str, value: Any) -> DataError:
    return DataError(f"{what}: must be {wanted}, not {value!r:.60}", field=what)
