"""Asks a service of seealso (``seealso serve``) in the words of the library.

It needs the extra ``client``, and nothing of what answers: no model, no OpenSearch::

    from seealso.client import Client

    with Client("https://recommend.example.org") as client:
        print(client.recommend("ann", size=5).ids)
"""

from seealso.client.answers import (
    Explanation,
    GroupList,
    GroupRecommendation,
    MatchedWord,
    Neighbour,
    NeighbourList,
    Recommendation,
    RecommendationList,
    Share,
)
from seealso.client.client import Client
from seealso.client.requests import (
    GroupListOptions,
    ListOptions,
    PopularOptions,
    User,
    UserListOptions,
)
from seealso.errors import ServiceError

__all__ = [
    "Client",
    "Explanation",
    "GroupList",
    "GroupListOptions",
    "GroupRecommendation",
    "ListOptions",
    "MatchedWord",
    "Neighbour",
    "NeighbourList",
    "PopularOptions",
    "Recommendation",
    "RecommendationList",
    "ServiceError",
    "Share",
    "User",
    "UserListOptions",
]
