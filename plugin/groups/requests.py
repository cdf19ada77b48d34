"""The request for a list of several people."""

from collections.abc import Sequence
from dataclasses import dataclass

from seealso.config import GroupSettings
from seealso.plugin.groups.candidates import GroupReader
from seealso.plugin.groups.members import Group
from seealso.plugin.groups.order import ByStrategy
from seealso.plugin.groups.search import group_search
from seealso.plugin.ranking.boosts import Boosts
from seealso.plugin.ranking.candidates import HitReader
from seealso.plugin.ranking.options import Criteria, Filter
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.ranking.plans import Plan
from seealso.plugin.ranking.requests import Query
from seealso.plugin.ranking.searches import importance_search
from seealso.plugin.reranking.draft import ByValue, Order


@dataclass(frozen=True, slots=True)
class GroupRequest:
    """The request for a list of several people.

    Attributes
    ----------
    group
        Those whose preferences count.
    settings
        How their preferences become one order.
    plan
        What the list is made by.
    allowed
        Clauses for what every member may see.
    """

    group: Group
    settings: GroupSettings
    plan: Plan
    allowed: tuple[Filter, ...]

    @property
    def known(self) -> bool:
        """Whether anything is known of any member."""
        return bool(self.group.profiles)

    def order(self, context: RankingContext) -> Order:
        """Return that of the strategy; by importance where nothing is known about anybody."""
        if not self.known:
            return ByValue()
        return ByStrategy(self.settings, context.calibration, self.group)

    def queries(self, criteria: Criteria, context: RankingContext) -> Sequence[Query]:
        """Return the one search of the group."""
        if not self.known:
            search = importance_search(sorted(self.group.excluded), criteria)
            return [Query(search, HitReader(context, Boosts(), 0.0).read_importance)]
        search = group_search(self.group, criteria, self.settings, context)
        return [Query(search, GroupReader(context, self.group, criteria.min_probability).read)]
