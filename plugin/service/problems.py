"""Errors of the library as problems (RFC 9457): one mapping, for all that can go wrong."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from math import ceil
from typing import Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from seealso.cluster.request_id import request_id
from seealso.errors import (
    Busy,
    ClusterError,
    ConfigError,
    DataError,
    PartialAnswer,
    SeeAlsoError,
    TemplateError,
    Unavailable,
)
from seealso.log import logger
from seealso.plugin.service.addresses import address
from seealso.plugin.service.middleware import Middleware
from seealso.plugin.service.refused import Refused, refused_fields
from seealso.plugin.service.wording import describe_error

log = logger(__name__)

STATUS: Final[Mapping[type[SeeAlsoError], HTTPStatus]] = {
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    PartialAnswer: HTTPStatus.SERVICE_UNAVAILABLE,
    Busy: HTTPStatus.CONFLICT,
    ClusterError: HTTPStatus.BAD_GATEWAY,
    # attributes that the template of users cannot render, names that are no text
    TemplateError: HTTPStatus.UNPROCESSABLE_ENTITY,
    DataError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConfigError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Of the errors that are not the service's own fault; the first that fits counts."""

PASSING: Final = frozenset(
    {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT}
)
"""Of what may be right a moment later."""

RETRY_AFTER: Final = {"Retry-After": "1"}
"""Seconds after which a caller may ask again."""

DESCRIBED: Final = "/openapi.json describes every request"

LATER: Final = "ask again after Retry-After"

REPORT: Final = "tell those who run the service: its log says more under this X-Request-Id"
"""What callers can do about what is no fault of theirs."""


