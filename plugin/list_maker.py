"""Makes lists from one index and its bundle: for users, for a group, for an item, with reasons.

Whoever calls sees to it that the bundle is that of the index which answers.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

from seealso.cluster import Cluster
from seealso.config import Settings, with_fitted
from seealso.errors import DataError, PartialAnswer
from seealso.plugin.explanations.explaining import Explained, explain
from seealso.plugin.explanations.explanation import Explanation
from seealso.plugin.groups.answers import group_items, of_one
from seealso.plugin.groups.lists import GroupList
from seealso.plugin.groups.members import Group, Members, group_path
from seealso.plugin.groups.options import GroupCriteria
from seealso.plugin.groups.search import SCORES, group_search
from seealso.plugin.latency import Stopwatch
from seealso.plugin.neighbours import NeighbourBoosts
from seealso.plugin.policy import Policy
from seealso.plugin.profiles.inputs import read_inputs
from seealso.plugin.profiles.item_cache import ItemCache
from seealso.plugin.profiles.profile import Profile, build_profile, build_profiles
from seealso.plugin.profiles.users import describe_gaps
from seealso.plugin.ranking import answers
from seealso.plugin.ranking.boosts import NOTHING, Lifts
from seealso.plugin.ranking.options import Criteria, RecommendOptions
from seealso.plugin.ranking.paths import choose_path, fallback, without_scripts
from seealso.plugin.ranking.plans import Lane, Plan, lanes, listed, not_pinned
from seealso.plugin.ranking.searches import Search
from seealso.plugin.ranking.sending import send, send_one
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.search.personalise import Preference, personalise_body, personalise_settings
from seealso.plugin.search.spread import Samples
from seealso.plugin.serving import Live
from seealso.plugin.users_index import UsersIndex
from seealso.query_templates import msearch
from seealso.types import Path, User, Vector


class ListMaker:
    """Makes lists; what it has read of an index it keeps for the next.

    Safe to share between threads. What every method can raise is in `Recommender`.

    Parameters
    ----------
    cluster, settings
        As for `Recommender`.
    users
        The users index, whose neighbours lift what they chose.
    """

    def __init__(self, cluster: Cluster, settings: Settings, users: UsersIndex | None) -> None:
        self._cluster = cluster.hurry(settings.cluster.deadline)
        self._patient = cluster
        self._settings = settings
        self._users = users
        self._items = ItemCache(self._cluster)
        self._samples = Samples(self._cluster)
        self._policy = Policy(self._cluster, settings)

    def profiles(self, live: Live, users: Sequence[User]) -> list[Profile]:
        """Return what each user is asked for with."""
        words = self._settings.recommend.words
        return build_profiles(users, live, self._items, self.fitted(live).profile, words)

    def blocked_items(self) -> frozenset[str]:
        """Return the ids on the blocklist, as it stands now."""
        return self._policy.blocked_items()

    def fitted(self, live: Live) -> Settings:
        """Return the settings with what was fitted for the bundle of the index."""
        return with_fitted(self._settings, live.encoder.bundle.fitted)

    def for_users(
        self, live: Live, users: Sequence[User], criteria: Criteria
    ) -> list[RecommendationList]:
        """Return a list for each user, in one request."""
        watch = Stopwatch()
        profiles = self.profiles(live, users)
        watch.cut("profile")
        neighbours, missing = self._neighbours(live, users, profiles)
        if self._users is not None:
            watch.cut("neighbours")
        lifts = [
            Lifts.of(profile.pairs, boosts, scored=live.scripts)
            for profile, boosts in zip(profiles, neighbours, strict=True)
        ]
        ranked = self._ranked(live, users, profiles, lifts, criteria, watch)
        notes = [
            one_line(describe_gaps(user, one), missing)
            for user, one in zip(users, profiles, strict=True)
        ]
        return [
            replace(one, note=one_line(told, one.note))
            for one, told in zip(ranked, notes, strict=True)
        ]

    def for_item(self, live: Live, item_id: str, criteria: Criteria) -> RecommendationList:
        """Return the items most related to an item."""
        watch = Stopwatch()
        profile = Profile(self._vector(live, item_id), "", frozenset({item_id}))
        watch.cut("profile")
        (found,) = self._ranked(live, [User()], [profile], [NOTHING], criteria, watch)
        return found

    def for_group(self, live: Live, members: Members, criteria: GroupCriteria) -> GroupList:
        """Return one list for all members."""
        if len(members.users) == 1:
            (alone,) = self.for_users(live, members.users, criteria.list)
            return of_one(alone, members.names[0], criteria)
        criteria = replace(
            criteria, list=self._policy.narrowed(live, criteria.list, members.guarded)
        )
        watch = Stopwatch()
        group = Group.of(members, self.profiles(live, members.users), criteria.groups.seen)
        watch.cut("profile")
        path, search = _group_search(live, group, criteria)
        answer = send_one(self._cluster, live, search, watch, SCORES)
        items = group_items(answers.hits_of(answer), group, criteria, path, live.calibration)
        watch.cut("fusion")
        degraded = fallback(criteria.list, scripts=live.scripts)
        told = one_line(group.note, degraded, answers.missing_part([answer]))
        return GroupList(
            tuple(items), group.names, criteria.groups.strategy, path,
            live.name, live.fingerprint, told, watch.parts(),
        )  # fmt: skip

    def reasons(self, live: Live, user: User, item_ids: Sequence[str]) -> list[Explanation]:
        """Return why each item has its value for a user, in one search."""
        self._policy.check_shown(live, user, item_ids)
        settings = self.fitted(live).profile
        (inputs,) = read_inputs([user], live, self._items, settings)
        words = self._settings.recommend.words
        profile = build_profile(inputs, live.encoder.bundle, settings, words)
        ((boosts,), _) = self._neighbours(live, [user], [profile])
        asked = Explained(inputs, profile, boosts.gains)
        criteria = RecommendOptions().resolve(self._settings.recommend)
        return explain(self._cluster, live, asked, item_ids, criteria, settings)

    def personalised(
        self, live: Live, body: Any, user: User, weight: float | None, window: int | None
    ) -> dict[str, Any]:
        """Return a search body with the user's preference mixed into its score."""
        chosen = personalise_settings(self._settings.personalise, weight=weight, window=window)
        (profile,) = self.profiles(live, [user])
        preference = None
        if profile.vector is not None and not live.scripts:
            raise without_scripts("a personalised search")
        if profile.vector is not None:
            preference = Preference.of(profile.vector, self._samples.of(live), chosen.weight)
        return personalise_body(body, preference, chosen.window)

    def stored(self, live: Live, user: User, criteria: Criteria) -> bytes:
        """Return what `Recommender.stored_request` does."""
        profiles = self.profiles(live, [user])
        lifts = [Lifts.of(one.pairs, NeighbourBoosts(), scored=live.scripts) for one in profiles]
        _, _, (asked,) = self._lanes(live, [user], profiles, lifts, criteria)
        return b"".join(
            msearch(live.address, [search.stored()], search.header)
            for one in asked
            for search in one.searches
        )

    def stored_group(self, live: Live, members: Members, criteria: GroupCriteria) -> bytes:
        """Return what `Recommender.stored_group_request` does."""
        criteria = replace(
            criteria, list=self._policy.narrowed(live, criteria.list, members.guarded)
        )
        group = Group.of(members, self.profiles(live, members.users), criteria.groups.seen)
        _, search = _group_search(live, group, criteria)
        return search.stored()

    def _ranked(
        self,
        live: Live,
        users: Sequence[User],
        profiles: Sequence[Profile],
        lifts: Sequence[Lifts],
        criteria: Criteria,
        watch: Stopwatch,
    ) -> list[RecommendationList]:
        """Return a list for each profile, as rules, exposure and safety let it be."""
        path, plans, asked = self._lanes(live, users, profiles, lifts, criteria)
        searches = [[one for lane in mine for one in lane.searches] for mine in asked]
        # a deadline is for someone who waits; for many at once, the cluster may take its time
        cluster = self._cluster if len(users) == 1 else self._patient
        responses = iter(send(cluster, live, list(chain.from_iterable(searches)), watch))
        now = datetime.now(UTC)
        ranked, notes = [], []
        for mine, own, profile, plan, lift in zip(
            asked, searches, profiles, plans, lifts, strict=True
        ):
            answered = list(islice(responses, len(own)))
            items = listed(mine, iter(answered), profile, plan, path, live.calibration, lift, now)
            ranked.append(items)
            degraded = (
                fallback(criteria, scripts=live.scripts) if profile.vector is not None else ""
            )
            notes.append(
                one_line(degraded, answers.missing_part(answered), not_pinned(items, plan))
            )
        watch.cut("fusion")
        return [
            RecommendationList(
                tuple(items), user.user_id, path, live.name, live.fingerprint, told, watch.parts(),
            )
            for items, user, told in zip(ranked, users, notes, strict=True)
        ]  # fmt: skip

    def _lanes(
        self,
        live: Live,
        users: Sequence[User],
        profiles: Sequence[Profile],
        lifts: Sequence[Lifts],
        criteria: Criteria,
    ) -> tuple[Path, list[Plan], list[list[Lane]]]:
        """Return the path that ranks, and the plan and the searches of each user's list."""
        path = choose_path(
            criteria, live.space, live.documents, joined=live.joined, scripts=live.scripts
        )
        plans = self._policy.plans(live, criteria, users)
        asked = [
            lanes(profile, plan, path, live.space, live.calibration, lift)
            for profile, plan, lift in zip(profiles, plans, lifts, strict=True)
        ]
        return path, plans, asked

    def _neighbours(
        self, live: Live, users: Sequence[User], profiles: Sequence[Profile]
    ) -> tuple[list[NeighbourBoosts], str]:
        """Return what the neighbours of each user add, and a note on what is missing."""
        if self._users is None:
            return [NeighbourBoosts()] * len(users), ""
        return self._users.boosts(users, profiles, self.fitted(live).neighbours, live.fingerprint)

    def _vector(self, live: Live, item_id: str) -> Vector:
        found, unread = self._items.get(live, [item_id])
        if unread:
            raise PartialAnswer(
                f"item {item_id!r} cannot be read now: its shard does not answer",
                hint=f"GET _cat/shards/{live.name} shows what is wrong",
                item_id=item_id,
            )
        item = found.get(item_id)
        if item is None or item.vector is None:
            what = "is not in the index" if item is None else "has no text, so nothing is related"
            raise DataError(
                f"item {item_id!r} {what}",
                hint=f"alias {self._settings.index.alias}; `seealso index update` adds items",
                item_id=item_id,
            )
        return live.encoder.bundle.item_query(item.vector)


def _group_search(live: Live, group: Group, criteria: GroupCriteria) -> tuple[Path, Search]:
    """Return the path that brings a group's candidates, and its search."""
    scored = live.documents * len(group.names)
    path = group_path(criteria.list, live.space, scored, joined=live.joined, scripts=live.scripts)
    return path, group_search(
        group, criteria, path, live.space, live.calibration, scripts=live.scripts
    )


def one_line(*notes: str) -> str:
    """Return one line of several, those that say nothing left out."""
    return "; ".join(filter(None, notes))
