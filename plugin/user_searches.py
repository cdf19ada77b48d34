"""What other searches take of a user: neighbours, a personalised body, bodies for the cluster."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from seealso.errors import ConfigError, DataError
from seealso.plugin.groups.members import Members
from seealso.plugin.groups.options import GroupCriteria, GroupListOptions, GroupOptions
from seealso.plugin.neighbours import NeighbourList
from seealso.plugin.open_index import OpenIndex
from seealso.plugin.ranking.options import RecommendOptions, UserListOptions
from seealso.plugin.ranking.sending import send_body
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
            )
        index, who = self._users, self._user_of(user)

        def ask(live: Live) -> NeighbourList:
            (profile,) = self._lists.profiles(live, [who])
            if profile.vector is None:
                name = "the user" if who.user_id is None else f"user {who.user_id!r}"
                raise DataError(
                    f"nothing is known about {name}: no neighbours",
                    hint="`seealso users update` brings new users to the users index",
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
