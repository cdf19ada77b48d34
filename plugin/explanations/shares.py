"""What each part of a user adds to the value of an item: exact, because the value is a sum.

x = w * cos(E_u, E_i) is linear in E_u, and E_u is a sum over the user's words, attributes and
past events, by texts and by behaviour (Hu, Koren and Volinsky 2008, section 5). Pure functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from seealso.config import ProfileSettings
from seealso.encoder import Bundle
from seealso.plugin.profiles.inputs import HistoryVectors, ProfileInputs
from seealso.types import Space, Vector

Floats = npt.NDArray[np.floating[Any]]


class Kind(StrEnum):
    """What a share comes from."""

    EVENT = "event"
    WORDS = "words"
    ATTRIBUTES = "attributes"
    COLD_START_BONUS = "cold_start_bonus"
    PROFILE = "profile"
    IMPORTANCE = "importance"
    NEIGHBOURS = "neighbours"


@dataclass(frozen=True, slots=True)
class Share:
    """One reason, and how much of the value it is.

    Attributes
    ----------
    kind
        What it comes from. ``cold_start_bonus`` is what a cold item gains;
        ``profile`` stands for all events, words and attributes together,
        where the similarity is no sum over them.
    amount
        What it adds to x, in the units of w * similarity; None where it is not known by itself.
    item_id
        The item of an event.
    similarity
        Of an event's item and the item that is explained, in the space of the index.
    """

    kind: Kind
    amount: float | None
    item_id: str | None = None
    similarity: float | None = None


def item_shares(
    inputs: ProfileInputs,
    parts: Floats,
    item: Vector,
    importance: float,
    space: Space,
    co_occurrence: Mapping[str, float],
) -> list[Share]:
    """Return the reasons for an item, the largest first; their amounts add up to x.

    The cosine is shared among events, words and attributes; what importance makes of it,
    (w - 1) * cos, is importance's share. What an event adds by being chosen around the item is
    part of its share.

    Parameters
    ----------
    inputs
        What the profile is built from.
    parts
        As `profile_parts` returns them.
    item, importance, space
        E_i, unit length, shape (dimension,), w, and the space of the index.
    co_occurrence
        What each event adds to the item beyond w * similarity, by item id.
    """
    vectors, ages = _history(inputs, len(item))
    ids = [inputs.entries[age].item_id for age in ages]
    alike = [closeness(one, item, space) for one in vectors]
    if space is Space.COSINE:
        cosines = (parts @ item.astype(np.float64)).tolist()
        whole = sum(cosines)
        kinds = (Kind.WORDS, Kind.ATTRIBUTES, Kind.COLD_START_BONUS)
        sums = [Share(kind, cosines[n]) for n, kind in enumerate(kinds) if parts[n].any()]
        amounts: list[float | None] = cosines[3:]
    else:
        whole = closeness(parts.sum(axis=0), item, space)
        sums = [Share(Kind.PROFILE, whole)]
        amounts = [None] * len(ids)
    events = [
        Share(Kind.EVENT, _sum(amount, co_occurrence.get(item_id)), item_id, similarity)
        for amount, item_id, similarity in zip(amounts, ids, alike, strict=True)
    ]
    events += [
        Share(Kind.EVENT, boost, one) for one, boost in co_occurrence.items() if one not in ids
    ]
    weighed = Share(Kind.IMPORTANCE, (importance - 1.0) * whole)
    return sorted([*events, *sums, weighed], key=_size, reverse=True)


def profile_parts(
    inputs: ProfileInputs, bundle: Bundle, settings: ProfileSettings, level: float
) -> Floats:
    """Return what each part of a user adds to E_u, shape (3 + h, dimension).

    The rows are the user's words, their attributes, the bonus of cold items, and the h items of
    the history that have a vector, newest first; they sum up to the vector of the profile. Where
    the history is read as text, what it says is part of the words.

    Parameters
    ----------
    inputs
        What the profile is built from.
    bundle, settings, level
        How it is built.
    """
    vectors, ages = _history(inputs, bundle.dimension)
    texts: Floats = np.zeros((2 + len(ages), bundle.content_dimension))
    if inputs.words is not None:
        texts[0] = settings.words * inputs.words
    if inputs.attributes is not None:
        texts[1] = settings.attributes * inputs.attributes
    if len(ages) and settings.history_as == "vectors":
        fading = np.power(settings.recency, ages.astype(np.float64))
        faded = fading[:, None] * bundle.content_vectors(vectors)
        texts[2:] = settings.history * _normalise(faded)
    texts = _normalise(texts)
    behaves = len(ages) if settings.history else 0
    added = bundle.user_parts(texts, vectors[:behaves], ages[:behaves].tolist(), level)
    own, chosen = len(texts), len(texts) + behaves
    parts = np.insert(added[:own], 2, added[chosen:].sum(axis=0), axis=0)
    parts[3 : 3 + chosen - own] += added[own:chosen]
    return parts


def _history(inputs: ProfileInputs, dimension: int) -> tuple[Vector, npt.NDArray[np.int64]]:
    """Return E_i of the items of a history, shape (h, dimension), and the age of each."""
    held = HistoryVectors.of([inputs], dimension)
    (history,) = held.histories
    return held.vectors[history.rows], history.ages


def closeness(one: Floats, other: Floats, space: Space) -> float:
    """Return the similarity of two unit vectors in a space."""
    if space is Space.COSINE:
        return float(np.dot(one.astype(np.float64), other.astype(np.float64)))
    order = 2 if space is Space.EUCLIDEAN else 1
    return 1.0 / (1.0 + float(np.linalg.norm(one - other, ord=order)))


def _sum(amount: float | None, boost: float | None) -> float | None:
    return amount if boost is None else boost + (amount or 0.0)


def _normalise(rows: Floats) -> Floats:
    """Return rows on the scale where their sum is a unit vector."""
    length = np.linalg.norm(rows.sum(axis=0))
    return rows / length if length > 0 else rows


def _size(share: Share) -> float:
    # without an amount, in the order of similarity, behind those with one
    return abs(share.amount) if share.amount is not None else (share.similarity or 0.0) - 10.0
