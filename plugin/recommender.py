"""Recommends: for a user by id, history, words and attributes, for many users, for an item.

Every list is one ``_msearch`` (several, where it would be too large for one request). Every method
asks the one followed index (`serving`), so no answer mixes two models, and a swap, a rollback or an
update needs no restart.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path as FilePath
from typing import Any, Self

from seealso.cluster import Cluster, connect
from seealso.cluster.failures import not_all
from seealso.config import Settings, load_settings
from seealso.errors import ConfigError, DataError
from seealso.indexer.users.writing import UserEncoder
from seealso.log import say
from seealso.plugin.explanations.explanation import Explanation
from seealso.plugin.groups.lists import GroupList
from seealso.plugin.groups.members import Members
from seealso.plugin.groups.options import GroupOptions
from seealso.plugin.list_maker import ListMaker
from seealso.plugin.neighbours import NeighbourList
from seealso.plugin.opening import open_ubi, open_users, read_histories
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.profiles.users import (
    FoundUsers,
    KnownUsers,
    describe_user,
    read_id,
    read_ids,
    require_users,
)
from seealso.plugin.ranking.options import Filter, RecommendOptions, RuleLike
from seealso.plugin.ranking.sending import send_body
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.search.ubi import ListT, Query, UbiLog
from seealso.plugin.serving import FollowedIndex, Live, PinnedIndex
from seealso.plugin.users_index import NeighbourQuery, UsersIndex
from seealso.readers import Histories, Problems
from seealso.types import Path, User, Vector


class Recommender:
    """Recommendations from the index behind an alias.

    `from_config` makes one of a settings file. Safe to share between threads.

    Parameters
    ----------
    cluster
        Where the index stands.
    settings
        Sections ``index``, ``encoder``, ``profile`` and ``recommend`` are used.
    histories
        What users did, to recommend by user id.
    index
        A physical index that is asked instead of what the alias stands for.
    users
        The users index: users are looked up there instead of in `histories`, and their neighbours
        lift what they chose.
    ubi
        Where lists are written down, each with an id that clicks are logged against.

    Raises
    ------
    ClusterError, BundleError
        There is no index, or its bundle is not in the store.
    """

    def __init__(
        self,
        cluster: Cluster,
        settings: Settings,
        histories: Histories | None = None,
        *,
        index: str | None = None,
        users: UsersIndex | None = None,
        ubi: UbiLog | None = None,
    ) -> None:
        quick = cluster.hurry(settings.cluster.deadline)
        self._cluster = quick
        self._settings = settings
        self._histories = histories
        self._users = users
        self._ubi = ubi
        self._opened = ExitStack()
        self._lists = ListMaker(cluster, settings, users)
        self._index: FollowedIndex | PinnedIndex = (
            FollowedIndex(quick, settings) if index is None else PinnedIndex(quick, settings, index)
        )

    @classmethod
    def from_config(
        cls,
        config: str | os.PathLike[str] | Settings | None = None,
        *,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        users: Collection[str] | None = None,
    ) -> Self:
        """Return a recommender with everything that the settings name, as the command line does.

        That is the cluster with its certificates, or the embedded node; users from the users index
        where ``users.enabled`` says so, else from the events; and the log of lists where
        ``ubi.enabled`` says so. Secrets come from the environment. Use it in a ``with`` block, or
        `close` it.

        Parameters
        ----------
        config
            A settings file, or settings; ``seealso.toml`` of the working folder by default.
        overrides
            ``{section: {name: value}}``, above the file and the environment.
        users
            Read the events of these users alone; of all users by default.

        Raises
        ------
        ConfigError, DataError
            Settings or events cannot be used.
        ClusterError, BundleError
            There is no index, or its bundle is not in the store.
        """
        settings = config if isinstance(config, Settings) else _load(config, overrides)
        problems = Problems("skip")
        with ExitStack() as opened:
            cluster = opened.enter_context(connect(settings))
            ubi = open_ubi(cluster, settings, os.environ)
            index = open_users(cluster, settings, os.environ)
            known = None if index else read_histories(cluster, settings, users, problems)
            found = cls(cluster, settings, known, users=index, ubi=ubi)
            found._opened = opened.pop_all()
        if lost := problems.summary():
            say(lost)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is left to write to the log of lists, and end threads and connections."""
        self._index.close()
        if self._ubi is not None:
            self._ubi.close()
        self._opened.close()

    @property
    def settings(self) -> Settings:
        """What the recommender was made with."""
        return self._settings

    @property
    def live(self) -> Live:
        """The index that was last asked, and its bundle."""
        return self._index.live

    def user(
        self,
        user_id: str | None = None,
        *,
        history: Sequence[str] | None = None,
        words: str = "",
        attributes: Mapping[str, Any] | None = None,
    ) -> User:
        """Put together what is known of a user.

        Parameters
        ----------
        user_id
            Looked up in the users index or the events; history and seen items are taken.
        history
            Item ids, newest first, instead of the history found there; seen as well.
        words
            The user's own words.
        attributes
            Attributes for the user text template.

        Raises
        ------
        DataError
            An argument is of the wrong type.
        """
        return describe_user(self._users or self._histories, user_id, history, words, attributes)

    def known(self, user_ids: Collection[str]) -> KnownUsers:
        """Return what is known of some users, in one request where they stand in an index."""
        if self._users is not None and user_ids:
            return FoundUsers(self._users.users(user_ids))
        return self._histories or FoundUsers({})

    def recommend(
        self,
        user_id: str | None = None,
        *,
        history: Sequence[str] | None = None,
        words: str = "",
        attributes: Mapping[str, Any] | None = None,
        size: int | None = None,
        path: Path | str | None = None,
        filters: Filter | Sequence[Filter] | None = None,
        min_probability: float | None = None,
        tail_share: float | None = None,
        fields: Sequence[str] | None = None,
        rules: RuleLike | Sequence[RuleLike] | None = None,
        without_rules: bool = False,
    ) -> RecommendationList:
        """Return a list for one user, described in any mix of ways.

        Parameters
        ----------
        user_id, history, words, attributes
            As for `user`.
        size, path, filters, min_probability, tail_share, fields, rules, without_rules
            As in `RecommendOptions`; the settings where None.

        Raises
        ------
        ConfigError
            An option is out of range, or rules contradict each other.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        user = self.user(user_id, history=history, words=words, attributes=attributes)
        options = RecommendOptions(
            size=size,
            path=path,
            filters=filters,
            min_probability=min_probability,
            tail_share=tail_share,
            fields=fields,
            rules=rules,
            without_rules=without_rules,
        )
        return self.recommend_users([user], options)[0]

    def recommend_batch(
        self,
        users: Sequence[str | User],
        *,
        size: int | None = None,
        path: Path | str | None = None,
        filters: Filter | Sequence[Filter] | None = None,
        min_probability: float | None = None,
        tail_share: float | None = None,
        fields: Sequence[str] | None = None,
        rules: RuleLike | Sequence[RuleLike] | None = None,
        without_rules: bool = False,
    ) -> list[RecommendationList]:
        """Return a list for each of several users, asked for together.

        Parameters
        ----------
        users
            User ids, or users as `user` puts them together.
        size, path, filters, min_probability, tail_share, fields, rules, without_rules
            As in `RecommendOptions`; the settings where None.

        Raises
        ------
        DataError
            `users` is no list of user ids and users.
        ConfigError, ClusterError
            As for `recommend`.
        """
        options = RecommendOptions(
            size=size,
            path=path,
            filters=filters,
            min_probability=min_probability,
            tail_share=tail_share,
            fields=fields,
            rules=rules,
            without_rules=without_rules,
        )
        return self.recommend_users(self._users_of("users", users), options)

    def recommend_users(
        self, users: Sequence[User], options: RecommendOptions
    ) -> list[RecommendationList]:
        """Do what `recommend_batch` does, for options that are kept for many calls."""
        require_users("users", users)
        criteria = options.resolve(self._settings.recommend)
        found = self._index.follow(lambda live: self._lists.for_users(live, users, criteria))
        return self._logged([Query("recommend", user) for user in users], found)

    def related(
        self,
        item_id: str,
        *,
        size: int | None = None,
        path: Path | str | None = None,
        filters: Filter | Sequence[Filter] | None = None,
        min_probability: float | None = None,
        fields: Sequence[str] | None = None,
        rules: RuleLike | Sequence[RuleLike] | None = None,
        without_rules: bool = False,
    ) -> RecommendationList:
        """Return the items most related to an item, itself left out.

        Parameters
        ----------
        item_id
            The item.
        size, path, filters, min_probability, fields, rules, without_rules
            As for `recommend`. There is no share of the long tail: no words are known that could
            be looked for there.

        Raises
        ------
        DataError
            The index does not hold the item, it has no text, or `item_id` is no id.
        ConfigError
            An option is out of range, or rules contradict each other.
        """
        item = read_id("item_id", item_id)
        options = RecommendOptions(
            size=size,
            path=path,
            filters=filters,
            min_probability=min_probability,
            tail_share=0.0,
            fields=fields,
            rules=rules,
            without_rules=without_rules,
        )
        criteria = options.resolve(self._settings.recommend)
        found = self._index.follow(lambda live: self._lists.for_item(live, item, criteria))
        return self._logged([Query("related", User(), {"item": item})], [found])[0]

    def recommend_group(
        self,
        members: Sequence[str | User],
        *,
        words: str = "",
        attributes: Mapping[str, Any] | None = None,
        strategy: str | None = None,
        seen: str | None = None,
        size: int | None = None,
        path: Path | str | None = None,
        filters: Filter | Sequence[Filter] | None = None,
        min_probability: float | None = None,
        tail_share: float | None = None,
        fields: Sequence[str] | None = None,
        rules: RuleLike | Sequence[RuleLike] | None = None,
        without_rules: bool = False,
    ) -> GroupList:
        """Return one list for several people, by one search.

        Parameters
        ----------
        members
            User ids, or users as `user` puts them together. Those of whom nothing is known are
            left out, and the list says so.
        words, attributes
            What describes the group as a whole: it counts as one more member.
        strategy, seen
            As in `GroupOptions`; the settings' section ``groups`` where None.
        size, path, filters, min_probability, tail_share, fields, rules, without_rules
            As for `recommend`.

        Raises
        ------
        DataError
            The group is empty or too large.
        ConfigError
            An option is out of range, or rules contradict each other.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        group = self._members(members, words, attributes)
        options = GroupOptions(
            strategy=strategy,
            seen=seen,
            size=size,
            path=path,
            filters=filters,
            min_probability=min_probability,
            tail_share=tail_share,
            fields=fields,
            rules=rules,
            without_rules=without_rules,
        )
        criteria = options.resolve_group(self._settings)
        found = self._index.follow(lambda live: self._lists.for_group(live, group, criteria))
        about = {"members": str(len(found.members)), "strategy": found.strategy}
        return self._logged([Query("group", User(words=words), about)], [found])[0]

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

    def blocked_items(self) -> frozenset[str]:
        """Return the ids on the blocklist, as it stands now."""
        return self._lists.blocked_items()

    def profiles(self, users: Sequence[User]) -> list[Profile]:
        """Return what each user is asked for with."""
        require_users("users", users)
        return self._index.follow(lambda live: self._lists.profiles(live, users))

    def user_encoder(self) -> UserEncoder:
        """Return what makes the vectors of a users index for the live index, as a query does."""
        live = self._index.follow(lambda live: live)
        settings = live.settings.profile

        def vectors(users: Sequence[User]) -> list[Vector | None]:
            def profiles(now: Live) -> list[Profile]:
                # of another model, no vector would go with those that were made before
                fits = now.fingerprint == live.fingerprint
                return self._lists.profiles(now if fits else live, users)

            found = self._index.follow(profiles)
            if unread := sum(profile.unread for profile in found):
                # a list may do without them; what is kept of a user must not
                raise not_all(live.name, f"{unread} items of histories, whose shards do not answer")
            return [profile.vector for profile in found]

        return UserEncoder(live.fingerprint, live.encoder.bundle.dimension, settings, vectors)

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
            raise ConfigError("neighbours need the users index", hint="`seealso users build`")
        index, who = self._users, self._user_of(user)

        def ask(live: Live) -> NeighbourList:
            (profile,) = self._lists.profiles(live, [who])
            if profile.vector is None:
                name = "the user" if who.user_id is None else f"user {who.user_id!r}"
                raise DataError(
                    f"nothing is known of {name}: no neighbours",
                    hint="`seealso users update` brings new users to the users index",
                )
            return index.neighbours([NeighbourQuery(who, profile.vector)], size, live.fingerprint)[
                0
            ]

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

    def stored_request(self, user: str | User, options: RecommendOptions | None = None) -> bytes:
        """Return the ``_msearch/template`` body that gets a user's lists from the cluster alone.

        It names the stored templates (``seealso templates install``) and their parameters; send
        it with any HTTP client.
        """
        who = self._user_of(user)
        criteria = (options or RecommendOptions()).resolve(self._settings.recommend)
        return self._index.follow(lambda live: self._lists.stored(live, who, criteria))

    def stored_group_request(
        self,
        members: Sequence[str | User],
        *,
        words: str = "",
        attributes: Mapping[str, Any] | None = None,
        options: GroupOptions | None = None,
    ) -> bytes:
        """Return the ``_search/template`` body of a group, as `stored_request` does for a user.

        Send it with the query parameter ``include_named_queries_score=true``.
        """
        criteria = (options or GroupOptions()).resolve_group(self._settings)
        group = self._members(members, words, attributes)
        return self._index.follow(lambda live: self._lists.stored_group(live, group, criteria))

    def _logged(self, queries: Sequence[Query], lists: list[ListT]) -> list[ListT]:
        return lists if self._ubi is None else self._ubi.log(queries, lists)

    def _user_of(self, user: str | User) -> User:
        return user if isinstance(user, User) else self.user(read_id("user", user))

    def _users_of(self, what: str, given: Sequence[str | User]) -> list[User]:
        """Return users of whom some are told by id: those are looked up together."""
        if not isinstance(given, list | tuple):
            raise DataError(f"{what}: must be a list of users, not {given!r:.60}", field=what)
        known = self.known([read_id(what, one) for one in given if not isinstance(one, User)])
        return [one if isinstance(one, User) else describe_user(known, one) for one in given]

    def _members(
        self, members: Sequence[str | User], words: str, attributes: Mapping[str, Any] | None
    ) -> Members:
        whole = describe_user(None, words=words, attributes=attributes)
        return Members.of(self._users_of("members", members), whole)


def _load(
    config: str | os.PathLike[str] | None, overrides: Mapping[str, Mapping[str, Any]] | None
) -> Settings:
    return load_settings(None if config is None else FilePath(config), overrides)
