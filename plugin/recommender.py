"""Recommends: for a user by id, history, words and attributes, for many users, for an item.

Every list is one ``_msearch`` (several, where it would be too large for one request), and where
there are many candidates for each place, one more for the documents of the list. Every method asks
the one followed index (`serving`), so no answer mixes two models, and a swap, a rollback or an
update needs no restart.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from seealso.plugin.explanations.explanation import Explanation
from seealso.plugin.groups.lists import GroupList
from seealso.plugin.groups.members import Members
from seealso.plugin.groups.options import GroupListOptions, GroupOptions
from seealso.plugin.profiles.users import read_id, read_ids, require_users
from seealso.plugin.ranking.options import (
    Criteria,
    ListOptions,
    PopularOptions,
    RecommendOptions,
    UserListOptions,
)
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.search.ubi import Query
from seealso.plugin.serving import Live
from seealso.plugin.user_searches import UserSearches
from seealso.types import User


class Recommender(UserSearches):
    """Recommendations from the index behind an alias.

    `from_config` makes one of a settings file. Safe to share between threads.

    Parameters
    ----------
    cluster
        Where the index is.
    settings
        Sections ``index``, ``encoder``, ``profile`` and ``recommend`` are used.
    histories
        What users did, to recommend by user id.
    index
        A physical index that is queried instead of the target of the alias.
    users
        The users index: users are looked up there instead of in `histories`, and their neighbours
        boost what they chose.
    ubi
        Where lists are written down, each with an id that clicks are logged against.
    groups
        Members of known groups, by the id of the group. What a group did together is looked up
        under its id, as what users did.

    Raises
    ------
    ClusterError, BundleError
        There is no index, or its bundle is not in the store.
    """

    def load_beside(self) -> None:
        """From now on, let the index before answer while the model of a new one is loaded.

        Otherwise whoever asks next waits for it, some seconds, and is answered by the new one. What
        is in memory needs no loading: an update, a rollback, or a build with the same bundle.
        """
        self._index.load_beside()

    def recommend(
        self,
        user_id: str | None = None,
        *,
        history: Sequence[str] | None = None,
        session: Sequence[str] | None = None,
        words: str = "",
        attributes: Mapping[str, Any] | None = None,
        **options: Unpack[UserListOptions],
    ) -> RecommendationList:
        """Return a list for one user, described in any mix of ways.

        Parameters
        ----------
        user_id, history, session, words, attributes
            As for `user`.
        **options
            As in `UserListOptions`; the settings where they are None or left out.

        Raises
        ------
        ConfigError
            An option is out of range, or rules contradict each other.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        chosen = RecommendOptions(**options)
        user = self.user(
            user_id, history=history, session=session, words=words, attributes=attributes
        )
        return self.recommend_users([user], chosen)[0]

    def recommend_batch(
        self,
        users: Sequence[str | User],
        **options: Unpack[UserListOptions],
    ) -> list[RecommendationList]:
        """Return a list for each of several users, from common requests.

        Parameters
        ----------
        users
            User ids, or users as `user` puts them together.
        **options
            As in `UserListOptions`; the settings where they are None or left out.

        Raises
        ------
        DataError
            `users` is no list of user ids and users.
        ConfigError, ClusterError
            As for `recommend`.
        """
        chosen = RecommendOptions(**options)
        return self.recommend_users(self._users_of("users", users), chosen)

    def recommend_users(
        self, users: Sequence[User], options: RecommendOptions
    ) -> list[RecommendationList]:
        """Do what `recommend_batch` does, for options that are kept for many calls."""
        return self._recommend(self._lists.for_users, users, options)

    def recommend_many(
        self, users: Sequence[User], options: RecommendOptions
    ) -> list[RecommendationList]:
        """Do what `recommend_users` does for some of very many users, with the same lists.

        Once enough were asked about that it is worth it, all items are read, and an index that is
        ranked exactly is ranked here: `seealso.plugin.ranking.item_reader`.
        """
        return self._recommend(self._lists.for_many, users, options)

    def _recommend(
        self,
        make: Callable[[Live, Sequence[User], Criteria], list[RecommendationList]],
        users: Sequence[User],
        options: RecommendOptions,
    ) -> list[RecommendationList]:
        require_users("users", users)
        criteria = options.resolve(self._settings.recommend)
        found = self._index.follow(lambda live: make(live, users, criteria))
        return self._logged([Query("recommend", user) for user in users], found)

    def related(self, item_id: str, **options: Unpack[ListOptions]) -> RecommendationList:
        """Return the items most related to an item, itself left out.

        Parameters
        ----------
        item_id
            The item.
        **options
            As in `ListOptions`. There is no share of the long tail: no words are known that could
            be searched for there.

        Raises
        ------
        DataError
            The index does not hold the item, it has no text, or `item_id` is no id.
        ConfigError
            An option is out of range, or rules contradict each other.
        """
        item = read_id("item_id", item_id)
        chosen = RecommendOptions(tail_share=0.0, **options)
        criteria = chosen.resolve(self._settings.recommend)
        found = self._index.follow(lambda live: self._lists.for_item(live, item, criteria))
        return self._logged([Query("related", User(), {"item": item})], [found])[0]

    def popular(self, **options: Unpack[PopularOptions]) -> RecommendationList:
        """Return the most important items: the list of a user of whom nothing is known.

        Importance alone ranks. How probable an item is depends on who chooses, so probabilities
        are None; and the list has only what ``safety`` lets everybody see.

        Parameters
        ----------
        **options
            As in `PopularOptions`; the settings where they are None or left out.

        Raises
        ------
        ConfigError
            An option is out of range, or rules contradict each other.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        found = self.find_popular(**options)
        return self._logged([Query("popular", User())], [found])[0]

    def find_popular(self, **options: Unpack[PopularOptions]) -> RecommendationList:
        """Do what `popular` does, without writing the list down: nobody may ever see it."""
        # no vector ranks: what is about one is no option here
        chosen = RecommendOptions(path="auto", min_probability=0.0, tail_share=0.0, **options)
        criteria = chosen.resolve(self._settings.recommend)
        return self._index.follow(lambda live: self._lists.popular(live, criteria))

    def recommend_group(
        self,
        members: str | Sequence[str | User],
        *,
        words: str = "",
        attributes: Mapping[str, Any] | None = None,
        **options: Unpack[GroupListOptions],
    ) -> GroupList:
        """Return one list for several people.

        Parameters
        ----------
        members
            The id of a known group, whose own history is one more member; or user ids, or users as
            `user` puts them together. Those of whom nothing is known are left out, and the list
            says so.
        words, attributes
            What describes the group as a whole: it counts as one more member.
        **options
            As in `GroupListOptions`; the settings where they are None or left out, and for a known
            group what was fitted where these say nothing.

        Raises
        ------
        DataError
            The group is empty, too large, or not known.
        ConfigError
            An option is out of range, or rules contradict each other.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        return self.recommend_members(
            self._members(members, words, attributes), GroupOptions(**options)
        )

    def recommend_members(self, group: Members, options: GroupOptions) -> GroupList:
        """Do what `recommend_group` does, for members that were put together before."""

        def make(live: Live) -> GroupList:
            return self._lists.for_group(live, group, self._criteria(live, group, options))

        found = self._index.follow(make)
        about = {"members": str(len(found.members)), "strategy": found.strategy}
        return self._logged([Query("group", User(words=group.words), about)], [found])[0]

    def explain(self, user: str | User, item_id: str) -> Explanation:
        """Return why an item has its value for a user.

        Parameters
        ----------
        user
            A user id, or a user as `user` puts them together.
        item_id
            Any item of the index, a seen one too.

        Raises
        ------
        DataError
            The index does not hold the item, or an argument is of the wrong type.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        return self.reasons(user, [read_id("item_id", item_id)])[0]

    def reasons(self, user: str | User, item_ids: Sequence[str]) -> list[Explanation]:
        """Return the same for several items, in one search."""
        who = self._user_of(user)
        ids = read_ids("item_ids", item_ids)
        return self._index.follow(lambda live: self._lists.reasons(live, who, ids))
