"""Text templates: they pick, test, loop over and format fields, in a sandbox with bounds."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import ChainableUndefined, Template, TemplateSyntaxError
from jinja2 import TemplateError as JinjaError
from jinja2.meta import find_undeclared_variables

from seealso.encoder.sandbox import (
    BUDGET,
    LONGEST_SOURCE,
    MOST_CHARACTERS,
    Budget,
    Sandbox,
    bounded,
    cut,
    write,
)
from seealso.errors import TemplateError


def compile_template(name: str, source: str) -> Template:
    """Compile a text template.

    Parameters
    ----------
    name
        Name of the setting, for errors: ``text.item``.
    source
        The template.

    Raises
    ------
    TemplateError
        The syntax is wrong, or it uses what a text template may not.
    """
    if len(source) > LONGEST_SOURCE:
        raise _readable(name, f"has {len(source):,} characters, more than {LONGEST_SOURCE:,}")
    sandbox = Sandbox(undefined=ChainableUndefined, finalize=write, autoescape=False)
    try:
        return sandbox.from_string(bounded(sandbox.parse(source)))
    except TemplateSyntaxError as exc:
        raise _readable(name, f"line {exc.lineno}: {exc.message}") from exc
    except (JinjaError, RecursionError) as exc:
        raise _readable(name, str(exc)) from exc


def names_read(source: str) -> frozenset[str]:
    """Return the names of the fields that a template reads; `source` can be compiled."""
    return frozenset(find_undeclared_variables(Sandbox().parse(source)) - {"range", "fields"})


def render_template(name: str, template: Template, fields: Mapping[str, Any]) -> str:
    """Render a text: white space collapsed, cut after `MOST_CHARACTERS`.

    Parameters
    ----------
    name
        Name of the setting, for errors.
    template
        What `compile_template` made.
    fields
        Values by name; one that is missing or None is empty.

    Raises
    ------
    TemplateError
        The template uses something that is not allowed or not possible.
    """
    try:
        values = {name: cut(value) for name, value in fields.items()}
        return " ".join(_cut(template.generate({**values, BUDGET: Budget()})).split())
    except JinjaError as exc:
        raise _readable(name, exc.message or str(exc)) from exc
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as exc:
        raise _readable(name, f"{type(exc).__name__}: {exc}") from exc


def _cut(pieces: Iterable[str]) -> str:
    text, length = [], 0
    for piece in pieces:
        text.append(piece)
        length += len(piece)
        if length >= MOST_CHARACTERS:
            break
    return "".join(text)[:MOST_CHARACTERS]


def _readable(name: str, reason: str) -> TemplateError:
    return TemplateError(
        f"{name}: {reason}", hint="see docs/reference/settings.md for text templates", template=name
    )


Renderer = Callable[[Mapping[str, Any]], str]
"""Renders one template."""


def renderer(name: str, source: str) -> Renderer:
    """Compile `source` and return the function that renders it; errors as above."""
    template = compile_template(name, source)

    def render(fields: Mapping[str, Any]) -> str:
        return render_template(name, template, fields)

    return render
