"""The client: one method for each address of a service, named as the library names it."""

import os
from collections.abc import Sequence
from typing import Any, Final, Self, TypeVar, Unpack
from urllib.parse import quote

from seealso.client.answers import (
    Explanation,
    GroupList,
    NeighbourList,
    RecommendationList,
    _Lists,
    _Reasons,
)
from seealso.client.requests import (
    GroupListOptions,
    JsonObject,
    ListOptions,
    PopularOptions,
    User,
    UserListOptions,
    describe_alone,
    describe_user,
    read_options,
    without_none,
)
from seealso.errors import MissingExtraError

try:
    from seealso.client.sending import Call, Sender
except ModuleNotFoundError as exc:
    raise MissingExtraError.of(exc.name or "httpx", "client") from exc

T = TypeVar("T")

KEY: Final = "SEEALSO_SERVICE_KEY"
"""The environment variable that holds the key of a caller."""


class Client:
    """Asks a service of seealso; safe to share between threads. Use it in a ``with`` block.

    Parameters
    ----------
    url
        Of the service, or of the gateway in front of it.
    key
        One of those that the service knows; by default that of the environment variable
        ``SEEALSO_SERVICE_KEY``. It is sent in a header, and neither shown nor logged.
    timeout
        Seconds that the service may take to be reached, and then for each part of its answer.
    retries
        How often a request is sent again where the service is busy, gone or restarting, after the
        time that it names. What may have been carried out is sent again only where that is
        harmless.

    Raises
    ------
    ConfigError
        The address is none, or the key cannot be sent.
    """

    def __init__(
        self, url: str, *, key: str | None = None, timeout: float = 10.0, retries: int = 2
    ) -> None:
        self._sender = Sender(url, key or os.environ.get(KEY), timeout, retries)

    def __repr__(self) -> str:
        return f"Client({self._sender.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._sender.close()

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
        body = {"users": [describe_user(one) for one in users]}
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
        path = f"/v1/related/{_part(item_id)}"
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
        people = None if group else [describe_user(one) for one in members]
        about = without_none(
            group=group, members=people, words=words or None, attributes=attributes
        )
        return self._ask(GroupList, "/v1/group", about | read_options(GroupListOptions, options))

    def explain(self, user: str | User, item_id: str) -> Explanation:
        """Return why an item has its value for a user.

        Parameters
        ----------
        user
            An id, or a user described in any mix of ways.
        item_id
            Any item of the index, a seen one too.
        """
        return self.reasons(user, [item_id])[0]

    def reasons(self, user: str | User, item_ids: Sequence[str]) -> list[Explanation]:
        """Return the same for several items, in one request."""
        body = {**describe_alone(user), "items": [*item_ids]}
        return [*self._ask(_Reasons, "/v1/explain", body).reasons]

    def neighbours(self, user: str | User, *, size: int = 10) -> NeighbourList:
        """Return the users most like one, by their pseudonyms.

        Parameters
        ----------
        user
            An id, or a user described in any mix of ways.
        size
            How many.
        """
        return self._ask(NeighbourList, "/v1/neighbours", {**describe_alone(user), "size": size})

    def personalise(
        self,
        body: JsonObject,
        user: str | User,
        *,
        weight: float | None = None,
        window: int | None = None,
    ) -> dict[str, Any]:
        """Return a search body with the user's preference mixed into its score.

        Parameters
        ----------
        body
            A search body, of whatever application.
        user
            An id, or a user described in any mix of ways.
        weight, window
            How much the preference counts, and how many of the best hits are ranked again; the
            settings of the service where they are None.
        """
        options = without_none(body=body, weight=weight, window=window)
        return self._ask(dict[str, Any], "/v1/personalise", describe_alone(user) | options)

    def search(
        self,
        body: JsonObject,
        user: str | User,
        *,
        weight: float | None = None,
        window: int | None = None,
    ) -> dict[str, Any]:
        """Return OpenSearch's answer to what `personalise` makes of a body."""
        options = without_none(body=body, weight=weight, window=window, send=True)
        return self._ask(dict[str, Any], "/v1/personalise", describe_alone(user) | options)

    def _ask(self, kind: type[T], path: str, body: JsonObject) -> T:
        """Return the answer to what changes nothing, and so may be sent again."""
        return self._sender.send(kind, Call("POST", path, body))


def _part(name: str) -> str:
    """Return an id as a part of an address: ``..`` as it is would be the folder above."""
    return quote(name, safe="").replace(".", "%2E") if set(name) == {"."} else quote(name, safe="")
