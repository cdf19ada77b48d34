"""What watches ask: whether the service runs, whether it can answer, and what it counts."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from seealso.errors import SeeAlsoError
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.metrics import Metrics
from seealso.plugin.service.outcomes import OutcomeWatch
from seealso.plugin.service.problems import hint_for_caller, problem, report_failure
from seealso.plugin.service.routes.answers import as_json
from seealso.plugin.service.wording import describe_error


def metric_routes(recommender: Recommender, metrics: Metrics) -> APIRouter:
    """Return the address of the numbers."""
    router = APIRouter(tags=["health"])
    outcomes = OutcomeWatch(recommender)

    @router.get("/metrics", response_class=PlainTextResponse)
    def show_numbers() -> Response:
        """Return what the service counts, in the text format of Prometheus."""
        numbers = metrics.render(recommender.live, outcomes)
        return Response(numbers, media_type=CONTENT_TYPE_LATEST)

    return router


def health_routes(recommender: Recommender) -> APIRouter:
    """Return the addresses that watches ask: whether it runs, whether it can answer."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> Response:
        """Say that the service runs."""
        return as_json({"status": "ok"})

    @router.get("/readyz")
    def readyz() -> Response:
        """Say whether it can answer: with which index and bundle."""
        try:
            live = recommender.check()
        except SeeAlsoError as exc:
            report_failure(exc)
            status = HTTPStatus.SERVICE_UNAVAILABLE
            hint = hint_for_caller(exc, status)
            return problem(status, type(exc).__name__, describe_error(exc), hint)
        return as_json({"status": "ready", "index": live.name, "bundle": live.fingerprint})

    return router
