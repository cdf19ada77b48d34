"""Lists: for a user, for several, for a group, by an item, for nobody, of items that are named."""

from collections.abc import Sequence
from typing import Unpack

from seealso.client.answers import GroupList, ItemRanking, PlannedList, RecommendationList, _Lists
from seealso.client.connection import Connection, part
from seealso.client.requests import (
    GroupListOptions,
    JsonObject,
    ListOptions,
    PopularOptions,
    User,
    UserListOptions,
    describe_alone,
    describe_user,
    read_list,
    read_options,
    without_none,
)


class Lists(Connection):
    """The addresses of lists."""

    def recommend(
        self,
        user_id: str | None = None,
        *,
        history: Sequence[str] | None = None,
        session: Sequence[str] | None = None,
        words: str = "",
        attributes: JsonObject | None = None,
        explain: bool = False,
        **options: Unpack[UserListOptions],
    ) -> RecommendationList:
        """Return a list for one user, described in any mix of ways.

        Parameters
        ----------
        user_id, history, session, words, attributes
            As in `User`.
        explain
            Bring along why each item is in the list.
        **options
            As in `UserListOptions`.

        Raises
        ------
        ServiceError
            The service refuses or does not answer; so does every method.
        TypeError
            There is no such option.
        """
        who = User(user_id, history, session, words, attributes).as_json()
        chosen = read_options(UserListOptions, options)
        return self._ask(RecommendationList, "/v1/recommend", {**who, **chosen, "explain": explain})

    def recommend_batch(
        self, users: Sequence[str | User], **options: Unpack[UserListOptions]
    ) -> list[RecommendationList]:
        """Return a list for each of several users, in their order.

        Parameters
        ----------
        users
            Ids, or users described in any mix of ways.
        **options
            As in `UserListOptions`.
        """
        body = {"users": [describe_user(one) for one in read_list("users", users)]}
        chosen = read_options(UserListOptions, options)
        return [*self._ask(_Lists, "/v1/recommend/batch", body | chosen).lists]

    def related(self, item_id: str, **options: Unpack[ListOptions]) -> RecommendationList:
        """Return the items most related to an item, itself left out.

        Parameters
        ----------
        item_id
            The item.
        **options
            As in `ListOptions`.
        """
        path = f"/v1/related/{part(item_id)}"
        return self._ask(RecommendationList, path, read_options(ListOptions, options))

    def popular(self, **options: Unpack[PopularOptions]) -> RecommendationList:
        """Return the most important items, for nobody in particular.

        Parameters
        ----------
        **options
            As in `PopularOptions`.
        """
        return self._ask(RecommendationList, "/v1/popular", read_options(PopularOptions, options))

    def recommend_group(
        self,
        members: str | Sequence[str | User],
        *,
        words: str = "",
        attributes: JsonObject | None = None,
        **options: Unpack[GroupListOptions],
    ) -> GroupList:
        """Return one list for several people.

        Parameters
        ----------
        members
            The id of a known group; or ids of users, or users described in any mix of ways.
        words, attributes
            What describes the group as a whole: one more member.
        **options
            As in `GroupListOptions`.
        """
        group = members if isinstance(members, str) else None
        people = None if group else [describe_user(one) for one in read_list("members", members)]
        about = without_none(
            group=group, members=people, words=words or None, attributes=attributes
        )
        return self._ask(GroupList, "/v1/group", about | read_options(GroupListOptions, options))

    def rank(
        self, user: str | User, item_ids: Sequence[str], *, fields: Sequence[str] | None = None
    ) -> ItemRanking:
        """Return items in the order of a user, seen ones too.

        Parameters
        ----------
        user
            An id, or a user described in any mix of ways.
        item_ids
            The items; those that have no place are named in the answer.
        fields
            Catalogue fields to bring along; all of them by default.
        """
        body = {**describe_alone(user), "items": read_list("item_ids", item_ids)}
        return self._ask(ItemRanking, "/v1/rank", body | without_none(fields=fields))

    def plan_recommend(self, user: str | User, **options: Unpack[UserListOptions]) -> PlannedList:
        """Return what `recommend` would send to OpenSearch; nothing is ranked.

        Parameters
        ----------
        user
            An id, or a user described in any mix of ways.
        **options
            As in `UserListOptions`.
        """
        body = describe_alone(user) | read_options(UserListOptions, options)
        return self._ask(PlannedList, "/v1/validate", body)
