"""A user becomes a profile: a unit vector for the vector list, and words for the tail list."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from seealso.config import ProfileSettings
from seealso.encoder import Bundle, entry_level
from seealso.plugin.profiles.inputs import HistoryVectors, ProfileInputs, read_inputs
from seealso.plugin.profiles.item_cache import ItemCache
from seealso.plugin.serving import Live
from seealso.types import User, Vector

WORD = re.compile(r"\w+")

LETTERS_A_WORD = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """What items are ranked by for one user.

    Attributes
    ----------
    user
        Whose it is; for related items, nobody who has seen the item.
    vector
        E_u, unit length, shape (dimension,); None where nothing is known about the user.
    words
        Words for the BM25 query of the tail list.
    history_used
        Number of history items that the index holds with a vector.
    tail_vector
        What the tail list is scored with: what texts and images say alone.
    co_occurrence
        What co-occurrence with the history adds to w * similarity, by item id.
    entry_level
        By co-occurrence, before dilution: what cold items get grows with it.
    unread
        Number of history items that could not be read now.
    missing
        Number of history items that are not in the index, or have no vector there.
    """

    user: User
    vector: Vector | None
    words: str = ""
    history_used: int = 0
    tail_vector: Vector | None = None
    co_occurrence: Mapping[str, float] = field(default_factory=dict)
    entry_level: float = 0.0
    unread: int = 0
    missing: int = 0

    @property
    def seen(self) -> frozenset[str]:
        """Item ids to leave out."""
        return self.user.seen


def build_profiles(users: Sequence[User], live: Live, items: ItemCache) -> list[Profile]:
    """Return the profile of each user; arguments as for `read_inputs`."""
    inputs = read_inputs(users, live, items)
    bundle, settings = live.encoder.bundle, live.settings
    words = settings.recommend.words
    return [build_profile(one, bundle, settings.profile, words) for one in inputs]


def build_profile(
    inputs: ProfileInputs, bundle: Bundle, settings: ProfileSettings, words: int
) -> Profile:
    """Return the profile of one user.

    E_u = unit(h * history + s * words + a * attributes) with the weights of `settings`; each
    part is a unit vector, the history the mean of its item vectors weighted by
    ``recency ** age``, age 0 being the newest. A bundle with a collaborative part adds the
    history folded in.

    Parameters
    ----------
    inputs
        What the profile is built from.
    bundle
        Of the index.
    settings
        Weights, recency, whether the history is read as text.
    words
        Most words for the tail query.
    """
    history = inputs.history
    ids = [entry.item_id for entry in inputs.entries] if settings.history else []
    boosts = bundle.boosts(ids, range(len(ids)))
    level = entry_level(boosts, ids)
    dilution = bundle.dilution(level)
    vector, tail_vector = _vectors(inputs, history, bundle, settings, level)
    return Profile(
        inputs.user,
        vector,
        _words(inputs, words),
        len(history.ages),
        tail_vector,
        {item_id: dilution * boost for item_id, boost in boosts.items()},
        level,
        inputs.unread,
        len(inputs.entries) - len(history.ages) - inputs.unread,
    )


def _vectors(
    inputs: ProfileInputs,
    history: HistoryVectors,
    bundle: Bundle,
    settings: ProfileSettings,
    level: float,
) -> tuple[Vector | None, Vector | None]:
    """Return the vectors of the vector list and of the tail list."""
    texts = [(settings.words, inputs.words), (settings.attributes, inputs.attributes)]

    def content(recency: float) -> Vector | None:
        if settings.history_as == "text":
            return _mix(texts)
        return _mix([*texts, (settings.history, history.mean(bundle, recency))])

    main = content(settings.recency)
    same = settings.tail_recency in (None, settings.recency)
    tail = main if same else content(settings.tail_recency or 0.0)
    behaviour = (history.vectors, history.ages) if settings.history else ((), ())
    vector = bundle.user_vector(main, *behaviour, level)
    # tail items have no behaviour: their contents alone are compared with the profile
    tail_vector = bundle.user_vector(tail, (), (), level)
    return vector, vector if tail_vector is None else tail_vector


def _mix(parts: Iterable[tuple[float, Vector | None]]) -> Vector | None:
    """Return unit(sum of weight * vector); None where nothing is left."""
    weighted = [np.float32(weight) * v for weight, v in parts if v is not None and weight > 0]
    if not weighted:
        return None
    total: Vector = np.sum(weighted, axis=0)
    if not total.any():
        return None
    mixed: Vector = total / np.linalg.norm(total)
    return mixed


def _words(inputs: ProfileInputs, limit: int) -> str:
    """Return at most `limit` different words: the user's own first, then newest items'.

    In scripts without spaces a whole sentence is one match, of which an analyzer makes a term for
    every character: each eight letters count as a word, and a longer one is cut, so that the
    query stays below the 1,024 clauses that OpenSearch allows.
    """
    user, items = inputs.user, inputs.items
    own = (user.words, *(str(value) for value in user.attributes.values()))
    # of a long history, the newest few items have words enough
    read = (items[entry.item_id].text for entry in inputs.entries if entry.item_id in items)
    words: dict[str, None] = {}
    left = limit
    for match in (match for text in chain(own, read) for match in WORD.finditer(text.lower())):
        word = match.group()[: LETTERS_A_WORD * left]
        if word in words:
            continue
        words[word] = None
        left -= -(-len(word) // LETTERS_A_WORD) if not word.isascii() else 1
        if left <= 0:
            break
    return " ".join(words)
