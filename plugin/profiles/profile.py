"""A user becomes a profile: one unit vector for the vector list, words for the tail list."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from seealso.config import ProfileSettings
from seealso.encoder import Bundle
from seealso.plugin.profiles.item_cache import ItemCache, Known
from seealso.plugin.serving import Live
from seealso.types import HistoryEntry, User, Vector

WORD = re.compile(r"\w+")

LETTERS_A_WORD = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """What a user is asked for with.

    Attributes
    ----------
    vector
        E_u, unit length, shape (dimension,); None where nothing is known of the user.
    tail_vector
        What the tail list is scored with: what texts and images say alone.
    pairs
        What is added to w * similarity of items that are chosen around those of the history.
    words
        Words for the BM25 query of the tail list.
    seen
        Item ids to leave out.
    history_used
        Number of history items that the index knows and that took part.
    unread
        Number of those that could not be read now.
    """

    vector: Vector | None
    words: str
    seen: frozenset[str]
    history_used: int = 0
    tail_vector: Vector | None = None
    pairs: Mapping[str, float] = field(default_factory=dict)
    unread: int = 0


def make_profiles(
    users: Sequence[User], live: Live, items: ItemCache, settings: ProfileSettings, words: int
) -> list[Profile]:
    """Return the profile of each user.

    E_u = unit(h * history + s * words + a * attributes) with the weights of `settings`; each
    part is a unit vector, the history the mean of its item vectors weighted by
    ``recency ** age``, age 0 being the newest. A bundle with a collaborative part joins that
    with the history folded in.

    Parameters
    ----------
    users
        What is known of them.
    live
        The index and its encoder.
    items
        Gives vectors and texts of history items.
    settings
        Weights, recency, length of the history.
    words
        Most words for the tail query.
    """
    bundle = live.encoder.bundle
    made = gather(users, live, items, settings)
    return [profile_of(one, bundle, settings, words) for one in made]


def gather(
    users: Sequence[User], live: Live, items: ItemCache, settings: ProfileSettings
) -> list["Makings"]:
    """Return what the profile of each user is made of: read and encoded together."""
    recent = [user.history[: settings.history_items] for user in users]
    known, unread = items.get(live, (entry.item_id for entries in recent for entry in entries))
    texts = [
        _texts(user, entries, known, live, settings)
        for user, entries in zip(users, recent, strict=True)
    ]
    encoded = _encode([text for pair in texts for text in pair], live)
    return [
        Makings(
            user, entries, known, encoded[2 * place], encoded[2 * place + 1],
            sum(entry.item_id in unread for entry in entries),
        )
        for place, (user, entries) in enumerate(zip(users, recent, strict=True))
    ]  # fmt: skip


def profile_of(made: "Makings", bundle: Bundle, settings: ProfileSettings, words: int) -> Profile:
    """Return the profile that is made of these; arguments as for `make_profiles`."""
    held = made.held
    told = [(settings.words, made.words), (settings.attributes, made.attributes)]
    vector, tail_vector = _vectors(told, held, bundle, settings)
    wanted = _words(made.user, made.entries, made.known, words)
    told_of = [entry.item_id for entry in made.entries] if settings.history else []
    pairs = bundle.lifts(told_of, range(len(told_of)))
    return Profile(vector, wanted, made.user.seen, len(held.ages), tail_vector, pairs, made.unread)


@dataclass(frozen=True, slots=True)
class Makings:
    """What a profile is made of.

    Attributes
    ----------
    user
        What is known of the user.
    entries
        Newest items of the history, those that take part.
    known
        What the index knows of items.
    words, attributes
        What the user says (and the texts of the history, where those are read as text) and is, as
        vectors, shape (dimension of texts,).
    unread
        How many of `entries` could not be read, as their shard does not answer.
    """

    user: User
    entries: Sequence[HistoryEntry]
    known: Mapping[str, Known]
    words: Vector | None
    attributes: Vector | None
    unread: int = 0

    @property
    def held(self) -> "Held":
        """Items of the history that have a vector."""
        return Held.of(self.entries, self.known)


@dataclass(frozen=True, slots=True)
class Held:
    """Those items of a history that have a vector in the index, newest first.

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
    def of(cls, entries: Sequence[HistoryEntry], known: Mapping[str, Known]) -> "Held":
        """Return those of `entries`, newest first, that have a vector."""
        items = [known.get(entry.item_id) for entry in entries]
        held = [(age, one.vector) for age, one in enumerate(items) if one and _has(one)]
        return cls(tuple(v for _, v in held if v is not None), tuple(age for age, _ in held))

    def mean(self, bundle: Bundle, recency: float) -> Vector | None:
        """Return unit(sum of recency ** age * content of E_i), or None."""
        if not self.vectors:
            return None
        weights = np.power(np.float32(recency), np.array(self.ages, dtype=np.float32))
        total: Vector = weights @ bundle.content_vectors(np.stack(self.vectors))
        return _unit(total)


