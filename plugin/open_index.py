"""What a recommender holds open: the followed index, what is known of users, the log of lists."""

import copy
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final, Self

from seealso.cluster import Cluster, connect
from seealso.cluster.failures import not_all
from seealso.config import Settings, load_settings
from seealso.encoder import Encoder
from seealso.errors import DataError
from seealso.indexer.users.writing import UserEncoder
from seealso.log import say
from seealso.plugin.groups.members import Members, find_group
from seealso.plugin.list_maker import ListMaker
from seealso.plugin.pinned_index import PinnedIndex
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.profiles.users import (
    describe_user,
    read_histories,
    read_id,
    require_users,
)
from seealso.plugin.search.ubi import ListT, Query, UbiLog
from seealso.plugin.serving import FollowedIndex, Live
from seealso.plugin.users_index import UsersIndex
from seealso.readers import Histories, Problems, read_known_groups
from seealso.types import GroupMembers, User, Vector

ANYTHING: Final = {"size": 0, "terminate_after": 1, "track_total_hits": False}
"""The least search."""


class OpenIndex:
    """The index behind an alias with what is known of its users; safe to share between threads.

    Parameters
    ----------
    cluster, settings, histories, index, users, ubi, groups
        As for `Recommender`.
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
        groups: GroupMembers | None = None,
    ) -> None:
        quick = cluster.hurry(settings.cluster.deadline)
        self._cluster = quick
        self._patient = cluster
        self._settings = settings
        self._histories = histories
        self._users = users
        self._ubi = ubi
        self._groups = groups or {}
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
            Read the events of these users alone, and of the members of those of them that are
            known groups; of all users by default.

        Raises
        ------
        ConfigError, DataError
            Settings or events cannot be used.
        ClusterError, BundleError
            There is no index, or its bundle is not in the store.
        """
        settings = config if isinstance(config, Settings) else load_settings(config, overrides)
        problems = Problems("skip")
        with ExitStack() as opened:
            cluster = opened.enter_context(connect(settings))
            ubi = UbiLog.from_settings(cluster, settings, os.environ)
            index = UsersIndex.from_settings(cluster, settings, os.environ)
            groups: GroupMembers = {}
            if users is None or users:
                groups = read_known_groups(settings.groups, problems)
            if users is not None:
                users = {*users, *(one for name in users for one in groups.get(name, ()))}
            known = None if index else read_histories(cluster, settings, users, problems)
            found = cls(cluster, settings, known, users=index, ubi=ubi, groups=groups)
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

    def unlogged(self, index: str | None = None, encoders: Iterable[Encoder] = ()) -> Self:
        """Return the same without the log of lists: for whoever looks at what no user is shown.

        Both share connections and what is known of users; close the first one alone.

        Parameters
        ----------
        index
            A physical index that is asked instead, as it is now.
        encoders
            Models that are loaded, beside that of the live index.

        Raises
        ------
        ClusterError, BundleError
            There is no such index, or its bundle is not in the store.
        """
        view = copy.copy(self)
        view._ubi = None
        if index is not None:
            loaded = (self.live.encoder, *encoders)
            view._lists = ListMaker(self._patient, self._settings, self._users)
            view._index = PinnedIndex(self._cluster, self._settings, index, loaded)
        return view

    @property
    def histories(self) -> Histories | None:
        """What users did, where it was read from events; None with a users index."""
        return self._histories

    @property
    def groups(self) -> GroupMembers:
        """The members of known groups."""
        return self._groups

    @property
    def settings(self) -> Settings:
        """What the recommender was made with."""
        return self._settings

    @property
    def cluster(self) -> Cluster:
        """Where the index is, for what may take longer than a list."""
        return self._patient

    @property
    def live(self) -> Live:
        """The index that was last asked, and its bundle."""
        return self._index.live

    def check(self) -> Live:
        """Return what the alias stands for now, and its bundle, once a search there was answered.

        Raises
        ------
        ClusterError, BundleError
            OpenSearch does not answer, there is no index, or its bundle is not in the store.
        """

        def search(live: Live) -> Live:
            self._cluster.request("POST", f"/{live.name}/_search", ANYTHING)
            return live

        return self._index.follow(search)

    def user(
        self,
        user_id: str | None = None,
        *,
        history: Sequence[str] | None = None,
        session: Sequence[str] | None = None,
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
        session
            Item ids, newest first, of the visit under way: put before the history, the one found
            there or `history`; seen as well.
        words
            The user's own words.
        attributes
            Attributes for the user text template.

        Raises
        ------
        DataError
            An argument is of the wrong type.
        """

        def look_up(name: str) -> User | None:
            return self.known([name]).get(name)

        return describe_user(look_up, user_id, history, session, words, attributes)

    def known(self, user_ids: Collection[str]) -> Mapping[str, User]:
        """Return what is known of some users, by id: in one request, where an index holds them."""
        if not user_ids:
            return {}
        if self._users is not None:
            return self._users.users(user_ids)
        if self._histories is None:
            return {}
        found = {name: self._histories.user(name) for name in user_ids}
        return {name: user for name, user in found.items() if user is not None}

    def profiles(self, users: Sequence[User]) -> list[Profile]:
        """Return the profile of each user."""
        require_users("users", users)
        return self._index.follow(lambda live: self._lists.profiles(live, users))

    def user_encoder(self) -> UserEncoder:
        """Return what makes the vectors of a users index for the live index, as a query does."""
        live = self._index.newest()
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

    def blocked_items(self) -> frozenset[str]:
        """Return the ids on the blocklist, as it is now."""
        return self._lists.blocked_items()

    def _logged(self, queries: Sequence[Query], lists: list[ListT]) -> list[ListT]:
        return lists if self._ubi is None else self._ubi.log(queries, lists)

    def _user_of(self, user: str | User) -> User:
        return user if isinstance(user, User) else self.user(read_id("user", user))

    def _users_of(self, what: str, users: Sequence[str | User]) -> list[User]:
        """Return the users; those who are named by an id are looked up together."""
        if not isinstance(users, list | tuple):
            raise DataError(f"{what}: must be a list of users, not {users!r:.60}", field=what)
        known = self.known([read_id(what, one) for one in users if not isinstance(one, User)])
        return [one if isinstance(one, User) else describe_user(known.get, one) for one in users]

    def _members(
        self, members: str | Sequence[str | User], words: str, attributes: Mapping[str, Any] | None
    ) -> Members:
        """Return those whom a group's list is for: a known group by its id, or several users."""
        whole = describe_user(lambda _: None, words=words, attributes=attributes)
        group_id = find_group(self._groups, members)
        if group_id is None:
            people = () if isinstance(members, str) else members
            return Members.of(self._users_of("members", people), whole)
        people = self._groups[group_id]
        known = self.known([*people, group_id])
        users = [describe_user(known.get, one) for one in people]
        return Members.of_known(group_id, users, whole, known.get(group_id))
