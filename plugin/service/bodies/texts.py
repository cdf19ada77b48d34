"""Texts in bodies of requests: what OpenSearch can hold, and what can be the name of somebody."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from seealso.decoding import NO_TEXT, holds_half


def _whole(text: str) -> str:
    if holds_half(text):
        raise PydanticCustomError("half_a_pair", NO_TEXT)
    return text


def _not_blank(text: str) -> str:
    # a variable that a page did not set is nobody, and nobody is null
    if not text.strip():
        raise PydanticCustomError("blank", "is empty; null is nobody that is known")
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_whole)]
"""JSON allows half an emoji, as is left where a text was cut; no index can hold it."""

UserName: TypeAlias = Annotated[Text, AfterValidator(_not_blank)]
"""The id of a user."""
