"""What is known of a user: reasons, neighbours, a search body ranked by taste."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response

from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies.lists import ExplainBody, NeighboursBody, PersonaliseBody
from seealso.plugin.service.routes.answers import as_json
from seealso.plugin.service.wording import describe_neighbours, describe_reasons, read_user


def user_routes(recommender: Recommender) -> APIRouter:
    """Return the addresses of what is known of a user."""
    router = APIRouter(prefix="/v1", tags=["users"])

    @router.post("/explain")
    def explain(body: ExplainBody) -> Response:
        """Return why items have their value for a user."""
        reasons = recommender.reasons(read_user(recommender, body), body.items)
        return as_json({"reasons": describe_reasons(reasons)})

    @router.post("/neighbours")
    def neighbours(body: NeighboursBody) -> Response:
        """Return the users most like one, by their pseudonyms."""
        user = read_user(recommender, body)
        return as_json(describe_neighbours(recommender.neighbours(user, size=body.size)))

    @router.post("/personalise")
    def personalise(body: PersonaliseBody) -> Response:
        """Return a search body ranked by the taste of a user, or what it finds."""
        ask: Callable[..., dict[str, Any]] = (
            recommender.search if body.send else recommender.personalise
        )
        user = read_user(recommender, body)
        return as_json(ask(body.body, user, weight=body.weight, window=body.window))

    return router
