"""Why an item has its value for a user."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Share:
    """One reason for an item, and how much of its value that is.

    Attributes
    ----------
    kind
        What it comes from, for instance ``event``, ``words`` or ``importance``.
    amount
        What it adds to `Explanation.raw`; None where it is not known by itself.
    item_id
        The item of an event.
    similarity
        Of an event's item and the item that is explained.
    """

    kind: str
    amount: float | None
    item_id: str | None = None
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class MatchedWord:
    """A word of the user that the item contains, and its part of the score."""

    field: str
    word: str
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an item has its value for a user.

    Attributes
    ----------
    user_id, item_id
        Whose value of which item.
    fields
        The catalogue's own fields of the item.
    probability, raw
        As in a list; None for an item without a vector, and for a user of whom nothing is known.
    importance
        The weight of the item.
    shares
        Reasons, the largest first: the amounts that are not None add up to `raw`.
    words
        Words that bring the item into the list.
    path, templates
        How it was ranked, and by which query templates.
    index, bundle
        The physical index that answered, and the fingerprint of its bundle.
    degraded
        What was left out or guessed, and why; None where nothing was.
    """

    user_id: str | None
    item_id: str
    fields: Mapping[str, Any]
    probability: float | None
    raw: float | None
    importance: float
    shares: tuple[Share, ...]
    words: tuple[MatchedWord, ...]
    path: str
    templates: tuple[str, ...]
    index: str
    bundle: str
    degraded: str | None = None


@dataclass(frozen=True, slots=True)
class _Reasons:
    reasons: tuple[Explanation, ...]
