"""Rendering inside the package: the same bodies as ``_render/template``, without a request.

Two rules of OpenSearch's mustache shape the templates. ``{{#toJson}}`` writes lists and objects
as JSON but a plain string as it is, so text stands between quotes, ``"{{words}}"``, where
OpenSearch escapes it for JSON. And ``{{#list}}`` repeats, so ``{{#list.size}}`` asks whether a
list is given, be it empty (a zero is true); ``{{^list}}`` is for absent and empty lists.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

import chevron_blue
import orjson
from chevron_blue.tokenizer import tokenize

from seealso.errors import TemplateError
from seealso.query_templates.files import source
from seealso.query_templates.parameters import check_known, encode, is_list

Token = tuple[str, str]


LAYOUTS: Final = 1024
"""Most bodies without values that are kept: one for each choice of parameters of a template."""

MARK: Final = "\x00"
"""Stands on both sides of the name of a parameter; JSON has it nowhere."""

LAYOUT: Final = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*")|\s+')
"""Strings, which stay, and the space between what is said, which goes."""


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
    found: dict[str, str] = {}
    for parameter in parsed.parameters:
        value = params.get(parameter)
        if value is not None and value is not False:
            found[parameter] = encode(name, parameter, value)
        elif parameter in parsed.required:
            raise TemplateError(
                f"{name}: parameter {parameter} is missing",
                hint=f"{name} needs {', '.join(parsed.required)}",
                template=name,
                parameter=parameter,
            )
    empty = frozenset(one for one, text in found.items() if text == "[]" and is_list(one))
    pieces = list(_lay_out(name, tuple(found), empty))
    pieces[1::2] = [found[parameter] for parameter in pieces[1::2]]
    return "".join(pieces).encode()


@lru_cache(LAYOUTS)
def _lay_out(name: str, present: tuple[str, ...], empty: frozenset[str]) -> tuple[str, ...]:
    """Return what a template says where certain parameters are present: text and names in turns.

    Mustache sees a mark for each value, and no value: which parts of a template are said depends
    on which parameters are present and which lists are empty, never on what values are.
    """
    marks = {parameter: f"{MARK}{parameter}{MARK}" for parameter in present}
    variables: dict[str, Any] = {
        one: JsonList("" if one in empty else mark) if is_list(one) else mark
        for one, mark in marks.items()
    }

    def to_json(literal: str, _: Callable[..., str]) -> str:
        return marks[literal]

    variables["toJson"] = to_json
    # values come encoded (see parameters.py): mustache's own escaping is for HTML
    tokens = _parsed(name).tokens
    text = chevron_blue.render(tokens, variables, partials_path=None, no_escape=True)
    pieces = tuple(LAYOUT.sub(lambda found: found["text"] or "", text).split(MARK))
    # any number in place of the values: proves the body to be JSON
    orjson.loads("0".join(pieces[::2]))
    return pieces


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
