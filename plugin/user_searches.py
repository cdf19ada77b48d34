"""What else takes a user: an order of items, neighbours, a personalised body, plain requests."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from seealso.errors import ConfigError, DataError
from seealso.plugin.groups.members import Members
from seealso.plugin.groups.options import GroupCriteria, GroupListOptions, GroupOptions
from seealso.plugin.neighbours import NeighbourList
from seealso.plugin.open_index import OpenIndex
from seealso.plugin.planned_list import PlannedList
from seealso.plugin.profiles.users import read_ids
from seealso.plugin.ranking.named_items import MOST_ITEMS
from seealso.plugin.ranking.options import RecommendOptions, UserListOptions
from seealso.plugin.ranking.sending import send_body
from seealso.plugin.recommendations import ItemRanking
from seealso.plugin.search.ubi import Query
from seealso.plugin.serving import Live
from seealso.types import User


class UserSearches(OpenIndex):
    """Searches of one's own with what is known of a user in them."""

    def neighbours(self, user: str | User, *, size: int = 10) -> NeighbourList:
        """Return the users most like one, by one kNN query on the users index.

        Parameters
        ----------
        user
            A user id, or a user as `user` puts them together.
        size
            How many.

        Raises
        ------
        ConfigError
            The recommender was made without a users index.
        DataError
            Nothing is known of the user.
        MappingMismatch
            The users index was built with another bundle than the items.
        """
        if self._users is None:
            raise ConfigError(
                "neighbours need the users index",
                hint="`seealso users build`, and users.enabled = true",
                caller_hint="",
            )
        index, who = self._users, self._user_of(user)

        def ask(live: Live) -> NeighbourList:
            (profile,) = self._lists.profiles(live, [who])
            if profile.vector is None:
                name = "the user" if who.user_id is None else f"user {who.user_id!r}"
                raise DataError(
                    f"nothing is known about {name}: no neighbours",
                    hint="`seealso users update` brings new users to the users index",
                    caller_hint="describe the user by a history, words or attributes",
                )
            (found,) = index.neighbours([profile], size, live.fingerprint)
            return found

        return self._index.follow(ask)

    def personalise(
        self,
        body: Mapping[str, Any],
        user: str | User,
        *,
        weight: float | None = None,
        window: int | None = None,
    ) -> dict[str, Any]:
        """Return a search body with the user's preference mixed into its score.

        The rest stays as it is, and so do the hits; the body of a user of whom nothing is known
        stays the same as a whole.

        Parameters
        ----------
        body
            A search body, of whatever application.
        user
            A user id, or a user as `user` puts them together.
        weight, window
            As in the settings' section ``personalise``, which holds where they are None.

        Raises
        ------
        DataError
            This body cannot be personalised; the message says why.
        ConfigError
            An option is out of range.
        """
        who = self._user_of(user)
        return self._index.follow(
            lambda live: self._lists.personalise(live, body, who, weight, window)
        )

    def search(
        self,
        body: Mapping[str, Any],
        user: str | User,
        *,
        weight: float | None = None,
        window: int | None = None,
    ) -> dict[str, Any]:
        """Send what `personalise` makes of a body to the alias, and return OpenSearch's answer.

        Raises
        ------
        DataError, ConfigError
            As for `personalise`.
        ClusterError
            OpenSearch does not answer or refuses the body.
        """
        who = self._user_of(user)
        return self._index.follow(
            lambda live: send_body(
                self._cluster, live, self._lists.personalise(live, body, who, weight, window)
            )
        )

    def rank(
        self, user: str | User, item_ids: Sequence[str], *, fields: Sequence[str] | None = None
    ) -> ItemRanking:
        """Return items in the order of a user, each with its probability, by one request.

        Seen items stay, and no rule and no exposure changes the order. Items without a vector come
        last, by importance; for a user of whom nothing is known, importance ranks all of them.

        Parameters
        ----------
        user
            A user id, or a user as `user` puts them together.
        item_ids
            The items, at most 1,000. Those that the index does not hold, and those that the user
            must not be shown, are named in the answer.
        fields
            Which catalogue fields to bring along; all of them by default.

        Raises
        ------
        DataError
            There are no items, or too many, or an argument is of the wrong type.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        who, ids = self._user_of(user), read_ids("item_ids", item_ids)
        if not 0 < len(ids) <= MOST_ITEMS:
            raise DataError(
                f"item_ids: {len(ids):,} items; from 1 to {MOST_ITEMS:,} are ranked at once",
                hint="name those that are about to be shown",
                field="item_ids",
            )
        chosen = RecommendOptions(path="auto", tail_share=0.0, fields=fields)
        criteria = chosen.resolve(self._settings.recommend)
        found = self._index.follow(lambda live: self._lists.ranking(live, who, ids, criteria))
        return self._logged([Query("rank", who)], [found])[0]

    def plan_recommend(self, user: str | User, **options: Unpack[UserListOptions]) -> PlannedList:
        """Return what `recommend` would send for a list, and rank nothing.

        What the profile is made of is read: the user, items of the history, and neighbours where
        the users index is enabled. Whether OpenSearch takes a filter shows only when it ranks.

        Parameters
        ----------
        user
            A user id, or a user as `user` puts them together.
        **options
            As for `recommend`.

        Raises
        ------
        ConfigError, DataError
            An option is out of range, or rules contradict each other.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        criteria = RecommendOptions(**options).resolve(self._settings.recommend)
        who = self._user_of(user)
        return self._index.follow(lambda live: self._lists.plan(live, who, criteria))

    def stored_request(self, user: str | User, **options: Unpack[UserListOptions]) -> bytes:
        """Return the ``_msearch/template`` body that gets a user's lists from the cluster alone.

        It names the stored templates (``seealso templates install``) and their parameters; send
        it with any HTTP client.
        """
        criteria = RecommendOptions(**options).resolve(self._settings.recommend)
        who = self._user_of(user)
        return self._index.follow(lambda live: self._lists.stored(live, who, criteria))

    def stored_group_request(
        self,
        members: str | Sequence[str | User],
        *,
        words: str = "",
        attributes: Mapping[str, Any] | None = None,
        **options: Unpack[GroupListOptions],
    ) -> bytes:
        """Return the ``_search/template`` body of a group, as `stored_request` does for a user.

        Send it with the query parameter ``include_named_queries_score=true``.
        """
        chosen = GroupOptions(**options)
        group = self._members(members, words, attributes)
        return self._index.follow(
            lambda live: self._lists.stored_group(live, group, self._criteria(live, group, chosen))
        )

    def _criteria(self, live: Live, group: Members, options: GroupOptions) -> GroupCriteria:
        """Return what a group's list must be: what was fitted is for known groups alone."""
        known = group.group_id is not None
        return options.resolve_group(live.settings if known else self._settings)
