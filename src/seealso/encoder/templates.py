"""Text templates: they pick, test, loop over and format fields, in a sandbox with bounds."""

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import ChainableUndefined, TemplateSyntaxError
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


class TextTemplate:
    """A text template that may do nothing but write a text.

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

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        if len(source) > LONGEST_SOURCE:
            raise self._error(f"has {len(source):,} characters, more than {LONGEST_SOURCE:,}")
        sandbox = Sandbox(undefined=ChainableUndefined, finalize=write, autoescape=False)
        try:
            self._template = sandbox.from_string(bounded(sandbox.parse(source)))
        except TemplateSyntaxError as exc:
            raise self._error(f"line {exc.lineno}: {exc.message}") from exc
        except (JinjaError, RecursionError) as exc:
            raise self._error(str(exc)) from exc

    def render(self, fields: Mapping[str, Any]) -> str:
        """Render a text: white space collapsed, cut after `MOST_CHARACTERS`.

        Parameters
        ----------
        fields
            Values by name; one that is missing or None is empty.

        Raises
        ------
        TemplateError
            The template asks for what it may not have, or for something that cannot be done.
        """
        try:
            values = {name: cut(value) for name, value in fields.items()}
            return " ".join(_cut(self._template.generate({**values, BUDGET: Budget()})).split())
        except JinjaError as exc:
            raise self._error(exc.message or str(exc)) from exc
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as exc:
            raise self._error(f"{type(exc).__name__}: {exc}") from exc

    def _error(self, reason: str) -> TemplateError:
        hint = "see docs/reference/settings.md for text templates"
        fitting = "send attributes as the template reads them"
        return TemplateError(
            f"{self._name}: {reason}", hint=hint, caller_hint=fitting, template=self._name
        )


def names_read(source: str) -> frozenset[str]:
    """Return the names of the fields that a template reads; `source` can be compiled."""
    return frozenset(find_undeclared_variables(Sandbox().parse(source)) - {"range", "fields"})


def _cut(pieces: Iterable[str]) -> str:
    text, length = [], 0
    for piece in pieces:
        text.append(piece)
        length += len(piece)
        if length >= MOST_CHARACTERS:
            break
    return "".join(text)[:MOST_CHARACTERS]
