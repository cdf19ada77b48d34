"""Plain immutable values that the rooms hand to each other.

They know nothing of files, models or clusters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from seealso.choices import Path as Path

Vector: TypeAlias = npt.NDArray[np.float32]
"""One float32 vector, shape (dimension,), or a batch of them, shape (n, dimension)."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(time: datetime) -> int:
    """Return microseconds since 1970."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Return the time so many microseconds after the beginning of 1970."""
    return _EPOCH + timedelta(microseconds=micros)


GroupMembers: TypeAlias = Mapping[str, tuple[str, ...]]
"""Members of each known group, each once, by the id of the group."""


class Space(StrEnum):
    """How the similarity of two vectors is measured."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"
    MANHATTAN = "manhattan"


class Source(StrEnum):
    """Where a recommendation came from."""

    VECTOR = "vector"
    TAIL = "tail"
    IMPORTANCE = "importance"
    CO_OCCURRENCE = "co_occurrence"
    NEIGHBOURS = "neighbours"
    SHARE = "share"
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class Item:
    """One catalogue item: an id and the catalogue's own fields."""

    item_id: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class ImageRows:
    """Image vectors of some items.

    Attributes
    ----------
    ids
        m items.
    vectors
        As they were made, shape (m, w); no row is all zeros.
    digests
        Of each image: another one, another digest.
    """

    ids: Sequence[str]
    vectors: Vector
    digests: Sequence[str]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One item of a user's history, and the event that it is from."""

    item_id: str
    time: datetime | None = None
    value: float = 1.0
    type: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """What is known of a user when a profile is made.

    Attributes
    ----------
    user_id
        Pseudonymous id, if there is one.
    history
        Items that the profile is made of, newest first.
    seen
        Ids of every item the user has met; never recommended.
    attributes
        Attributes of the user, rendered by the user text template.
    words
        The user's own words.
    stored_attributes
        Attributes that are kept of the user: safety goes by these, whatever a request says.
    """

    user_id: str | None = None
    history: tuple[HistoryEntry, ...] = ()
    seen: frozenset[str] = frozenset()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    stored_attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_words(self) -> bool:
        """Whether there are any words: blanks are none."""
        return bool(self.words.strip())


@dataclass(frozen=True, slots=True)
class Calibration:
    """Parameters of p = sigmoid((x - b) / T), where x = w * similarity.

    ``b = 0`` and ``T = 1`` until they are fitted.
    """

    b: float = 0.0
    t: float = 1.0

    def probability(self, x: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return p for raw values `x`, in double precision (a 32-bit sigmoid saturates)."""
        return 1.0 / (1.0 + np.exp(-(np.asarray(x, dtype=np.float64) - self.b) / self.t))


def format_value(value: object) -> str:
    """Return a value of a catalogue as a person writes it: 159.0, of a column of floats, is 159."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)
