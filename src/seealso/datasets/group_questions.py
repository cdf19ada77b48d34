"""Which item does a known group choose next, and which do its members: questions about groups.

What a group did together are the events with its id. They are cut as those of a user are; of its
members, nothing counts that happened later than what is asked about.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from seealso.config import Settings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Events
from seealso.datasets.questions import Places, Question
from seealso.datasets.splits import Case, Past, iterate_pasts, number_rows, split_events
from seealso.types import GroupMembers


@dataclass(frozen=True, slots=True)
class GroupQuestion(Question):
    """A question whose list is for a known group.

    History and seen items are those of whoever chose the target: the group, or one of its members.

    Attributes
    ----------
    group_id
        The group.
    members
        What is known of each member, asked for the same target; none of whom nothing is known.
    own
        What is known of the group's own history; None without any.
    """

    group_id: str = ""
    members: tuple[Question, ...] = ()
    own: Question | None = None


@dataclass(frozen=True, slots=True)
class GroupQuestions:
    """Questions about groups.

    Attributes
    ----------
    own
        What groups chose together next, one question a group.
    of_members
        What each member chose next: the list is the one for the whole group.
    unasked
        Groups with fewer own choices than a question needs.
    """

    own: Sequence[GroupQuestion]
    of_members: Sequence[GroupQuestion]
    unasked: int


def read_group_questions(
    settings: Settings,
    catalogue: Catalogue,
    events: Events,
    groups: GroupMembers,
    split: str,
) -> GroupQuestions:
    """Cut the events as ``training.split`` says, and ask about groups.

    Parameters
    ----------
    settings
        ``events.positive`` and ``training`` are used.
    catalogue
        The items that can be asked about.
    events
        Gives the event frames.
    groups
        The members of each group.
    split
        ``dev`` or ``test``.
    """
    frames = list(events())
    cut = split_events(settings, frames)
    cases = {case.user_id: case for case in (cut.dev if split == "dev" else cut.test)}
    people = {*groups, *(one for members in groups.values() for one in members)}
    rows = number_rows(frames).filter(pl.col("user_id").is_in(sorted(people)))
    pasts = {past.user_id: past for past in iterate_pasts(rows, settings.events.positive)}
    reader = _Reader(catalogue.place, frozenset(cut.known.tolist()), cases, pasts)
    asking = {name: members for name, members in groups.items() if name in cases}
    own = [
        question
        for name, members in asking.items()
        if (question := reader.own_choice(name, members)) is not None
    ]
    of_members = [
        question for name, members in groups.items() for question in reader.choices(name, members)
    ]
    return GroupQuestions(own, of_members, len(groups) - len(own))


@dataclass(frozen=True)
class _Reader:
    """Makes questions about groups.

    Attributes
    ----------
    place
        Position of each item.
    known
        Rows of the events that are older than what is asked of anybody.
    cases
        What is asked of users and groups, by id.
    pasts
        All events of groups and members, by id.
    """

    place: Mapping[str, int]
    known: frozenset[int]
    cases: Mapping[str, Case]
    pasts: Mapping[str, Past]

    def own_choice(self, name: str, members: Sequence[str]) -> GroupQuestion | None:
        """Return the question about a group's next choice; None where it cannot be asked."""
        case, past = self.cases[name], self.pasts[name]
        if case.target not in self.place:
            return None
        target = self.place[case.target]
        chosen = dict(past.choices)[case.target]
        moment = past.times[chosen]
        people = []
        for one in members:
            if (own := self.pasts.get(one)) is None:
                continue
            if moment is None:
                # no clock says what came first: what nobody is asked about did
                places = [n for n, row in enumerate(own.rows) if row in self.known]
            else:
                times = enumerate(own.times)
                places = [n for n, time in times if time is None or time < moment]
            history, seen = own.known_by(places)
            people.append(self._question(one, history, seen, target))
        about = self._question(name, case.history, case.seen, target)
        found = _join(about, name, about, people)
        return found if found.members and found.own is not None else None

    def choices(self, name: str, members: Sequence[str]) -> Iterator[GroupQuestion]:
        """Yield the question about each member's next choice, but for what others have seen.

        The moment of all is the one before anybody's choice.
        """
        known = {one: self._before(one) for one in (*members, name) if one in self.pasts}
        for one in (one for one in members if one in self.cases):
            case = self.cases[one]
            target = self.place.get(case.target)
            others = (seen for other, (_, seen) in known.items() if other != one)
            if target is None or any(case.target in seen for seen in others):
                continue
            people = [self._question(m, *known[m], target) for m in members if m in known]
            about = self._question(one, *known[one], target)
            own = self._question(name, *known[name], target) if name in known else None
            if len(about.history):
                yield _join(about, name, own, people)

    def _before(self, who: str) -> tuple[tuple[str, ...], frozenset[str]]:
        """Return history and seen items before what is asked of a user or group, if anything is."""
        if (case := self.cases.get(who)) is not None:
            return case.history, case.seen
        past = self.pasts[who]
        return past.known_by(range(len(past.rows)))

    def _question(
        self, who: str, history: Sequence[str], seen: frozenset[str], target: int
    ) -> Question:
        return Question(self._places(history), target, self._places(sorted(seen)), who)

    def _places(self, ids: Sequence[str]) -> Places:
        return np.array([self.place[one] for one in ids if one in self.place], dtype=np.int64)


def _join(
    about: Question, name: str, own: Question | None, people: Sequence[Question]
) -> GroupQuestion:
    """Return the question `about` somebody for the list of a group; the unknown are left out."""
    return GroupQuestion(
        about.history,
        about.target,
        about.seen,
        about.user_id,
        name,
        tuple(one for one in people if len(one.history)),
        own if own is not None and len(own.history) else None,
    )
