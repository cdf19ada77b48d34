"""The base of every section of settings, and the message about a refused value."""

import re

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class Section(BaseModel):
    """A group of settings: frozen; unknown keys, infinity and NaN refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


def describe_refusal(error: ErrorDetails) -> str:
    """Say what a refused value must be: pydantic's own sentence, without its vocabulary."""
    if error["type"] in ("model_type", "dict_type"):
        return "must be an object with names and values"
    message = error["msg"].removeprefix("Value error, ").partition(", unable to parse")[0]
    return re.sub(r"^\w+ should ", "must ", message).replace("a valid integer", "a whole number")


def describe_first_refusal(exc: ValidationError) -> str:
    """Say which value was refused first, and what it must be."""
    first = exc.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {describe_refusal(first)}".removeprefix(": ")
