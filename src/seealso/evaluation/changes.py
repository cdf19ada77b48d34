"""Two evaluations of the same users, before and after: plain frozen values.

What each system answered is kept one word a list, so that a file with every user stays small.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from seealso.datasets.intervals import Estimate, estimate
from seealso.datasets.questions import Places
from seealso.evaluation.metrics import PAIRED, per_user


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
        return cls(system, _join_places(ranks), tuple(map(_join_places, lists)))

    def ranked(self) -> Places:
        """Return the ranks, shape (users,)."""
        return _split_places(self.ranks)

    def listed(self) -> list[Places]:
        """Return the places of each user's list."""
        return [_split_places(one) for one in self.lists]


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
        For how many users the item chosen next stands further up, and further down.
    """

    part: str
    users: int
    before: Mapping[str, float]
    after: Mapping[str, float]
    differences: Mapping[str, Estimate]
    gained: int
    lost: int

    @classmethod
    def of(cls, part: str, before: Places, after: Places, seed: int) -> "Move":
        """Return what became of `part` of the users, from ranks of which 0 means not shown."""
        old, new = per_user(before), per_user(after)
        # what is not shown stands below everything that is
        last = np.iinfo(np.int64).max
        old_ranks, new_ranks = (np.where(ranks == 0, last, ranks) for ranks in (before, after))
        return cls(
            part=part,
            users=len(before),
            before={name: float(values.mean()) for name, values in old.items()},
            after={name: float(values.mean()) for name, values in new.items()},
            differences={name: estimate(new[name] - old[name], seed) for name in PAIRED},
            gained=int((new_ranks < old_ranks).sum()),
            lost=int((new_ranks > old_ranks).sum()),
        )


@dataclass(frozen=True, slots=True)
class Example:
    """One user to read: what they chose, what they chose next, what was shown to them.

    Attributes
    ----------
    user_id
        Who: in results, the pseudonym.
    history
        Titles, newest first.
    target
        Title of the item chosen next.
    lists
        Titles of the first ten items, best first: by system, or ``before`` and ``after``.
    """

    user_id: str
    history: tuple[str, ...]
    target: str
    lists: Mapping[str, tuple[str, ...]]


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
    contrasts: tuple[Example, ...] = ()

    @property
    def whole(self) -> Move:
        """The move of all users."""
        return self.moves[0]


def _join_places(places: Places) -> str:
    return " ".join(map(str, places.tolist()))


def _split_places(line: str) -> Places:
    return np.array(line.split(), dtype=np.int64)
