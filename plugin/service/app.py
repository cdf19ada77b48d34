"""The application: one address for each thing that the library does."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

import orjson
from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from seealso.errors import DataError, SeeAlsoError
from seealso.plugin.groups.lists import GroupList
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies import (
    MOST_PLACES,
    Answer,
    Answers,
    BatchBody,
    ExplainBody,
    GroupBody,
    ListOptions,
    NeighboursBody,
    PersonaliseBody,
    RecommendBody,
    Who,
)
from seealso.plugin.service.keys import RequireKey, bearer
from seealso.plugin.service.limits import LimitBodies, LimitRequests, NameRequests
from seealso.plugin.service.metrics import CountRequests, Metrics
from seealso.plugin.service.problems import add_problems, describe, problem
from seealso.types import User
from seealso.version import __version__

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": f"{HTTPStatus(status).phrase}: a problem (RFC 9457)",
        "content": {"application/problem+json": {}},
    }
    for status in (400, 401, 404, 408, 413, 422, 429, 500, 502, 503)
}
"""What an address may answer beside its answer."""

SPARE_THREADS: Final = 8
"""Threads beside those that answer requests."""


def create_app(recommender: Recommender) -> FastAPI:
    """Return the service over a recommender, which it closes when it ends.

    Parameters
    ----------
    recommender
        Who answers; it follows the alias, so a swap needs no restart.
    """
    settings, metrics = recommender.settings.service, Metrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # a thread for each request that may be answered, and for those who ask whether it is ready
        current_default_thread_limiter().total_tokens = settings.requests + SPARE_THREADS
        with recommender:
            yield

    app = FastAPI(
        title="seealso",
        version=__version__,
        description="Recommendations inside the OpenSearch you already run.",
        lifespan=lifespan,
        # their pages load scripts from elsewhere
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=PROBLEMS,
    )
    # the last one is the first to see a request
    app.add_middleware(LimitRequests, most=settings.requests)
    app.add_middleware(LimitBodies)
    app.add_middleware(RequireKey, keys=settings.keys)
    app.add_middleware(CountRequests, metrics=metrics)
    app.add_middleware(NameRequests)
    add_problems(app)
    described = [Depends(bearer)]
    for router in (
        _lists(recommender, metrics),
        _users(recommender),
        _numbers(recommender, metrics),
    ):
        app.include_router(router, dependencies=described)
    app.include_router(_health(recommender))
    return app


def _lists(recommender: Recommender, metrics: Metrics) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["lists"])

    def answer(found: RecommendationList | GroupList) -> dict[str, Any]:
        metrics.count_search(found.latency_ms)
        metrics.count_list(found.note)
        return _worded(found)

    @router.post("/recommend", response_model=Answer)
    def recommend(body: RecommendBody) -> Response:
        """Return a list for one user."""
        user = _user(recommender, body)
        (found,) = recommender.recommend_batch([user], **body.chosen("explain"))
        reasons = recommender.reasons(user, found.ids) if body.explain and found.ids else []
        beside = {"reasons": [one.as_dict() for one in reasons]} if body.explain else {}
        return _json({**answer(found), **beside})

    @router.post("/recommend/batch", response_model=Answers)
    def recommend_batch(body: BatchBody) -> Response:
        """Return a list for each of several users, in their order."""
        size = body.size or recommender.settings.recommend.size
        if len(body.users) * size > MOST_PLACES:
            raise DataError(
                f"users: {len(body.users)} lists of {size} are more than {MOST_PLACES:,} items",
                hint="ask for fewer users at once; `seealso recommend-batch` is for many",
            )
        users = _people(recommender, body.users)
        lists = recommender.recommend_batch(users, **body.chosen("users"))
        metrics.count_search(lists[0].latency_ms)
        for one in lists:
            metrics.count_list(one.note)
        return _json({"lists": [_worded(one) for one in lists]})

    @router.post("/related/{item_id:path}", response_model=Answer)
    def related(item_id: str, body: ListOptions | None = None) -> Response:
        """Return the items most related to an item."""
        options = (body or ListOptions()).chosen()
        return _json(answer(recommender.related(item_id, **options)))

    @router.post("/group", response_model=Answer)
    def group(body: GroupBody) -> Response:
        """Return one list for several people."""
        if body.group is not None and body.members is not None:
            raise DataError("give a group or members, and not both", field="members")
        members = body.group or _people(recommender, body.members or ())
        options = body.chosen("group", "members")
        found = recommender.recommend_group(
            members, words=body.words, attributes=body.attributes, **options
        )
        return _json(answer(found))

    return router


def _users(recommender: Recommender) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["users"])

    @router.post("/explain")
    def explain(body: ExplainBody) -> Response:
        """Return why items have their value for a user."""
        reasons = recommender.reasons(_user(recommender, body), body.items)
        return _json({"reasons": [one.as_dict() for one in reasons]})

    @router.post("/neighbours")
    def neighbours(body: NeighboursBody) -> Response:
        """Return the users most like one, by their pseudonyms."""
        user = _user(recommender, body)
        return _json(recommender.neighbours(user, size=body.size).as_dict())

    @router.post("/personalise")
    def personalise(body: PersonaliseBody) -> Response:
        """Return a search body ranked by the taste of a user, or what it finds."""
        ask: Callable[..., dict[str, Any]] = (
            recommender.search if body.send else recommender.personalise
        )
        user = _user(recommender, body)
        return _json(ask(body.body, user, weight=body.weight, window=body.window))

    return router


def _numbers(recommender: Recommender, metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/metrics", response_class=PlainTextResponse)
    def numbers() -> Response:
        """Return what the service counts, in the text format of Prometheus."""
        return Response(metrics.render(recommender.live), media_type=CONTENT_TYPE_LATEST)

    return router


def _health(recommender: Recommender) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz")
    async def healthz() -> Response:
        """Say that the service runs."""
        return _json({"status": "ok"})

    @router.get("/readyz")
    def readyz() -> Response:
        """Say whether it can answer: with which index and bundle."""
        try:
            live = recommender.refresh()
        except SeeAlsoError as exc:
            return problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                type(exc).__name__,
                describe(exc),
                exc.hint,
            )
        return _json({"status": "ready", "index": live.name, "bundle": live.fingerprint})

    return router


def _user(recommender: Recommender, who: Who) -> User:
    return recommender.user(
        who.user, history=who.history, words=who.words, attributes=who.attributes
    )


def _people(recommender: Recommender, people: Sequence[str | Who]) -> list[str | User]:
    """Return ids as they are, and users that are described put together."""
    return [one if isinstance(one, str) else _user(recommender, one) for one in people]


def _worded(found: RecommendationList | GroupList) -> dict[str, Any]:
    """Return a list in the words of the service."""
    plain = found.as_dict()
    return {
        "query_id": plain.pop("query_id", None),
        "index": plain.pop("index"),
        "bundle": plain.pop("fingerprint"),
        "took_ms": plain.pop("latency_ms"),
        "degraded": plain.pop("note") or None,
        **plain,
    }


def _json(content: Any) -> Response:
    encoded = orjson.dumps(content, default=str, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(encoded, media_type="application/json")
