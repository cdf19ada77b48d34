"""What a search pipeline of the cluster sends, and what it gets: both go through its templates."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from seealso.plugin.service.bodies.lists import Body, Who

EXTENSION = "ml_inference"
"""The part of ``ext`` in a search body that the processor of the cluster reads: who searches."""


class Searcher(Who):
    """Who searches, and how much their preference counts: ``ext.ml_inference`` of a search body.

    Other processors read it, too: a name that is not known is theirs.
    """

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    weight: float | None = None
    window: int | None = None


class PipelineBody(Body):
    """A search as the cluster received it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "body": {
                        "query": {"match": {"title": "tent"}},
                        "ext": {"ml_inference": {"user": "anna"}},
                    }
                }
            ]
        }
    )

    body: dict[str, Any] = Field(
        description="The search body. Its `ext.ml_inference` says who searches: `user`, `history`, "
        "`session`, `words`, `attributes`, and `weight` or `window` instead of those of the "
        "settings."
    )


class PipelineAnswer(BaseModel):
    """The search that the cluster carries out instead."""

    body: str = Field(
        description="The new search body as a text, in which `$` is written as `\\u0024`: the "
        "cluster puts it into a template."
    )
    degraded: str | None = Field(description="Why the body stayed as it was; null if it did not.")
