"""What the page asks for; bad input gets the problems that every address of the service gives."""

from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Query, Response
from starlette.routing import BaseRoute

from seealso.errors import DataError
from seealso.plugin.profiles.users import read_ids
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.keys import require_scope
from seealso.plugin.service.playground.bodies import (
    GroupListBody,
    ItemsBody,
    ListBody,
    PlaceBody,
    ReasonsBody,
    UserBody,
    VoteBody,
)
from seealso.plugin.service.playground.catalogue import Catalogue
from seealso.plugin.service.playground.overview import Overview, list_users
from seealso.plugin.service.playground.pages import page_routes
from seealso.plugin.service.playground.positions import MOST_SAMPLED, Maps
from seealso.plugin.service.playground.views import Views
from seealso.plugin.service.playground.votes import Votes
from seealso.plugin.service.problems import own_settings
from seealso.plugin.service.routes.answers import as_json
from seealso.plugin.service.wording import (
    describe_list,
    describe_origin,
    describe_reasons,
    read_members,
    read_user,
)

ADDRESS: Final = "/v1/playground"

MOST_HISTORY: Final = 100
"""Items of a history that are shown."""

MOST_USERS: Final = 200
"""Users that are listed at once."""


def add_playground(app: FastAPI, recommender: Recommender) -> list[BaseRoute]:
    """Give the service its page, and the addresses that the page asks; return all of these.

    Other programs have the documented ones, so that these are not described in OpenAPI. They list
    users and write votes: a key needs the scope ``admin``.
    """
    views, page = Views(recommender), page_routes()
    app.include_router(page, include_in_schema=False)
    votes = Votes(recommender.settings.service.votes)
    routers = (list_routes(views), item_routes(recommender, views, votes), vote_routes(votes))
    for router in routers:
        app.include_router(router, include_in_schema=False, dependencies=[require_scope("admin")])
    return [route for router in (page, *routers) for route in router.routes]


def list_routes(views: Views) -> APIRouter:
    """Return the addresses of lists, which are not logged, of whichever index."""
    router = APIRouter(prefix=ADDRESS)

    @router.post("/list")
    def make_list(body: ListBody) -> Response:
        view = views.of(body.index)
        user = read_user(view, body)
        (found,) = view.recommend_batch([user], **body.chosen("index"))
        return as_json(describe_list(found))

    @router.post("/reasons")
    def explain(body: ReasonsBody) -> Response:
        view = views.of(body.index)
        return as_json(
            {"reasons": describe_reasons(view.reasons(read_user(view, body), body.items))}
        )

    @router.post("/plan")
    def plan(body: ListBody) -> Response:
        view = views.of(body.index)
        found = view.plan_recommend(read_user(view, body), **body.chosen("index"))
        return as_json(describe_origin(found.as_dict()))

    @router.post("/group")
    def make_group_list(body: GroupListBody) -> Response:
        view = views.of(body.index)
        found = view.recommend_group(
            read_members(view, body),
            words=body.words,
            attributes=body.attributes,
            **body.chosen("group", "members", "index"),
        )
        return as_json(describe_list(found))

    return router


def item_routes(recommender: Recommender, views: Views, votes: Votes) -> APIRouter:
    """Return the addresses of users, items and maps."""
    router = APIRouter(prefix=ADDRESS)
    settings, cluster = recommender.settings, recommender.cluster
    catalogue = Catalogue(cluster.hurry(settings.cluster.deadline), settings)
    overview = Overview(recommender, views, catalogue, votes)
    maps = Maps(cluster, next(iter(settings.catalogue.text), None))

    @router.get("")
    def show() -> Response:
        with own_settings():
            return as_json(overview.describe())

    @router.get("/users")
    def users(start: str = "", size: Annotated[int, Query(ge=1, le=MOST_USERS)] = 50) -> Response:
        return as_json(list_users(recommender, start, size))

    @router.post("/user")
    def user(body: UserBody) -> Response:
        found = recommender.user(body.user)
        items, unknown = catalogue.by_ids([one.item_id for one in found.history[:MOST_HISTORY]])
        return as_json(
            {
                "user": found.user_id,
                "known": bool(found.user_id and recommender.known([found.user_id])),
                "history": items,
                "unknown": unknown,
                "seen": len(found.seen),
                "attributes": found.attributes,
            }
        )

    @router.post("/items")
    def items(body: ItemsBody) -> Response:
        if (body.ids is None) == (body.words is None):
            raise DataError("give ids or words, and not both", field="words")
        if body.ids is not None:
            found, unknown = catalogue.by_ids(read_ids("ids", body.ids))
        else:
            found, unknown = catalogue.by_words(body.words or "", body.size), []
        return as_json({"items": found, "unknown": unknown})

    @router.get("/map")
    def draw(
        index: str | None = None,
        size: Annotated[int, Query(ge=1, le=MOST_SAMPLED)] = MOST_SAMPLED,
    ) -> Response:
        return as_json(maps.of(views.of(index).check()).describe(size))

    @router.post("/place")
    def place(body: PlaceBody) -> Response:
        view = views.of(body.index)
        user, found, unknown = maps.place(
            view, read_user(view, body), read_ids("items", body.items)
        )
        return as_json({"user": user, "items": found, "unknown": unknown})

    return router


def vote_routes(votes: Votes) -> APIRouter:
    """Return the address that writes votes."""
    router = APIRouter(prefix=ADDRESS)

    @router.post("/votes")
    def vote(body: VoteBody) -> Response:
        with own_settings():
            return as_json({"votes": votes.add(body)})

    return router
