"""Jinja in a sandbox: a template may come with a bundle from elsewhere, so it is not trusted.

It can pick, test, loop over and format fields. It cannot reach Python or run away.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import ChainableUndefined, Template, TemplateSyntaxError, Undefined, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from seealso.errors import TemplateError

MOST_CHARACTERS = 20_000
"""A rendered text is cut here: no model reads that far."""
_MOST_STEPS = 1_000
_DEEPEST_LOOP = 2
_REFUSED_NODES = (
    # each of them can grow a text or a run without bound, and none is needed for a line of text
    nodes.Macro, nodes.CallBlock, nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends,
    nodes.Block, nodes.Assign, nodes.AssignBlock, nodes.Pow,
)  # fmt: skip
_FILTERS = (
    "abs", "batch", "capitalize", "default", "d", "dictsort", "first", "float", "int", "items",
    "join", "last", "length", "count", "list", "lower", "map", "max", "min", "reject",
    "rejectattr", "round", "select", "selectattr", "slice", "sort", "string", "striptags", "sum",
    "title", "trim", "truncate", "unique", "upper", "wordcount",
)  # fmt: skip
_METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (str, frozenset({"lower", "upper", "title", "capitalize", "strip", "split", "startswith",
                     "endswith", "isdigit"})),
    (Mapping, frozenset({"items", "keys", "values", "get"})),
)  # fmt: skip


class _Sandbox(ImmutableSandboxedEnvironment):
    """Only fields, a few methods, short ranges; arithmetic on numbers alone."""

    intercepted_binops = frozenset({"*", "%"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        """Allow the few methods above; fields are keys and need no leave."""
        if isinstance(obj, (LoopContext, Undefined)):
            return not attr.startswith("_")
        return any(isinstance(obj, kind) and attr in names for kind, names in _METHODS)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        """Refuse aloud what Jinja's own sandbox passes over as undefined."""
        raise SecurityError(f"{attribute!r} of {type(obj).__name__} may not be used")

    def wrap_str_format(self, value: Any) -> None:
        """Let ``str.format`` be refused like any method: a field width can be a billion."""

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse the operators that make a long text out of a short one."""
        if not all(isinstance(side, (int, float)) for side in (left, right)):
            raise SecurityError(f"{operator!r} works on numbers only")
        return super().call_binop(context, operator, left, right)


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
    sandbox = _Sandbox(undefined=ChainableUndefined, finalize=_written, autoescape=False)
    sandbox.globals = {"range": _short_range}
    sandbox.filters = {key: sandbox.filters[key] for key in _FILTERS if key in sandbox.filters}
    sandbox.filters["replace"] = _replace
    try:
        _check(sandbox.parse(source), depth=0)
        return sandbox.from_string(source)
    except TemplateSyntaxError as exc:
        raise _readable(name, f"line {exc.lineno}: {exc.message}") from exc
    except (JinjaError, RecursionError) as exc:
        raise _readable(name, str(exc)) from exc


def names_read(source: str) -> frozenset[str]:
    """Return the names of the fields that a template reads; `source` can be compiled."""
    return frozenset(find_undeclared_variables(_Sandbox().parse(source)) - {"range", "fields"})


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
        The template asks for what it may not have, or for something that cannot be done.
    """
    try:
        return " ".join(_cut(template.generate(dict(fields))).split())
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


def _check(node: nodes.Node, depth: int) -> None:
    if isinstance(node, _REFUSED_NODES):
        raise SecurityError(f"{type(node).__name__} may not be used in a text template")
    if isinstance(node, nodes.For):
        depth += 1
        if depth > _DEEPEST_LOOP or node.recursive:
            raise SecurityError(f"loops may be {_DEEPEST_LOOP} deep and not recursive")
    for child in node.iter_child_nodes():
        _check(child, depth)


def _written(value: Any) -> Any:
    """Write a value the way a person would: no None, no brackets, no 1999.0."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(_written(one)) for one in value)
    return value


def _short_range(*bounds: int) -> range:
    steps = range(*bounds)
    if len(steps) > _MOST_STEPS:
        raise SecurityError(f"a range may have at most {_MOST_STEPS} steps")
    return steps


def _replace(text: str, old: str, new: str) -> str:
    text, old, new = str(text), str(old), str(new)
    if len(text) + text.count(old) * len(new) > 10 * MOST_CHARACTERS:
        raise SecurityError("replace would make the text too long")
    return text.replace(old, new)


def _readable(name: str, reason: str) -> TemplateError:
    return TemplateError(
        f"{name}: {reason}", hint="see docs/settings.md for text templates", template=name
    )


Renderer = Callable[[Mapping[str, Any]], str]
"""Renders one template."""


def renderer(name: str, source: str) -> Renderer:
    """Compile `source` and return the function that renders it; errors as above."""
    template = compile_template(name, source)

    def render(fields: Mapping[str, Any]) -> str:
        return render_template(name, template, fields)

    return render
