"""Asks a service of seealso (``seealso serve``) in the words of the library.

It needs the extra ``client``, and nothing of what answers: no model, no OpenSearch::

    from seealso.client import Client

    with Client("https://recommend.example.org") as client:
        print(client.recommend("ann", size=5).ids)
"""

from seealso.client.answers import (
    GroupList,
    GroupRecommendation,
    ItemRanking,
    Neighbour,
    NeighbourList,
    PlannedList,
    Recommendation,
    RecommendationList,
)
from seealso.client.client import Client
from seealso.client.explanations import Explanation, MatchedWord, Share
from seealso.client.reports import (
    DeletedItems,
    EventsReport,
    ForgottenUser,
    RefusedEvent,
    RefusedItem,
    UpsertedItems,
    UserExport,
)
from seealso.client.requests import (
    Event,
    GroupListOptions,
    ListOptions,
    PopularOptions,
    User,
    UserListOptions,
)
from seealso.errors import ServiceError

__all__ = [
    "Client",
    "DeletedItems",
    "Event",
    "EventsReport",
    "Explanation",
    "ForgottenUser",
    "GroupList",
    "GroupListOptions",
    "GroupRecommendation",
    "ItemRanking",
    "ListOptions",
    "MatchedWord",
    "Neighbour",
    "NeighbourList",
    "PlannedList",
    "PopularOptions",
    "Recommendation",
    "RecommendationList",
    "RefusedEvent",
    "RefusedItem",
    "ServiceError",
    "Share",
    "UpsertedItems",
    "User",
    "UserExport",
    "UserListOptions",
]
