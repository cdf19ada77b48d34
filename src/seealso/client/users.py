"""What is known of a user: reasons, neighbours, a search body ranked by taste."""

from collections.abc import Sequence
from typing import Any

from seealso.client.answers import NeighbourList
from seealso.client.connection import Connection
from seealso.client.explanations import Explanation, _Reasons
from seealso.client.requests import JsonObject, User, describe_alone, read_list, without_none


class Users(Connection):
    """The addresses of users."""

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
        body = {**describe_alone(user), "items": read_list("item_ids", item_ids)}
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
