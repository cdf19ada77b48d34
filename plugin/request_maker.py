"""Makes what is sent for lists: requests of users and groups, and bodies for others to send.

The caller makes sure that the bundle is that of the index.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.errors import ConfigError
from seealso.plugin.groups.members import Group, Members
from seealso.plugin.groups.options import GroupCriteria
from seealso.plugin.groups.requests import GroupRequest
from seealso.plugin.latency import Stopwatch
from seealso.plugin.neighbours import NeighbourBoosts
from seealso.plugin.planned_list import PlannedList
from seealso.plugin.policy import Policy
from seealso.plugin.profiles.item_cache import ItemCache
from seealso.plugin.profiles.profile import Profile, read_profiles
from seealso.plugin.profiles.users import describe_gaps
from seealso.plugin.ranking.boosts import Boosts
from seealso.plugin.ranking.options import Criteria, changed, read_clause
from seealso.plugin.ranking.paths import RankingContext, without_scripts
from seealso.plugin.ranking.plans import Plan
from seealso.plugin.ranking.rank import build
from seealso.plugin.ranking.requests import ListRequest
from seealso.plugin.recommendations import join_notes
from seealso.plugin.search.personalise import Preference, personalise_body
from seealso.plugin.search.spread import Samples
from seealso.plugin.serving import Live
from seealso.plugin.users_index import UsersIndex
from seealso.query_templates import msearch
from seealso.types import User

NO_NEIGHBOURS: Final = NeighbourBoosts()


class RequestMaker:
    """Makes requests; it keeps what it has read of an index for the next call.

    Safe to share between threads. What every method can raise is in `Recommender`.

    Parameters
    ----------
    cluster, settings
        As for `Recommender`.
    users
        The users index, whose neighbours boost what they chose.
    """

    def __init__(self, cluster: Cluster, settings: Settings, users: UsersIndex | None) -> None:
        self._cluster = cluster.hurry(settings.cluster.deadline)
        self._settings = settings
        self._users = users
        self._items = ItemCache(self._cluster)
        self._samples = Samples(self._cluster)
        self._policy = Policy(self._cluster, settings)

    def profiles(self, live: Live, users: Sequence[User]) -> list[Profile]:
        """Return the profile of each user."""
        return read_profiles(users, live, self._items)

    def blocked_items(self) -> frozenset[str]:
        """Return the ids on the blocklist, as it is now."""
        return self._policy.blocked_items()

    def plan(self, live: Live, user: User, criteria: Criteria) -> PlannedList:
        """Return what a user's list would be searched for with."""
        plan = self._policy.plan(live, criteria)
        context = RankingContext.of(live, criteria, [user])
        (request,) = self._requests(live, [user], plan, Stopwatch())
        built = build(request, context)
        return PlannedList(
            user.user_id,
            context.path,
            live.name,
            live.fingerprint,
            tuple((search.header, search.body()) for search in built.searches),
            join_notes(request.note, built.draft.note),
        )

    def personalise(
        self, live: Live, body: Any, user: User, weight: float | None, window: int | None
    ) -> dict[str, Any]:
        """Return a search body with the user's preference mixed into its score."""
        if isinstance(body, Mapping):
            body = read_clause(body, "body")
        chosen = changed(self._settings.personalise, {"weight": weight, "window": window})
        (profile,) = self.profiles(live, [user])
        preference = None
        if profile.vector is not None and not live.scripts:
            raise without_scripts("a personalised search")
        if profile.vector is not None:
            preference = Preference.of(profile.vector, self._samples.of(live), chosen.weight)
        return personalise_body(body, preference, chosen.window)

    def stored(self, live: Live, user: User, criteria: Criteria) -> bytes:
        """Return what `Recommender.stored_request` does."""
        (profile,) = self.profiles(live, [user])
        request = self._request(self._policy.plan(live, criteria), profile)
        built = build(request, RankingContext.of(live, criteria, [user]))
        return b"".join(
            msearch(live.address, [search.stored()], search.header) for search in built.searches
        )

    def stored_group(self, live: Live, members: Members, criteria: GroupCriteria) -> bytes:
        """Return what `Recommender.stored_group_request` does."""
        request, context = self._group_request(live, members, criteria)
        searches = build(request, context).searches
        if len(searches) > 1:
            raise ConfigError(
                "a stored request of a group is one search: rules that boost, bury or pin, and "
                "shares, need several",
                hint="leave them out (without_rules), or call recommend_group",
            )
        return searches[0].stored()

    def _requests(
        self, live: Live, users: Sequence[User], plan: Plan, watch: Stopwatch
    ) -> list[ListRequest]:
        """Return the request for each user's list; `watch` books what it takes to read them."""
        profiles = self.profiles(live, users)
        watch.cut("profile")
        neighbours = self._neighbours(live, profiles)
        if self._users is not None:
            watch.cut("neighbours")
        return [
            self._request(plan, profile, boosts, describe_gaps(profile))
            for profile, boosts in zip(profiles, neighbours, strict=True)
        ]

    def _request(
        self,
        plan: Plan,
        profile: Profile,
        neighbours: NeighbourBoosts = NO_NEIGHBOURS,
        note: str = "",
    ) -> ListRequest:
        """Return the request for a list by a profile; `note` is what a reader should know of it."""
        boosts = Boosts.of(profile.co_occurrence, neighbours)
        allowed = self._policy.filters([profile.user])
        return ListRequest(profile, boosts, plan, allowed, join_notes(note, neighbours.note))

    def _group_request(
        self, live: Live, members: Members, criteria: GroupCriteria
    ) -> tuple[GroupRequest, RankingContext]:
        """Return the request for a group's list, and how to rank it."""
        allowed = self._policy.filters(members.guarded)
        plan = self._policy.plan(live, criteria.list)
        group = Group.of(members, self.profiles(live, members.users), criteria.groups)
        context = RankingContext.of_group(live, criteria.list, len(group.names), members.users)
        return GroupRequest(group, criteria.groups, plan, allowed), context

    def _neighbours(self, live: Live, profiles: Sequence[Profile]) -> list[NeighbourBoosts]:
        """Return what the neighbours of each user add."""
        if self._users is None:
            return [NO_NEIGHBOURS] * len(profiles)
        return self._users.boosts(profiles, live.settings.neighbours, live.fingerprint)
