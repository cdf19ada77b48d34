"""Which item does a user choose next: questions in places of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from seealso.datasets.catalogue import Catalogue
from seealso.datasets.splits import Case
from seealso.types import HistoryEntry, User

Places = npt.NDArray[np.int64]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """A case in positions of the catalogue; items that are not in it are left out."""

    history: Places
    target: int
    seen: Places
    user_id: str = ""


def as_user(question: Question, ids: Sequence[str], user_id: str | None = None) -> User:
    """Return who is asked about, as lists are made for: with the history that may be known.

    Parameters
    ----------
    question
        Whose history and seen items it has.
    ids
        The items of the catalogue.
    user_id
        Of the user; by default nobody's.
    """
    history = tuple(HistoryEntry(ids[place]) for place in question.history)
    return User(user_id, history, frozenset(ids[place] for place in question.seen))


def questions(cases: Sequence[Case], catalogue: Catalogue) -> list[Question]:
    """Return the cases that can be asked: history and target have a text."""
    place = catalogue.place

    def places(ids: Sequence[str]) -> Places:
        return np.array([place[name] for name in ids if name in place], dtype=np.int64)

    found = []
    for case in cases:
        history = places(case.history)
        if case.target in place and len(history):
            seen = places(sorted(case.seen))
            found.append(Question(history, place[case.target], seen, case.user_id))
    return found


def sample(cases: Sequence[T], most: int, seed: int) -> list[T]:
    """Return at most `most` of what is given, in its order, the same for the same seed."""
    if len(cases) <= most:
        return list(cases)
    chosen = np.random.default_rng(seed).choice(len(cases), size=most, replace=False)
    return [cases[place] for place in sorted(chosen)]
