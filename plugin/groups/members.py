"""Several people become a group: who counts, and which items are left out for them."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Final

import numpy as np

from seealso.choices import SeenRule
from seealso.config import GroupSettings
from seealso.errors import DataError
from seealso.models.group_strategies import Matrix, OwnHistory
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.profiles.users import describe_blanks, describe_cuts
from seealso.plugin.recommendations import join_notes
from seealso.types import GroupMembers, User

MOST_MEMBERS: Final = 500

WHOLE: Final = "all together"
"""Name of the member that represents the group as a whole."""


@dataclass(frozen=True, slots=True)
class Members:
    """Whom a list is for.

    Attributes
    ----------
    users
        All whose preferences count: the people, then the group as a whole, if anything describes
        it, and `own`. The group as a whole has no age and has seen nothing.
    names
        The name of each of `users` in the list: the id, or a name that is not an id.
    guarded
        Those whose age and region decide what the list may hold: the people, if there are any.
    seen
        What each of the people has seen.
    group_id
        The id of a known group.
    own
        What is known of what that group did together: the last of `users`.
    words
        The words of the group as a whole.
    """

    users: tuple[User, ...]
    names: tuple[str, ...]
    guarded: tuple[User, ...]
    seen: tuple[frozenset[str], ...]
    group_id: str | None = None
    own: User | None = None
    words: str = ""

    @classmethod
    def of_known(
        cls, group_id: str, people: Iterable[User], whole: User, own: User | None
    ) -> "Members":
        """Return the members of a known group; `own` is one more, if the group did anything.

        Raises
        ------
        DataError
            As for `of`.
        """
        found = replace(cls.of(people, whole), group_id=group_id)
        if own is None:
            return found
        name = free(group_id, set(found.names))
        return replace(found, users=(*found.users, own), names=(*found.names, name), own=own)

    @classmethod
    def of(cls, people: Iterable[User], whole: User) -> "Members":
        """Return the members, each once; `whole` is one of them if it has words or attributes.

        Raises
        ------
        DataError
            There are no members, or too many.
        """
        unlike = {
            number if one.user_id is None else one.user_id: one for number, one in enumerate(people)
        }
        different = tuple(unlike.values())
        # blank words are said to be none once, not of a member as well
        alone = whole if whole.has_words else replace(whole, words="")
        described = (alone,) if alone.words or alone.attributes else ()
        users = (*different, *described)
        if not users:
            raise DataError(
                "a group without members",
                hint="name its members, or give attributes that describe it",
            )
        if len(users) > MOST_MEMBERS:
            raise DataError(
                f"a group of {len(users):,}: at most {MOST_MEMBERS} members are allowed",
                hint="describe large groups by attributes, or by a part of their members",
            )
        used = {one.user_id for one in different}
        names = [
            free(f"member {place}", used) if one.user_id is None else one.user_id
            for place, one in enumerate(different, 1)
        ]
        names += [free(WHOLE, used) for _ in described]
        seen = tuple(one.seen for one in different)
        return cls(users, tuple(names), different or users, seen, words=whole.words)


def find_group(known: GroupMembers, members: str | Sequence[str | User]) -> str | None:
    """Return the known group that `members` names; None where they are users.

    Raises
    ------
    DataError
        They name a group that is not known, or a group beside others.
    """
    if isinstance(members, str):
        if members not in known:
            raise DataError(
                f"{members!r} is no known group",
                hint="name a group of the file groups.path, or give a list of members",
                caller_hint="give a list of members",
                field="members",
            )
        return members
    if not isinstance(members, list | tuple):
        return None
    named = [one for one in members if isinstance(one, str) and one in known]
    if named and len(members) > 1:
        raise DataError(
            f"{named[0]!r} is a known group, not a member of one",
            hint="name the group alone, or users alone",
            field="members",
        )
    return named[0] if named else None


def free(name: str, used: Set[str | None]) -> str:
    """Return `name`, with a number where a user is called like it."""
    numbered = (f"{name} ({number})" for number in count(2))
    return next(one for one in chain((name,), numbered) if one not in used)


@dataclass(frozen=True, slots=True)
class Group:
    """Those whose preferences count.

    Attributes
    ----------
    names
        Of the members.
    profiles
        Of each, with a vector.
    excluded
        Items that the list leaves out.
    note
        Who was left out, and why.
    own_weight
        What the last of `profiles`, that of the group's own history, weighs beside all others
        together; None where none of them is.
    """

    names: tuple[str, ...]
    profiles: tuple[Profile, ...]
    excluded: frozenset[str]
    note: str
    own_weight: float | None = None

    def preferences(self, probabilities: Matrix) -> tuple[Matrix, OwnHistory | None]:
        """Return probabilities, shape (profiles, candidates), as strategies take them."""
        if self.own_weight is None:
            return probabilities, None
        return probabilities[:-1], OwnHistory(np.asarray(probabilities[-1]), self.own_weight)

    @classmethod
    def of(cls, members: Members, profiles: Sequence[Profile], settings: GroupSettings) -> "Group":
        """Return the group of those members of whom anything is known.

        Parameters
        ----------
        members, profiles
            What those who do not count have seen is left out as well.
        settings
            Whose seen items are left out, and what the group's own history weighs.
        """
        named = dict(zip(members.names, profiles, strict=True))
        known = {name: one for name, one in named.items() if one.vector is not None}
        unknown = [name for name in named if name not in known]
        note = f"nothing is known about {_name_some(unknown)}: left out" if unknown else ""
        if not known:
            note = "nothing is known about any member: ranked by importance alone"
        # alone, the own history is a list like anybody's
        beside = members.own is not None and members.names[-1] in known and len(known) > 1
        return cls(
            tuple(known),
            tuple(known.values()),
            _exclude(members, settings.seen),
            join_notes(
                describe_blanks(members.words, *(one.words for one in members.users)),
                describe_cuts(*profiles),
                note,
            ),
            settings.own_weight if beside else None,
        )


def _exclude(members: Members, rule: SeenRule) -> frozenset[str]:
    if rule == "nothing":
        return frozenset()
    own = frozenset[str]() if members.own is None else members.own.seen
    if rule == "group" or not members.seen:
        return own
    if rule == "any":
        return own.union(*members.seen)
    return own | frozenset.intersection(*members.seen)


def _name_some(names: Sequence[str]) -> str:
    first = ", ".join(repr(name) for name in names[:5])
    return first if len(names) <= 5 else f"{first} and {len(names) - 5} more"
