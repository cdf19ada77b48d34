"""Two evaluations of the same users, before and after: plain frozen values.

What each system answered is kept one word a list, so that a file with every user stays small.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from seealso.datasets.intervals import Estimate
from seealso.datasets.questions import Places


@dataclass(frozen=True, slots=True)
class Answers:
    """What one system answered, question by question.

    Attributes
    ----------
    system
        Which one.
    ranks
        Rank of the item chosen next among the first 20 of each list, 0 where it is not there;
        with blanks between.
    lists
        Places in the catalogue of the first ten items, best first, with blanks between: one
        string a user. Kept for the product only.
    """

    system: str
    ranks: str
    lists: tuple[str, ...] = ()

    @classmethod
    def of(cls, system: str, ranks: Places, lists: Sequence[Places] = ()) -> "Answers":
        """Keep ranks of shape (users,), and the places of each user's list."""
        return cls(system, _encode_lists(ranks), tuple(map(_encode_lists, lists)))

    def ranked(self) -> Places:
        """Return the ranks, shape (users,)."""
        return _parted(self.ranks)

    def listed(self) -> list[Places]:
        """Return the places of each user's list."""
        return [_parted(one) for one in self.lists]


@dataclass(frozen=True, slots=True)
class Move:
    """How one system ranked for some of the users, before and after.

    Attributes
    ----------
    part
        Which users.
    users
        How many.
    before, after
        Every metric, by name.
    differences
        After minus before for ``ndcg@10``, ``ndcg@20`` and ``hr@10``, user by user, with the
        95 % interval.
    gained, lost
        For how many users the item chosen next has a higher, and a lower, place among the first 20.
    """

    part: str
    users: int
    before: Mapping[str, float]
    after: Mapping[str, float]
    differences: Mapping[str, Estimate]
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class Contrast:
    """One user whose list changed: what they chose, what they chose next, and both lists.

    Attributes
    ----------
    user_id
        Who: in results, the pseudonym.
    history
        Titles, newest first.
    target
        Title of the item chosen next.
    before, after
        Titles of the first ten items, best first.
    overlap
        How many items are in both.
    """

    user_id: str
    history: tuple[str, ...]
    target: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    overlap: int


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one system.

    Attributes
    ----------
    system
        Which one.
    moves
        All users first, then parts of them.
    p
        Two-sided, of a paired randomisation test of the headline metric over all users.
    overlap
        Mean share of the first ten items that were there before.
    beyond_accuracy
        Metrics beyond accuracy, ``{name: (before, after)}``: ``coverage``, ``novelty``,
        ``popularity bias``, ``calibration error``, and shares of the places.
    contrasts
        The users whose lists changed most, then those for whom the headline metric did.
    """

    system: str
    moves: tuple[Move, ...]
    p: float
    overlap: float
    beyond_accuracy: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    contrasts: tuple[Contrast, ...] = ()

    @property
    def whole(self) -> Move:
        """The move of all users."""
        return self.moves[0]


def _encode_lists(places: Places) -> str:
    return " ".join(map(str, places.tolist()))


def _parted(text: str) -> Places:
    return np.array(text.split(), dtype=np.int64)
