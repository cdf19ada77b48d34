"""Several people become a group: who counts, and which items are left out for them."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import chain, count
from typing import Final

from seealso.errors import DataError
from seealso.plugin.profiles.profile import Profile
from seealso.types import User

MOST_MEMBERS: Final = 500

WHOLE: Final = "all together"
"""Name of the member that represents the group as a whole."""


@dataclass(frozen=True, slots=True)
class Members:
    """Whom a list is for.

    Attributes
    ----------
    people
        Each once.
    whole
        What describes all of them together: it counts as one more member, who has no age and has
        seen nothing.
    """

    people: tuple[User, ...]
    whole: User | None = None

    @classmethod
    def of(cls, people: Iterable[User], whole: User) -> "Members":
        """Return the members; `whole` is one of them if it has words or attributes.

        Raises
        ------
        DataError
            There are no members, or too many.
        """
        unlike = {
            number if one.user_id is None else one.user_id: one for number, one in enumerate(people)
        }
        found = cls(tuple(unlike.values()), whole if whole.words or whole.attributes else None)
        size = len(found.users)
        if not size:
            raise DataError(
                "a group without members",
                hint="name its members, or give attributes that describe it",
            )
        if size > MOST_MEMBERS:
            raise DataError(
                f"a group of {size:,}: at most {MOST_MEMBERS} members are allowed",
                hint="describe large groups by attributes, or by a part of their members",
            )
        return found

    @property
    def users(self) -> tuple[User, ...]:
        """All whose preferences count: the people, and the group as a whole behind them."""
        return self.people if self.whole is None else (*self.people, self.whole)

    @property
    def guarded(self) -> tuple[User, ...]:
        """Those whose age and region decide what the list may hold."""
        return self.people or self.users

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each of `users` in the list: the id, or a name that is not an id."""
        used = {one.user_id for one in self.people}
        names = [
            free(f"member {place}", used) if one.user_id is None else one.user_id
            for place, one in enumerate(self.people, 1)
        ]
        return tuple(names if self.whole is None else [*names, free(WHOLE, used)])


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
    """

    names: tuple[str, ...]
    profiles: tuple[Profile, ...]
    excluded: frozenset[str]
    note: str

    @classmethod
    def of(cls, members: Members, profiles: Sequence[Profile], seen: str) -> "Group":
        """Return the group of those members of whom anything is known.

        Parameters
        ----------
        members, profiles
            What those who do not count have seen is left out as well.
        seen
            ``any``, ``everyone`` or ``nothing``, as in the settings.
        """
        named = dict(zip(members.names, profiles, strict=True))
        known = {name: one for name, one in named.items() if one.vector is not None}
        unknown = [name for name in named if name not in known]
        note = f"nothing is known about {_name_some(unknown)}: left out" if unknown else ""
        if not known:
            note = "nothing is known about any member: ranked by importance alone"
        excluded = _excluded([one.seen for one in members.people], seen)
        return cls(tuple(known), tuple(known.values()), excluded, note)


def _excluded(seen: Sequence[frozenset[str]], rule: str) -> frozenset[str]:
    if rule == "nothing" or not seen:
        return frozenset()
    return frozenset.union(*seen) if rule == "any" else frozenset.intersection(*seen)


def _name_some(names: Sequence[str]) -> str:
    first = ", ".join(repr(name) for name in names[:5])
    return first if len(names) <= 5 else f"{first} and {len(names) - 5} more"
