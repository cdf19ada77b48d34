"""Answers as JSON."""

from typing import Any

import orjson
from fastapi import Response


def as_json(content: Any) -> Response:
    """Return an answer as JSON."""
    encoded = orjson.dumps(content, default=str, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(encoded, media_type="application/json")
