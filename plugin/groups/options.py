"""Options of a group's list: those of a user's list, and those of groups alone."""

from dataclasses import dataclass
from typing import Final

from seealso.choices import SeenRule, StrategyName
from seealso.config import GroupSettings, Settings
from seealso.plugin.ranking.options import Criteria, RecommendOptions, UserListOptions, changed

CANDIDATES: Final = 2_000
"""Hits that a group's search may bring, while each member keeps as many as the list is long."""

LOOKED_AT: Final = 50
"""Best items of each member that a strategy looks at; with 1,000 its lists are hardly others."""

DEEP: Final = {"least-misery": 400, "borda": 400}
"""Strategies that choose items which no member likes best: `LOOKED_AT` are too few for them."""


class GroupListOptions(UserListOptions, total=False):
    """Options of a group's list, as keywords; without them, the section ``groups`` decides."""

    strategy: StrategyName | None
    """How the members' preferences become one order."""
    seen: SeenRule | None
    """Left out is what ``any`` member has seen, only what ``everyone`` has, or ``nothing``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOptions(RecommendOptions):
    """Options of a group's list; where they are None, the settings' section ``groups`` decides.

    Attributes
    ----------
    strategy, seen
        As in `GroupListOptions`.
    """

    strategy: StrategyName | None = None
    seen: SeenRule | None = None

    def resolve_group(self, settings: Settings) -> "GroupCriteria":
        """Return what a list must be by these options and, where they are None, by `settings`.

        Raises
        ------
        ConfigError
            An option is out of range, or of the wrong type.
        """
        chosen = changed(settings.groups, {"strategy": self.strategy, "seen": self.seen})
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


def looked_at(strategy: str) -> int:
    """Return how many of the best items of each member a strategy needs."""
    return DEEP.get(strategy, LOOKED_AT)
