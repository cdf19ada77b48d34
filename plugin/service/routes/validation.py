"""What a list would be asked for with, before anybody asks."""

from fastapi import APIRouter, Response

from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies.lists import Planned, RecommendBody
from seealso.plugin.service.routes.answers import as_json
from seealso.plugin.service.wording import describe_origin, read_user


def validation_routes(recommender: Recommender) -> APIRouter:
    """Return the address that says what a list would be asked for with."""
    router = APIRouter(prefix="/v1", tags=["lists"])

    @router.post("/validate", response_model=Planned)
    def validate(body: RecommendBody) -> Response:
        """Return what `/v1/recommend` would send to OpenSearch, and rank nothing.

        What the profile is made of is read: the user, items of the history, neighbours. The search
        for reasons (`explain`) is about the items of the list, so it is not among the requests.
        """
        user = read_user(recommender, body)
        found = recommender.plan_recommend(user, **body.chosen("explain"))
        return as_json(describe_origin(found.as_dict()))

    return router
