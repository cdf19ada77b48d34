"""What is known of a user: put together from stored events and arguments, and checked."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.errors import DataError
from seealso.indexer.inputs import row_source
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.recommendations import join_notes
from seealso.readers import Histories, Problems, parse_named_id, read_events
from seealso.types import HistoryEntry, User
from seealso.wording import format_count


def read_histories(
    cluster: Cluster, settings: Settings, users: Collection[str] | None, problems: Problems
) -> Histories | None:
    """Return what `users` did, from the events; what all users did for None.

    None where the settings name no events, or `users` is empty.
    """
    if users is not None and not users:
        return None
    # a deadline is for someone who waits; for many at once, the cluster may take its time
    reader = cluster if users is None else cluster.hurry(settings.cluster.deadline)
    source = row_source(settings, "events", reader)
    if source is None:
        return None
    frames = read_events(source, settings.events, problems)
    return Histories.from_events(frames, positive=settings.events.positive, users=users)


def describe_user(
    look_up: Callable[[str], User | None],
    user_id: str | int | None = None,
    history: Sequence[str | int] | None = None,
    session: Sequence[str | int] | None = None,
    words: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> User:
    """Return the user that the arguments describe; they are checked, as they may be from a file.

    Parameters
    ----------
    look_up
        Returns what is known of the user with an id: history, seen items and attributes.
    user_id
        Looked up.
    history
        Item ids, newest first, instead of the history found there; seen as well.
    session
        Item ids, newest first, of the visit under way: put before the history, whether that was
        found or is `history`; seen as well.
    words
        The user's own words.
    attributes
        Values by name; they replace those found there.

    Raises
    ------
    DataError
        An argument is of the wrong type; the message names it.
    """
    if not isinstance(words, str):
        raise _wrong("words", "a text", words)
    if not isinstance(attributes or {}, Mapping):
        raise _wrong("attributes", "values by name", attributes)
    name = None if user_id is None else read_id("user_id", user_id)
    stored = (None if name is None else look_up(name)) or User()
    named = [*_read_entries("session", session), *_read_entries("history", history)]
    entries: dict[str, HistoryEntry] = {}
    for entry in (*named, *(stored.history if history is None else ())):
        # what was met again counts once, as the newest of its events
        entries.setdefault(entry.item_id, entry)
    seen = stored.seen.union(one.item_id for one in named)
    merged = {**stored.attributes, **(attributes or {})}
    return User(name, tuple(entries.values()), seen, merged, words, stored.attributes)


def _read_entries(what: str, item_ids: Sequence[str | int] | None) -> list[HistoryEntry]:
    """Return the items that a caller names; unlike those of stored events, they have no type."""
    return [HistoryEntry(one) for one in read_ids(what, () if item_ids is None else item_ids)]


def describe_gaps(profile: Profile) -> str:
    """Return what the reader of a list should know: which part of the user is not in the profile.

    Empty where nothing is missing.
    """
    return join_notes(
        describe_blanks(profile.user.words), describe_cuts(profile), _describe_missing(profile)
    )


def describe_blanks(*words: str) -> str:
    """Return that words which somebody sent are none; empty where they are some, or none came."""
    blank = any(text and not text.strip() for text in words)
    return "the words are blank: left out" if blank else ""


def describe_cuts(*profiles: Profile) -> str:
    """Return that the model has not read all that was said of users; empty where it has."""
    cut = "words or attributes are longer than what the model reads: their beginning counts"
    return cut if any(one.cut for one in profiles) else ""


def _describe_missing(profile: Profile) -> str:
    user, missing = profile.user, ""
    if profile.unread:
        unread = format_count(profile.unread, "item")
        missing = f"{unread} of the history could not be read: shards do not answer"
    elif user.user_id is not None and not user.seen:
        state = "has no history yet" if user.stored_attributes else "is unknown"
        missing = f"user {user.user_id!r} {state}"
    elif user.history and not profile.history_used:
        missing = "no item of the history has a vector in the index"
    elif user.user_id is not None and not user.history:
        missing = f"user {user.user_id!r} liked nothing yet"
    if profile.vector is None:
        return f"{missing or 'nothing is known about the user'}: ranked by importance alone"
    if profile.unread and profile.history_used:
        return missing
    # of stored events, items that are no longer sold are no news; what the caller named is
    if profile.missing and profile.history_used:
        return (
            f"{profile.missing} of {profile.missing + profile.history_used} items of the history "
            "have no vector in the index: left out"
        )
    return f"{missing}: ranked by words and attributes alone" if missing else ""


def read_id(what: str, value: object) -> str:
    """Return an id as text.

    Raises
    ------
    DataError
        It is neither text nor a whole number, blank, or no Unicode; the message names it by `what`.
    """
    # JSON files often hold ids as numbers; in catalogue and events they were read as text
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong(what, "an id (text or whole number)", value)
    text = str(value)
    try:
        # half an emoji; or, on the command line, a byte that is not UTF-8
        text.encode()
    except UnicodeEncodeError as exc:
        raise _wrong(what, "text in UTF-8", text) from exc
    # as it was read from the catalogue and from events, which have no empty one; that is what a
    # variable becomes which a script did not set
    found = parse_named_id(text)
    if not found:
        raise _wrong(what, "an id", text)
    return found


def read_ids(what: str, values: Sequence[str | int]) -> list[str]:
    """Return several ids as texts.

    Raises
    ------
    DataError
        They are no list of ids; the message names them by `what`.
    """
    if not isinstance(values, list | tuple):
        raise _wrong(what, "a list of item ids", values)
    return [read_id(what, value) for value in values]


def require_users(what: str, values: Sequence[User]) -> None:
    """Refuse what is no sequence of users.

    Raises
    ------
    DataError
        It is something else; the message names it by `what`.
    """
    if not isinstance(values, list | tuple):
        raise _wrong(what, "a list of users", values)
    for value in values:
        if not isinstance(value, User):
            raise _wrong(what, "a user, as Recommender.user returns them", value)


def _wrong(what: str, must_be: str, value: object) -> DataError:
    return DataError(f"{what}: must be {must_be}, not {value!r:.60}", field=what)
