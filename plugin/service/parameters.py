"""Parameters behind a question mark: one that an address does not have is refused, not ignored."""

from http import HTTPStatus

from fastapi import Request
from fastapi.routing import APIRoute

from seealso.plugin.service.problems import Refusal, problem

IN_BODY = "options of a request go into its body, as JSON; /openapi.json describes every request"


async def refuse_parameters(request: Request) -> None:
    """Let every address depend on that all parameters of a request are its own.

    Raises
    ------
    Refusal
        One is not; the problem names it.
    """
    route = request.scope["route"]
    own = [one.alias for one in route.dependant.query_params] if isinstance(route, APIRoute) else []
    names = [name for name in request.query_params if name not in own]
    if names:
        reason = "this address has no such parameter"
        raise Refusal(
            problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "InvalidRequest",
                f"{names[0]:.60}: {reason}",
                f"it has {', '.join(own)}" if own else IN_BODY,
                refused=[{"field": name, "reason": reason} for name in names],
            )
        )
