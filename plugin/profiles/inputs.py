"""What profiles are built from: items of the history as the index holds them, and encoded texts."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from seealso.config import ProfileSettings
from seealso.encoder import History
from seealso.plugin.profiles.item_cache import ItemCache, KnownItem
from seealso.plugin.serving import Live
from seealso.types import HistoryEntry, User, Vector


@dataclass(frozen=True, slots=True)
class ProfileInputs:
    """What the profile of one user is built from.

    Attributes
    ----------
    user
        What is known of the user.
    entries
        The newest items of the history: those that take part.
    items
        What the index holds of items, by id.
    words
        Vector of the user's own words (with the texts of the history, where it is read as text),
        shape (dimension of texts,); None without any.
    attributes
        Vector of the user's attributes, of the same shape; None without any.
    unread
        How many of `entries` could not be read, since their shard does not answer.
    missing
        How many of those that the caller named the index does not hold, or holds without a vector.
    cut
        Whether words or attributes are longer than what the model reads: of those, it has read
        the beginning.
    """

    user: User
    entries: Sequence[HistoryEntry]
    items: Mapping[str, KnownItem]
    words: Vector | None
    attributes: Vector | None
    unread: int = 0
    missing: int = 0
    cut: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class HistoryVectors:
    """The items of some histories that have a vector in the index, each of them once.

    Attributes
    ----------
    vectors
        E_i of the m items, shape (m, dimension).
    histories
        Rows of `vectors` for each history, newest first; items without a vector keep their age.
    """

    vectors: Vector
    histories: Sequence[History]

    @classmethod
    def of(cls, inputs: Sequence[ProfileInputs], dimension: int) -> "HistoryVectors":
        """Return those among the `entries` of each of `inputs`."""
        found = {
            entry.item_id: item.vector
            for one in inputs
            for entry in one.entries
            if (item := one.items.get(entry.item_id)) is not None and item.vector is not None
        }
        place = {item_id: row for row, item_id in enumerate(found)}
        histories = [History.of((entry.item_id for entry in one.entries), place) for one in inputs]
        vectors = np.array([*found.values()], dtype=np.float32).reshape(-1, dimension)
        return cls(vectors, histories)


def read_inputs(users: Sequence[User], live: Live, items: ItemCache) -> list[ProfileInputs]:
    """Return what the profile of each user is built from: read in one go, encoded in one go.

    Parameters
    ----------
    users
        What is known of them.
    live
        The index, its encoder and its settings.
    items
        Gives vectors and texts of history items.
    """
    settings = live.settings.profile
    recent = [user.history[: settings.history_items] for user in users]
    known, unread = items.get(live, (entry.item_id for entries in recent for entry in entries))
    texts: list[str] = []
    for user, entries in zip(users, recent, strict=True):
        words = user.words if user.has_words else ""
        texts.append(_render(live, words, {}, _item_texts(entries, known, settings)))
        texts.append(_render(live, "", user.attributes, ()))
    vectors = iter(_encode(texts, live))
    cut = iter([_is_cut(text, live) for text in texts])
    return [
        ProfileInputs(
            user,
            entries,
            known,
            words=next(vectors),
            attributes=next(vectors),
            unread=sum(entry.item_id in unread for entry in entries),
            missing=sum(_is_missing(entry, known, unread) for entry in entries),
            cut=any([next(cut), next(cut)]),
        )
        for user, entries in zip(users, recent, strict=True)
    ]


def _is_cut(text: str, live: Live) -> bool:
    """Tell whether a text is longer than what the model reads."""
    bundle = live.encoder.bundle
    return bool(text) and live.encoder.count_tokens(bundle.user_prefix + text) > bundle.max_length


def _is_missing(entry: HistoryEntry, known: Mapping[str, KnownItem], unread: Set[str]) -> bool:
    """Tell whether the index has no vector of an item that the caller named: it has no type."""
    item = known.get(entry.item_id)
    without = item is None or item.vector is None
    return without and not entry.type and entry.item_id not in unread


def _item_texts(
    entries: Sequence[HistoryEntry], items: Mapping[str, KnownItem], settings: ProfileSettings
) -> Sequence[str]:
    """Return the texts of the history, where it is read as text."""
    if settings.history_as != "text":
        return ()
    return [items[entry.item_id].text for entry in entries if entry.item_id in items]


def _render(live: Live, words: str, attributes: Mapping[str, Any], history: Sequence[str]) -> str:
    if not (words or attributes or history):
        return ""
    return live.user_text.render(
        words=words,
        attributes=attributes,
        history=history,
        budget=live.encoder.bundle.max_length,
        count_tokens=live.encoder.count_tokens,
    )


def _encode(texts: Sequence[str], live: Live) -> list[Vector | None]:
    """Encode the texts that are not empty; the others become None."""
    present = [text for text in texts if text]
    if not present:
        return [None] * len(texts)
    vectors = iter(live.encoder.encode_users(present))
    return [next(vectors) if text else None for text in texts]
