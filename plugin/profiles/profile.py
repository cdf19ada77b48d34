"""A user becomes a profile: a unit vector for the vector list, and words for the tail list."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import numpy as np

from seealso.config import ProfileSettings
from seealso.encoder import Boosted, Bundle, History, average_contents
from seealso.encoder.projection import unit_rows
from seealso.plugin.profiles.inputs import HistoryVectors, ProfileInputs, read_inputs
from seealso.plugin.profiles.item_cache import ItemCache
from seealso.plugin.serving import Live
from seealso.types import User, Vector

WORD = re.compile(r"\w+")

LETTERS_A_WORD = 8

NO_HISTORY: Final = History(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


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
        Number of items that the caller named which are not in the index, or have no vector there.
    cut
        Whether the model has read but the beginning of words or attributes.
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
    cut: bool = False

    @property
    def seen(self) -> frozenset[str]:
        """Item ids to leave out."""
        return self.user.seen


def read_profiles(users: Sequence[User], live: Live, items: ItemCache) -> list[Profile]:
    """Return the profile of each user; arguments as for `read_inputs`."""
    settings = live.settings
    inputs = read_inputs(users, live, items)
    return build_profiles(inputs, live.encoder.bundle, settings.profile, settings.recommend.words)


def build_profiles(
    inputs: Sequence[ProfileInputs], bundle: Bundle, settings: ProfileSettings, words: int
) -> list[Profile]:
    """Return the profiles of users.

    E_u = unit(h * history + s * words + a * attributes) with the weights of `settings`; each
    part is a unit vector, the history the mean of its item vectors weighted by
    ``recency ** age``, age 0 being the newest. A bundle with a collaborative part adds the
    history folded in.

    Parameters
    ----------
    inputs
        What each profile is built from.
    bundle
        Of the index.
    settings
        Weights, recency, whether the history is read as text.
    words
        Most words for the tail query.
    """
    held = HistoryVectors.of(inputs, bundle.dimension)
    boosts = [_boosts(one, bundle, settings) for one in inputs]
    levels = np.array([one.entry_level for one in boosts])
    vectors, tail_vectors = _vectors(inputs, held, bundle, settings, levels)
    return [
        Profile(
            one.user,
            vector if vector.any() else None,
            _words(one, words),
            len(history.ages),
            tail_vector if tail_vector.any() else vector if vector.any() else None,
            boosted.diluted(bundle.dilution(boosted.entry_level)),
            boosted.entry_level,
            one.unread,
            one.missing,
            one.cut,
        )
        for one, history, boosted, vector, tail_vector in zip(
            inputs, held.histories, boosts, vectors, tail_vectors, strict=True
        )
    ]


def _boosts(inputs: ProfileInputs, bundle: Bundle, settings: ProfileSettings) -> Boosted:
    ids = [entry.item_id for entry in inputs.entries] if settings.history else []
    return bundle.boosts(ids, range(len(ids)))


def _vectors(
    inputs: Sequence[ProfileInputs],
    held: HistoryVectors,
    bundle: Bundle,
    settings: ProfileSettings,
    levels: Vector,
) -> tuple[Vector, Vector]:
    """Return the vectors of the vector list and of the tail list, each of shape (n, dimension)."""
    shape = (len(inputs), bundle.content_dimension)
    texts = np.zeros(shape, dtype=np.float32)
    for row, one in zip(texts, inputs, strict=True):
        for weight, part in ((settings.words, one.words), (settings.attributes, one.attributes)):
            row += 0.0 if part is None else np.float32(weight) * part

    known = bundle.content_vectors(held.vectors)

    def contents(recency: float) -> Vector:
        if settings.history_as == "text" or not settings.history:
            return unit_rows(texts)
        read = average_contents(known, held.histories, recency)
        return unit_rows(texts + np.float32(settings.history) * read)

    main = contents(settings.recency)
    same = settings.tail_recency in (None, settings.recency)
    tail = main if same else contents(settings.tail_recency or 0.0)
    nothing = [NO_HISTORY] * len(inputs)
    behaviour = held.histories if settings.history else nothing
    return (
        bundle.user_vectors(main, held.vectors, behaviour, levels),
        # tail items have no behaviour: their contents alone are compared with the profile
        bundle.user_vectors(tail, held.vectors[:0], nothing, levels),
    )


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
