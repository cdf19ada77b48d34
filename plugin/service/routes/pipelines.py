"""Searches of a cluster that personalises them by itself, with a search pipeline."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import APIRouter, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from seealso.errors import DataError
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies.pipelines import (
    EXTENSION,
    PipelineAnswer,
    PipelineBody,
    Searcher,
)
from seealso.plugin.service.routes.answers import as_json
from seealso.plugin.service.wording import read_user

UNKNOWN: Final = "nothing is known about the user"


def pipeline_routes(recommender: Recommender) -> APIRouter:
    """Return the address that a search pipeline asks."""
    router = APIRouter(prefix="/v1", tags=["users"])

    @router.post("/personalise/pipeline", response_model=PipelineAnswer)
    def personalise_search(body: PipelineBody) -> Response:
        """Return a search body that names its user, ranked by the user's taste, as a text.

        A body that cannot be personalised comes back as it is, and `degraded` says why: it is a
        search that somebody waits for.
        """
        search, searcher = body.body, _read_searcher(body.body)
        degraded = None
        try:
            found = recommender.personalise(
                search,
                read_user(recommender, searcher),
                weight=searcher.weight,
                window=searcher.window,
            )
        except DataError as exc:
            found, degraded = search, exc.message
        if found == search and degraded is None:
            degraded = UNKNOWN
        return as_json({"body": _as_text(found), "degraded": degraded})

    return router


def _read_searcher(search: Mapping[str, Any]) -> Searcher:
    """Return who searches.

    Raises
    ------
    RequestValidationError
        The body does not say so, or says it wrongly.
    """
    extensions = search.get("ext")
    description = extensions.get(EXTENSION) if isinstance(extensions, Mapping) else None
    try:
        return Searcher.model_validate(description)
    except ValidationError as exc:
        place = ("body", "body", "ext", EXTENSION)
        errors = [{**one, "loc": (*place, *one["loc"])} for one in exc.errors(include_url=False)]
        sent = {"body": {"ext": {EXTENSION: description}}}
        raise RequestValidationError(errors, body=sent) from exc


def _as_text(search: Mapping[str, Any]) -> str:
    """Return a search body as JSON that no template of the cluster changes.

    It puts the text in place of a variable and looks for variables in the outcome again: words of
    a user like ``${body}`` must not be any. In JSON, a ``$`` stands in strings alone.
    """
    return orjson.dumps(search).decode().replace("$", "\\u0024")
