"""Ways to make lists for known groups, as systems to evaluate: all ask the same index."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np

from seealso.choices import StrategyName
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.group_questions import GroupQuestion
from seealso.datasets.questions import Places, Question, as_user
from seealso.evaluation.systems import NOTHING, FittedSystem, Lists, Mask
from seealso.log import Tick, no_progress
from seealso.plugin.groups.members import Members
from seealso.plugin.groups.options import GroupOptions
from seealso.plugin.recommender import Recommender
from seealso.types import User

OWN_HISTORY: Final = "own history"
"""The system that ranks by what a group chose together alone."""


@dataclass(frozen=True)
class GroupSystem:
    """Lists as known groups would get them, from an index.

    Attributes
    ----------
    name
        What it is called in tables.
    recommender
        Ranks by the index.
    catalogue
        Positions of the items.
    options
        How the lists are made; as served for none.
    """

    name: str
    recommender: Recommender
    catalogue: Catalogue
    options: GroupOptions

    def rank(
        self,
        questions: Sequence[Question],
        depth: int,
        among: Mask | None = None,  # noqa: ARG002
        tick: Tick = no_progress,
    ) -> Lists:
        """Return the lists of `depth` items; one for all questions that follow about a group.

        Raises
        ------
        TypeError
            A question is not about a group.
        """
        places = np.full((len(questions), depth), NOTHING, dtype=np.int64)
        last: GroupQuestion | None = None
        for row, question in enumerate(questions):
            if not isinstance(question, GroupQuestion):
                raise TypeError(f"question {row} is not about a group")
            same = last is not None and _know_the_same(last, question)
            places[row] = places[row - 1] if same else self._list(question, depth)
            last = question
            tick(1)
        return Lists(places)

    def _list(self, question: GroupQuestion, depth: int) -> Places:
        people = [self._user(one) for one in question.members]
        own = None if question.own is None else self._user(question.own)
        group = Members.of_known(question.group_id, people, User(), own)
        found = self.recommender.recommend_members(group, self.options)
        place = self.catalogue.place
        # the other systems cannot rank items without a text
        kept = [place[item] for item in found.ids if item in place][:depth]
        return np.array([*kept, *[NOTHING] * (depth - len(kept))], dtype=np.int64)

    def _user(self, one: Question) -> User:
        return as_user(one, self.catalogue.ids, one.user_id)


def _know_the_same(one: GroupQuestion, other: GroupQuestion) -> bool:
    """Whether two questions about members of a group have one list."""
    return (one.group_id, [o.user_id for o in one.members]) == (
        other.group_id,
        [o.user_id for o in other.members],
    )


def group_systems(
    name: str,
    recommender: Recommender,
    catalogue: Catalogue,
    depth: int,
    protocols: frozenset[str],
    notes: tuple[str, ...],
) -> list[FittedSystem]:
    """Return the ways to make lists for known groups.

    First what is served, then each strategy over the members alone, then the own history alone.

    Parameters
    ----------
    name
        What the product is called.
    recommender, catalogue
        As for `GroupSystem`.
    depth
        Length of the lists.
    protocols
        Those that ask about groups.
    notes
        What a reader of the figures must know.
    """
    served = GroupOptions(size=depth, fields=())
    ways = {
        f"{one} of the members": GroupOptions(size=depth, fields=(), strategy=one, own_weight=0.0)
        for one in get_args(StrategyName)
    }
    ways[OWN_HISTORY] = GroupOptions(size=depth, fields=(), strategy="average", own_weight=1.0)
    return [
        FittedSystem(
            GroupSystem(label, recommender, catalogue, options), None,
            baseline=label != name, notes=notes, protocols=protocols,
        )
        for label, options in {name: served, **ways}.items()
    ]  # fmt: skip
