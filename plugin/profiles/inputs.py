"""What profiles are built from: items of the history as the index holds them, and encoded texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seealso.config import ProfileSettings
from seealso.encoder import Bundle
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
    """

    user: User
    entries: Sequence[HistoryEntry]
    items: Mapping[str, KnownItem]
    words: Vector | None
    attributes: Vector | None
    unread: int = 0

    @property
    def history(self) -> "HistoryVectors":
        """Those of `entries` that have a vector."""
        return HistoryVectors.of(self.entries, self.items)


@dataclass(frozen=True, slots=True)
class HistoryVectors:
    """The items of a history that have a vector in the index, newest first.

    Attributes
    ----------
    vectors
        E_i of each.
    ages
        How many items of the history are newer: items without a vector keep their age.
    """

    vectors: tuple[Vector, ...]
    ages: tuple[int, ...]

    @classmethod
    def of(
        cls, entries: Sequence[HistoryEntry], items: Mapping[str, KnownItem]
    ) -> "HistoryVectors":
        """Return those of `entries`, newest first, that have a vector in `items`."""
        found = {
            age: item.vector
            for age, entry in enumerate(entries)
            if (item := items.get(entry.item_id)) is not None and item.vector is not None
        }
        return cls(tuple(found.values()), tuple(found))

    def mean(self, bundle: Bundle, recency: float) -> Vector | None:
        """Return unit(sum of recency ** age * content of E_i); None without items."""
        if not self.vectors:
            return None
        weights = np.power(np.float32(recency), np.array(self.ages, dtype=np.float32))
        total: Vector = weights @ bundle.content_vectors(np.stack(self.vectors))
        mean: Vector = total / np.linalg.norm(total)
        return mean


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
        texts.append(_render(live, user.words, {}, _item_texts(entries, known, settings)))
        texts.append(_render(live, "", user.attributes, ()))
    vectors = iter(_encode(texts, live))
    return [
        ProfileInputs(
            user,
            entries,
            known,
            words=next(vectors),
            attributes=next(vectors),
            unread=sum(entry.item_id in unread for entry in entries),
        )
        for user, entries in zip(users, recent, strict=True)
    ]


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
