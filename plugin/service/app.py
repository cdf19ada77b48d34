"""The application: one address for each thing that the library does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Final

from anyio import create_task_group, sleep
from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.params import Depends as Requirement

from seealso.errors import SeeAlsoError
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.addresses import AnswerHead, FindAddress
from seealso.plugin.service.keys import RequireKey, require_scope
from seealso.plugin.service.last_popular import RENEW_SECONDS, LastPopular
from seealso.plugin.service.limits import LimitBodies, LimitRequests, NameRequests
from seealso.plugin.service.metrics import CountRequests, Metrics
from seealso.plugin.service.parameters import refuse_parameters
from seealso.plugin.service.playground.routes import add_playground
from seealso.plugin.service.problems import (
    DescribeUnexpected,
    add_problems,
    hint_for_caller,
    problem,
)
from seealso.plugin.service.routes.answers import as_json
from seealso.plugin.service.routes.events import event_routes
from seealso.plugin.service.routes.health import health_routes, metric_routes
from seealso.plugin.service.routes.items import item_routes
from seealso.plugin.service.routes.lists import list_routes
from seealso.plugin.service.routes.pipelines import pipeline_routes
from seealso.plugin.service.routes.privacy import privacy_routes
from seealso.plugin.service.routes.users import user_routes
from seealso.plugin.service.routes.validation import validation_routes
from seealso.plugin.service.wording import describe_error
from seealso.version import __version__

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": f"{HTTPStatus(status).phrase}: a problem (RFC 9457)",
        "content": {"application/problem+json": {}},
    }
    for status in (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503)
}
"""What an address may answer beside its answer."""

SPARE_THREADS: Final = 8
"""Threads beside those that answer requests."""


def create_app(recommender: Recommender) -> FastAPI:
    """Return the service over a recommender, which it closes when it ends.

    Parameters
    ----------
    recommender
        Who answers; it follows the alias, so a swap needs no restart, and no caller waits for one.
    """
    recommender.load_beside()
    settings, metrics = recommender.settings.service, Metrics()
    popular_list = LastPopular(recommender) if settings.stand_in == "popular" else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # a thread for each request that may be answered, and for those who ask whether it is ready
        current_default_thread_limiter().total_tokens = settings.requests + SPARE_THREADS
        with recommender:
            async with create_task_group() as tasks:
                tasks.start_soon(_keep_new, recommender, popular_list)
                yield
                tasks.cancel_scope.cancel()

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
        dependencies=[Depends(refuse_parameters)],
    )
    routers: list[tuple[APIRouter, list[Requirement]]] = [
        (list_routes(recommender, metrics, popular_list), [require_scope("read")]),
        (validation_routes(recommender), [require_scope("read")]),
        (user_routes(recommender), [require_scope("read")]),
        (pipeline_routes(recommender), [require_scope("read")]),
        (metric_routes(recommender, metrics), [require_scope("read")]),
        (event_routes(recommender, metrics), [require_scope("events")]),
        (item_routes(recommender), [require_scope("admin")]),
        (privacy_routes(recommender), [require_scope("admin")]),
        (health_routes(recommender), []),
    ]
    routes = [*app.routes, *(route for router, _ in routers for route in router.routes)]
    for router, needed in routers:
        app.include_router(router, dependencies=needed)
    if settings.playground:
        routes += add_playground(app, recommender)
    # the last one is the first to see a request
    app.add_middleware(LimitRequests, most=settings.requests)
    app.add_middleware(LimitBodies)
    app.add_middleware(RequireKey, keys=settings.keys)
    app.add_middleware(CountRequests, metrics=metrics)
    app.add_middleware(DescribeUnexpected)
    app.add_middleware(FindAddress, routes=routes)
    app.add_middleware(AnswerHead)
    app.add_middleware(NameRequests)
    add_problems(app)
    return app


def create_waiting_app(failure: SeeAlsoError) -> FastAPI:
    """Return what answers instead of the service while this cannot be opened: why, and 503.

    Parameters
    ----------
    failure
        Why the recommender cannot be opened now.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(AnswerHead)
    app.add_middleware(NameRequests)

    @app.get("/healthz")
    async def healthz() -> Response:
        return as_json({"status": "ok"})

    @app.api_route("/{path:path}", methods=["GET", "POST", "DELETE"])
    async def refuse() -> Response:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        hint = hint_for_caller(failure, status)
        return problem(status, type(failure).__name__, describe_error(failure), hint)

    return app


async def _keep_new(recommender: Recommender, popular_list: LastPopular | None) -> None:
    """Renew the list that stands in, as long as the service runs; look for a new index at least."""
    while True:
        with suppress(SeeAlsoError):
            await run_sync(recommender.check if popular_list is None else popular_list.renew)
        await sleep(RENEW_SECONDS)
