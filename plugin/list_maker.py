"""Makes lists from one index and its bundle: for users, for a group, for an item, with reasons.

The caller makes sure that the bundle is that of the index.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.encoder.projection import unit_rows
from seealso.errors import DataError, PartialAnswer
from seealso.log import logger
from seealso.plugin.explanations.explaining import ExplainedUser, explain
from seealso.plugin.explanations.explanation import Explanation
from seealso.plugin.groups.lists import GroupList, GroupRecommendation
from seealso.plugin.groups.members import Members
from seealso.plugin.groups.options import GroupCriteria
from seealso.plugin.latency import Stopwatch
from seealso.plugin.profiles.inputs import read_inputs
from seealso.plugin.profiles.profile import Profile, build_profiles
from seealso.plugin.profiles.users import describe_blanks
from seealso.plugin.ranking.answers import Response
from seealso.plugin.ranking.documents import LateReader, Send
from seealso.plugin.ranking.item_reader import ItemReader
from seealso.plugin.ranking.named_items import NamedItems
from seealso.plugin.ranking.options import Criteria, RecommendOptions
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.ranking.plans import Plan
from seealso.plugin.ranking.rank import rank
from seealso.plugin.ranking.requests import ListRequest
from seealso.plugin.ranking.searches import Search
from seealso.plugin.ranking.sending import Sender, send_at_once, send_scored
from seealso.plugin.recommendations import ItemRanking, RecommendationList, join_notes
from seealso.plugin.request_maker import RequestMaker
from seealso.plugin.serving import Live
from seealso.plugin.users_index import UsersIndex
from seealso.types import User, Vector

log = logger(__name__)


class ListMaker(RequestMaker):
    """Makes lists; it keeps what it has read of an index for the next call.

    Safe to share between threads. What every method can raise is in `Recommender`.

    Parameters
    ----------
    cluster, settings, users
        As for `RequestMaker`.
    """

    def __init__(self, cluster: Cluster, settings: Settings, users: UsersIndex | None) -> None:
        super().__init__(cluster, settings, users)
        self._patient = cluster
        self._item_reader = ItemReader(cluster, self._items)

    def for_users(
        self, live: Live, users: Sequence[User], criteria: Criteria
    ) -> list[RecommendationList]:
        """Return a list for each user, searched for together."""
        # a deadline is for someone who waits; for many at once, the cluster may take its time
        cluster = self._cluster if len(users) == 1 else self._patient
        plan = self._policy.plan(live, criteria)
        context = RankingContext.of(live, criteria, users)
        return self._for_users(live, users, plan, context, partial(send_at_once, cluster, live))

    def for_many(
        self, live: Live, users: Sequence[User], criteria: Criteria
    ) -> list[RecommendationList]:
        """Do what `for_users` does for some of very many users: by items in memory, where it can.

        Where not all items can be read, the index ranks, and the lists say what they lack.
        """
        plan = self._policy.plan(live, criteria)
        context = RankingContext.of(live, criteria, users)
        send = partial(send_at_once, self._patient, live)
        # the graph is for indices that are too large to score all documents: here that is quick
        exact = context.rank_exactly(criteria)
        try:
            items = self._item_reader.items(live, exact, plan.fields_read, len(users))
            if items is not None:
                in_memory = partial(items.answer, send=send)
                at_hand = replace(plan, columns=None)
                return self._for_users(live, users, at_hand, exact, in_memory)
        except PartialAnswer as exc:
            log.info("items are not ranked in memory: %s", exc.message)
        return self._for_users(live, users, plan, context, send)

    def _for_users(
        self, live: Live, users: Sequence[User], plan: Plan, context: RankingContext, send: Sender
    ) -> list[RecommendationList]:
        """Return a list for each user; `send` sends the searches of all."""
        watch = Stopwatch()
        requests = self._requests(live, users, plan, watch)
        return self._rank(live, requests, context, partial(send, watch=watch), watch)

    def for_item(self, live: Live, item_id: str, criteria: Criteria) -> RecommendationList:
        """Return the items most related to an item."""
        watch = Stopwatch()
        profile = Profile(User(seen=frozenset({item_id})), self._vector(live, item_id))
        watch.cut("profile")
        context = RankingContext.of_related(live, criteria)
        return self._for_nobody(live, profile, criteria, context, watch)

    def popular(self, live: Live, criteria: Criteria) -> RecommendationList:
        """Return the most important items, which is the list of a user of whom nothing is known."""
        context = RankingContext.of(live, criteria)
        return self._for_nobody(live, Profile(User(), None), criteria, context, Stopwatch())

    def ranking(
        self, live: Live, user: User, item_ids: Sequence[str], criteria: Criteria
    ) -> ItemRanking:
        """Return items in a user's order, whether they were seen or not."""
        watch = Stopwatch()
        (request,) = self._requests(live, [user], self._policy.plan(live, criteria), watch)
        context = RankingContext.of(live, criteria, [user]).rank_exactly(criteria)
        named = NamedItems(tuple(dict.fromkeys(item_ids)), request, criteria, context)
        queries = named.queries()
        searches = [one.search for one in queries]
        found = named.order(queries, send_at_once(self._cluster, live, searches, watch))
        watch.cut("fusion")
        return ItemRanking(
            found.items,
            user.user_id,
            context.path,
            live.name,
            live.fingerprint,
            join_notes(request.note, found.note),
            watch.parts(),
            unknown=found.unknown,
            blocked=found.blocked,
        )

    def for_group(self, live: Live, members: Members, criteria: GroupCriteria) -> GroupList:
        """Return one list for all members."""
        if len(members.users) == 1:
            (alone,) = self.for_users(live, members.users, criteria.list)
            note = join_notes(describe_blanks(members.words), alone.note)
            return GroupList.of_one(
                replace(alone, note=note),
                members.names[0],
                criteria.groups.strategy,
                members.group_id,
            )
        watch = Stopwatch()
        request, context = self._group_request(live, members, criteria)
        watch.cut("profile")
        send = partial(send_scored, self._cluster, live, watch=watch)
        (found,) = rank([request], context, send, self._late_reader(live, send, watch))
        watch.cut("fusion")
        return GroupList(
            tuple(GroupRecommendation.of(one, live.calibration) for one in found.items),
            request.group.names,
            criteria.groups.strategy,
            context.path,
            live.name,
            live.fingerprint,
            join_notes(request.group.note, found.note),
            watch.parts(),
            group_id=members.group_id,
        )

    def reasons(self, live: Live, user: User, item_ids: Sequence[str]) -> list[Explanation]:
        """Return why each item has its value for a user, in one search."""
        self._policy.check_allowed(live, user, item_ids)
        settings = live.settings
        (inputs,) = read_inputs([user], live, self._items)
        words = settings.recommend.words
        bundle = live.encoder.bundle
        (profile,) = build_profiles([inputs], bundle, settings.profile, words)
        (boosts,) = self._neighbours(live, [profile])
        criteria = RecommendOptions().resolve(settings.recommend)
        context = RankingContext.of(live, criteria, [user])
        who = ExplainedUser(inputs, profile, boosts.gains, live, context)
        return explain(self._cluster, who, item_ids, criteria)

    def _for_nobody(
        self,
        live: Live,
        profile: Profile,
        criteria: Criteria,
        context: RankingContext,
        watch: Stopwatch,
    ) -> RecommendationList:
        """Return a list by a profile that is no user's."""
        request = self._request(self._policy.plan(live, criteria), profile)
        send = partial(send_at_once, self._cluster, live, watch=watch)
        return self._rank(live, [request], context, send, watch)[0]

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
            what = "is not in the index" if item is None else "has no text, so no items are related"
            raise DataError(
                f"item {item_id!r} {what}",
                hint=f"alias {self._settings.index.alias}; `seealso index update` adds items",
                caller_hint="ask about items of lists",
                item_id=item_id,
            )
        return live.encoder.bundle.item_query(item.vector)

    def _rank(
        self,
        live: Live,
        requests: Sequence[ListRequest],
        context: RankingContext,
        send: Send,
        watch: Stopwatch,
    ) -> list[RecommendationList]:
        """Return the list of each request."""
        found = rank(requests, context, send, self._late_reader(live, send, watch))
        watch.cut("fusion")
        return [
            RecommendationList(
                tuple(candidate.item for candidate in one.items),
                request.profile.user.user_id,
                context.path,
                live.name,
                live.fingerprint,
                join_notes(request.note, one.note),
                watch.parts(),
            )
            for request, one in zip(requests, found, strict=True)
        ]

    def _late_reader(self, live: Live, send: Send, watch: Stopwatch) -> LateReader:
        """Return what reads the documents of lists by `send`."""

        def documents(searches: Sequence[Search]) -> Sequence[Response]:
            watch.cut("fusion")
            return send(searches)

        return LateReader(partial(self._directions, live), documents)

    def _directions(
        self, live: Live, item_ids: Sequence[str]
    ) -> tuple[dict[str, Vector], frozenset[str]]:
        """Return what `Directions` does, of the index."""
        known, unread = self._items.get(live, item_ids)
        bundle = live.encoder.bundle
        vectors = {name: one.vector for name, one in known.items() if one.vector is not None}
        if not vectors:
            return {}, unread
        rows = unit_rows(bundle.drop_padding(np.stack([*vectors.values()]), live.space))
        return dict(zip(vectors, rows, strict=True)), unread