def _has(item: Known) -> bool:
    return item.vector is not None


def _vectors(
    told: Sequence[tuple[float, Vector | None]],
    held: Held,
    bundle: Bundle,
    settings: ProfileSettings,
) -> tuple[Vector | None, Vector | None]:
    """Return the vectors of the vector list and of the tail list."""

    def text(recency: float) -> Vector | None:
        if settings.history_as == "text":
            return _mix(told)
        return _mix([*told, (settings.history, held.mean(bundle, recency))])

    main = text(settings.recency)
    tail = main if settings.tail_recency is None else text(settings.tail_recency)
    # behaviour knows nothing of the tail: its items meet the profile by their contents alone
    tail_vector = bundle.user_vector(tail, (), ())
    vector = bundle.user_vector(
        main, *((held.vectors, held.ages) if settings.history else ((), ()))
    )
    return vector, vector if tail_vector is None else tail_vector


def _texts(
    user: User,
    entries: Sequence[HistoryEntry],
    known: Mapping[str, Known],
    live: Live,
    settings: ProfileSettings,
) -> tuple[str, str]:
    """Return the two texts to encode: own words (with the history, if as text), attributes."""
    budget, count = live.encoder.bundle.max_length, live.encoder.count_tokens
    history: list[str] = []
    if settings.history_as == "text":
        history = [known[entry.item_id].text for entry in entries if entry.item_id in known]

    def rendered(words: str, attributes: Mapping[str, object], items: Sequence[str]) -> str:
        if not (words or attributes or items):
            return ""
        return live.user_text.render(
            words=words, attributes=attributes, history=items, budget=budget, count_tokens=count
        )

    return rendered(user.words, {}, history), rendered("", user.attributes, ())


def _encode(texts: Sequence[str], live: Live) -> list[Vector | None]:
    """Encode the texts that are not empty; None stands for the others."""
    present = [text for text in texts if text]
    if not present:
        return [None] * len(texts)
    vectors = iter(live.encoder.encode_users(present))
    return [next(vectors) if text else None for text in texts]


def _mix(parts: Iterable[tuple[float, Vector | None]]) -> Vector | None:
    weighted = [np.float32(weight) * v for weight, v in parts if v is not None and weight > 0]
    if not weighted:
        return None
    total = np.sum(weighted, axis=0)
    return _unit(total) if total.any() else None


def _unit(vector: Vector) -> Vector:
    unit: Vector = vector / np.linalg.norm(vector)
    return unit


def _words(
    user: User, entries: Sequence[HistoryEntry], known: Mapping[str, Known], limit: int
) -> str:
    """Return at most `limit` different words: the user's own first, then newest items'.

    Writing without spaces makes one word of a whole sentence, of which an analyzer makes a term
    for every character: each eight letters count as a word, and a longer one is cut, so that
    the query stays below the 1,024 clauses that OpenSearch allows.
    """
    texts = [user.words, *(str(value) for value in user.attributes.values())]
    texts += [known[entry.item_id].text for entry in entries if entry.item_id in known]
    words: dict[str, None] = {}
    left = limit
    for text in texts:
        for match in WORD.finditer(text.lower()):
            word = match.group()[: LETTERS_A_WORD * left]
            if word in words:
                continue
            words[word] = None
            left -= -(-len(word) // LETTERS_A_WORD) if not word.isascii() else 1
            if left <= 0:
                return " ".join(words)
    return " ".join(words)
