"""What is evaluated: anything that ranks the catalogue for users, and what builds it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from seealso.datasets.questions import Places, Question
from seealso.datasets.ranks import Scored, rank_targets, score_in_chunks
from seealso.evaluation.protocols import Holdout
from seealso.evaluation.scores import Tuned
from seealso.log import Tick, no_progress
from seealso.types import Vector

Mask = npt.NDArray[np.bool_]

NOTHING: Final = -1
"""Stands where a list has ended."""

SHOWN: Final = 10
"""First items of each list: those that people look at."""

ORDER_SEED: Final = 17
"""Draws the order of items whose scores are equal."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What a system shows to each user.

    Attributes
    ----------
    places
        Positions in the catalogue, best first, `NOTHING` where the list has ended, shape
        (users, depth).
    probabilities
        That of each place, NaN where there is none, same shape; None of a system without any.
    """

    places: Places
    probabilities: npt.NDArray[np.float64] | None = None

    def top(self, row: int) -> Places:
        """Return the first `SHOWN` places of one user's list."""
        first = self.places[row, :SHOWN]
        found: Places = first[first != NOTHING]
        return found


class System(Protocol):
    """Ranks the catalogue for users."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def rank(
        self, questions: Sequence[Question], depth: int, among: Mask | None = None, tick: Tick = ...
    ) -> Lists:
        """Return the best `depth` items of each user, without those seen.

        Parameters
        ----------
        questions
            The users. The target must not be looked at.
        depth
            Length of the lists.
        among
            Rank only these items, shape (n,); all by default.
        tick
            Called with the number of users done.
        """
        ...


@dataclass(frozen=True, slots=True)
class FittedSystem:
    """A system that is ready to be asked.

    Attributes
    ----------
    system
        The system.
    tuned
        What was chosen on dev for it; None where its settings were given.
    baseline
        It is there to be compared with.
    notes
        What a reader of its figures must know.
    protocols
        Names of the protocols that it takes part in; None for all of the holdout.
    """

    system: System
    tuned: Tuned | None
    baseline: bool
    notes: tuple[str, ...] = ()
    protocols: frozenset[str] | None = None

    def takes_part(self, protocol: str) -> bool:
        """Whether it is evaluated in this protocol."""
        return self.protocols is None or protocol in self.protocols


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A system that is not evaluated.

    Attributes
    ----------
    name
        Which one.
    reason
        Why not, and what to do about it.
    """

    name: str
    reason: str

    @property
    def note(self) -> str:
        """What a reader of the figures must know."""
        return f"{self.name} is left out: {self.reason}"


class SystemBuilder(Protocol):
    """Builds one or more systems for a holdout: fits them on what may be known there."""

    def build(self, holdout: Holdout) -> AbstractContextManager[Sequence[FittedSystem | LeftOut]]:
        """Return the systems, fitted; what they need is given back when the block ends."""
        ...


@dataclass(frozen=True)
class Scoring:
    """A function that scores the whole catalogue, as a system.

    Attributes
    ----------
    name
        What it is called.
    score
        Gives scores of shape (users, n) for questions; -inf for what must not be shown.
    """

    name: str
    score: Callable[[Sequence[Question]], Vector]

    def rank(
        self,
        questions: Sequence[Question],
        depth: int,
        among: Mask | None = None,
        tick: Tick = no_progress,
    ) -> Lists:
        """Return the best `depth` items of each user; ties have a random order, always the same.

        The order of a catalogue must not break ties: it often depends on age or popularity.
        """
        places = np.full((len(questions), depth), NOTHING, dtype=np.int64)
        for rows, chunk, scores in self._scores(questions, among):
            for row, question in enumerate(chunk):
                scores[row, question.seen] = -np.inf
            # a score that is no number must not come first
            np.copyto(scores, -np.inf, where=np.isnan(scores))
            order = np.random.default_rng(ORDER_SEED).permutation(scores.shape[1])
            found = best(scores[:, order], depth)
            places[rows] = np.where(found >= 0, order[found], NOTHING)
            tick(len(chunk))
        return Lists(places)

    def target_ranks(self, questions: Sequence[Question], among: Mask | None = None) -> Places:
        """Return the rank of each target among all items, or some; ties count as before it."""
        return rank_targets(self._scores(questions, among))

    def _scores(self, questions: Sequence[Question], among: Mask | None) -> Scored:
        def score(rows: slice) -> Vector:
            found = self.score(questions[rows])
            if among is not None:
                found[:, ~among] = -np.inf
            return found

        return score_in_chunks(questions, score)


def best(scores: Vector, depth: int) -> Places:
    """Return the places of the highest scores of each row, `NOTHING` for -inf.

    Parameters
    ----------
    scores
        Shape (rows, n), no NaN.
    depth
        How many of each row.

    Returns
    -------
    Places
        Shape (rows, depth), best first, of equal scores the earlier place.
    """
    kept = min(depth, scores.shape[1])
    found = np.full((len(scores), depth), NOTHING, dtype=np.int64)
    # row by row: one row stays in the cache of the processor, all of them do not
    for row, own in enumerate(scores):
        edge = np.partition(own, -kept)[-kept]
        # all above the edge are in, of those equal to it the first ones
        near = np.flatnonzero(own >= edge)
        near = near[own[near] > -np.inf]
        order = near[np.argsort(-own[near], kind="stable")][:kept]
        found[row, : len(order)] = order
    return found
