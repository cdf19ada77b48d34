"""Rendering inside the package: the same bodies as ``_render/template``, without a request.

Two rules of OpenSearch's mustache shape the templates. ``{{#toJson}}`` writes lists and objects
as JSON but a plain string as it is, so text stands between quotes, ``"{{words}}"``, where
OpenSearch escapes it for JSON. And ``{{#list}}`` repeats, so ``{{#list.size}}`` asks whether a
list is given, be it empty (a zero is true); ``{{^list}}`` is for absent and empty lists.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import chevron_blue
import orjson
from chevron_blue.tokenizer import tokenize

from seealso.errors import TemplateError
from seealso.query_templates.files import source
from seealso.query_templates.parameters import check_known, encode, is_list

Token = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed template: its tokens, and the parameters that they name, in order."""

    tokens: tuple[Token, ...]
    parameters: tuple[str, ...]
    required: tuple[str, ...]


@cache
def _parsed(name: str) -> Parsed:
    tokens = tuple(tokenize(source(name)))
    used: dict[str, None] = {}
    required: dict[str, None] = {}
    depth, to_json = 0, False
    for kind, key in tokens:
        if key == "toJson":
            to_json = kind == "section"
        elif kind in ("section", "inverted section"):
            used.setdefault(key.removesuffix(".size"))
            depth += 1
        elif kind == "end":
            depth -= 1
        elif kind == "variable" or (kind == "literal" and to_json):
            used.setdefault(key)
            if depth == 0:
                required.setdefault(key)
    return Parsed(tokens, tuple(used), tuple(required))


class JsonList(str):
    """The JSON of a list, to mustache: true unless empty, and with a size in any case."""

    size = True


def parameters(name: str) -> Mapping[str, bool]:
    """Return the parameters of template `name`, each with whether it must be given; those first.

    Raises
    ------
    TemplateError
        There is no such template.
    """
    parsed = _parsed(name)
    ordered = dict.fromkeys((*parsed.required, *parsed.parameters))
    return {parameter: parameter in parsed.required for parameter in ordered}


def render(name: str, params: Mapping[str, Any]) -> bytes:
    """Return the request body that template `name` makes of `params`, as compact JSON.

    Parameters
    ----------
    name
        One of `names`.
    params
        Values by parameter; None and False count as not given. A vector is a flat list of
        numbers or an array, shape (dimension,). What another template takes is ignored here.

    Raises
    ------
    TemplateError
        No such template or parameter, a required parameter is missing, or a value is not what
        its parameter takes (a vector with NaN, for instance).
    """
    parsed = _parsed(name)
    check_known(name, params)
    variables: dict[str, Any] = {}
    json: dict[str, str] = {}
    for parameter in parsed.parameters:
        value = params.get(parameter)
        if value is not None and value is not False:
            json[parameter] = text = encode(name, parameter, value)
            variables[parameter] = JsonList(text.removeprefix("[]")) if is_list(parameter) else text
        elif parameter in parsed.required:
            raise TemplateError(
                f"{name}: parameter {parameter} is missing",
                hint=f"{name} needs {', '.join(parsed.required)}",
                template=name,
                parameter=parameter,
            )

    def to_json(literal: str, _: Callable[..., str]) -> str:
        return json[literal]

    variables["toJson"] = to_json
    # values come encoded (see parameters.py): mustache's own escaping is for HTML
    text = chevron_blue.render(parsed.tokens, variables, partials_path=None, no_escape=True)
    # decoding and encoding again leaves out the layout, and proves the body to be JSON
    return orjson.dumps(orjson.loads(text))


def msearch(index: str, bodies: Sequence[bytes], header: Mapping[str, str] | None = None) -> bytes:
    """Return the NDJSON of an ``_msearch`` that sends each of `bodies` to `index`.

    Parameters
    ----------
    index
        Name of an index or alias.
    bodies
        Request bodies on one line each, as `render` makes them.
    header
        What the line before each says beside the index.
    """
    first = orjson.dumps({"index": index, **(header or {})})
    return b"".join(first + b"\n" + body + b"\n" for body in bodies)
