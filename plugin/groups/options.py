"""Options of a group's list: those of a user's list, and those of groups alone."""

from dataclasses import dataclass
from typing import Final

from seealso.choices import SeenRule, StrategyName
from seealso.config import GroupSettings, Settings
from seealso.models.group_strategies import looked_at
from seealso.plugin.ranking.options import Criteria, RecommendOptions, UserListOptions, changed

CANDIDATES: Final = 2_000
"""Hits that a group's search may bring, while each member keeps as many as the list is long."""


class GroupListOptions(UserListOptions, total=False):
    """Options of a group's list, as keywords; without them, the section ``groups`` decides."""

    strategy: StrategyName | None
    """How the members' preferences become one order."""
    seen: SeenRule | None
    """Left out is what ``any`` member has seen, only what ``everyone`` has, what the ``group`` has
    seen itself, or ``nothing``."""
    own_weight: float | None
    """What a known group's own history weighs beside its members together, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOptions(RecommendOptions):
    """Options of a group's list; where they are None, the settings' section ``groups`` decides.

    Attributes
    ----------
    strategy, seen, own_weight
        As in `GroupListOptions`.
    """

    strategy: StrategyName | None = None
    seen: SeenRule | None = None
    own_weight: float | None = None

    def resolve_group(self, settings: Settings) -> "GroupCriteria":
        """Return what a list must be by these options and, where they are None, by `settings`.

        Raises
        ------
        ConfigError
            An option is out of range, or of the wrong type.
        """
        options = {"strategy": self.strategy, "seen": self.seen, "own_weight": self.own_weight}
        chosen = changed(settings.groups, options)
        return GroupCriteria(self.resolve(settings.recommend), chosen)


@dataclass(frozen=True, slots=True)
class GroupCriteria:
    """What a group's list must be.

    Attributes
    ----------
    list
        As for one user.
    groups
        The settings' section ``groups`` with the caller's options.
    """

    list: Criteria
    groups: GroupSettings


def candidates_each(settings: GroupSettings, size: int, members: int) -> int:
    """Return how many of the best items of each member are looked at, for a list of `size`."""
    best = settings.candidates or looked_at(settings.strategy)
    return max(size, min(best, CANDIDATES // members))