class Refusal(Exception):
    """Ends a request with a problem.

    Attributes
    ----------
    response
        The problem.
    """

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class DescribeUnexpected(Middleware):
    """Answers what nobody foresaw with a problem as well, and logs it once.

    Starlette's own handler stands outside of every other middleware, where the id of the request is
    gone, and raises the error again for the server to log.
    """

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on; a failure of whatever comes next is described."""
        begun = False

        async def note_begin(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, note_begin)
        except Exception:
            if begun:
                # half an answer is out: only the end of the connection can say that it is none
                raise
            what = "request %s, %s: an error that nobody foresaw"
            log.exception(what, request_id.get(), address.get())
            await _unexpected()(scope, receive, send)


def add_problems(app: FastAPI) -> None:
    """Let an app answer every error of its addresses as a problem."""
    app.add_exception_handler(Refusal, _answer_refusal)
    app.add_exception_handler(SeeAlsoError, _describe_own)
    app.add_exception_handler(RequestValidationError, _describe_invalid)
    app.add_exception_handler(HTTPException, _describe_http)


def problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
    refused: Sequence[Refused] | None = None,
) -> Response:
    """Return a problem as a response.

    Parameters
    ----------
    status
        Of the response.
    code
        For programs: what kind of error it is.
    detail, hint
        For people: what is wrong and where, and what to do about it.
    headers
        Of the response.
    refused
        For programs: each part of the request that is wrong.
    """
    content = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": detail,
        "hint": hint,
        **({} if refused is None else {"refused": refused}),
    }
    sent = {**(RETRY_AFTER if status in PASSING else {}), **(headers or {})}
    return Response(orjson.dumps(content), status, sent, "application/problem+json")


def all_refused(what: str, refused: Sequence[Refused]) -> Refusal:
    """Return what ends a request of which nothing can be used: the first part says why."""
    first = refused[0]
    detail = f"{what}: none can be read; the first: {first['field']} {first['reason']}"
    return Refusal(
        problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidRequest", detail, DESCRIBED, refused=refused
        )
    )


def report_failure(exc: SeeAlsoError) -> None:
    """Log what keeps the service from answering, and what can be done about it."""
    what = "; ".join(filter(None, (exc.message, exc.hint)))
    log.warning("request %s, %s: %s", request_id.get(), address.get(), what)


@contextmanager
def own_settings() -> Iterator[None]:
    """Answer 500 where the settings are at fault: no option of the request can be."""
    try:
        yield
    except ConfigError as exc:
        report_failure(exc)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        raise Refusal(problem(status, type(exc).__name__, exc.message, REPORT)) from exc


def status_of(exc: SeeAlsoError) -> HTTPStatus:
    """Return the status that an error of the library stands for."""
    if isinstance(exc, DataError) and "item_id" in exc.context:
        return HTTPStatus.NOT_FOUND
    if isinstance(exc, ClusterError) and "retry_after" in exc.context:
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(exc, ClusterError) and exc.context.get("status") == HTTPStatus.BAD_REQUEST:
        # a clause or a body that the caller sent on: nothing else of a search can be wrong
        return HTTPStatus.UNPROCESSABLE_ENTITY
    known = (status for kind, status in STATUS.items() if isinstance(exc, kind))
    return next(known, HTTPStatus.INTERNAL_SERVER_ERROR)


def hint_for_caller(exc: SeeAlsoError, status: HTTPStatus) -> str | None:
    """Return what somebody can do about an error who reaches the service alone, and no settings."""
    if status in PASSING:
        return LATER
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or exc.caller_hint == "":
        return REPORT
    return exc.caller_hint


def _answer_refusal(_: Request, exc: Exception) -> Response:
    if not isinstance(exc, Refusal):
        raise exc
    return exc.response


def _describe_own(_: Request, exc: Exception) -> Response:
    if not isinstance(exc, SeeAlsoError):
        raise exc
    status, code = status_of(exc), type(exc).__name__
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        report_failure(exc)
    elif exc.hint != exc.caller_hint:
        # the message is about what the caller sent, who was told it
        log.info("request %s, %s: %s: %s", request_id.get(), address.get(), code, exc.hint)
    later = exc.context.get("retry_after")
    headers = {"Retry-After": str(ceil(later))} if isinstance(later, float) else None
    return problem(status, code, describe_error(exc), hint_for_caller(exc, status), headers)


def _describe_invalid(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, RequestValidationError):
        raise exc
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    of_body = any(one["loc"][0] == "body" for one in exc.errors())
    if of_body and kind != "application/json":
        detail = f"the body must be JSON, and its content type is {kind or 'not there'}"
        return problem(status, "InvalidRequest", detail, "send content-type: application/json")
    broken = next((one for one in exc.errors() if one["type"] == "json_invalid"), None)
    if broken is not None:
        reason = broken.get("ctx", {}).get("error", "it is broken")
        detail = f"the body is no JSON: {reason}, at character {broken['loc'][-1]}"
        return problem(HTTPStatus.BAD_REQUEST, "InvalidRequest", detail, DESCRIBED)
    # pydantic's places begin with the part of the request, which whoever sent it knows
    sent = {"body": exc.body, "query": dict(request.query_params), "path": request.path_params}
    found = refused_fields(exc.errors(), sent)
    refused = [{**one, "field": one["field"].partition(".")[2]} for one in found]
    first = refused[0]
    detail = f"{first['field'] or 'the body'}: {first['reason']}"
    return problem(status, "InvalidRequest", detail, DESCRIBED, refused=refused)


def _describe_http(_: Request, exc: Exception) -> Response:
    if not isinstance(exc, HTTPException):
        raise exc
    status = HTTPStatus(exc.status_code)
    if status is HTTPStatus.BAD_REQUEST:
        detail = "the body cannot be read as JSON in UTF-8"
        hint = "send it as it is, not compressed, nested less deep, and with shorter numbers"
        return problem(status, "InvalidRequest", detail, hint)
    return problem(
        status, status.name, str(exc.detail), "/openapi.json lists every address", exc.headers
    )


def _unexpected() -> Response:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Unexpected",
        "the service failed in a way that nobody foresaw",
        REPORT,
    )
