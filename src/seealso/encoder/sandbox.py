"""What a text template may do, and how much: a bundle from elsewhere brings its own.

Every loop and every filter is paid for from a budget of steps, every text within a template is cut
at a bound, and whatever could grow without either is refused. So time and memory have bounds that
follow from these numbers, whatever the template says.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from jinja2 import Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import make_attrgetter
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_CHARACTERS: Final = 20_000
"""A rendered text is cut here: no model reads that far."""

MOST_WITHIN: Final = 100_000
"""Most characters of a field, and of a text that is made within a template; the rest is cut."""

MOST_STEPS: Final = 100_000
"""Most steps of one rendering: parts of the template that are gone through, values touched."""

LONGEST_SOURCE: Final = 20_000
"""Most characters of a template."""

BUDGET: Final = " budget"
"""The variable that holds the budget: no template can write a name with a blank."""

_MOST_ELEMENTS = 1_000
_LONGEST_LIST = 10_000
_LARGEST_NUMBER = 10.0**30
_DEEPEST_LOOP = 2
_DEEPEST_NODE = 50
_LETTERS_A_STEP = 100
_REFUSED_NODES = (
    # each of them can grow a text or a run without bound, and none is needed for a line of text
    nodes.Macro, nodes.CallBlock, nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends,
    nodes.Block, nodes.Assign, nodes.AssignBlock, nodes.Pow, nodes.FilterBlock, nodes.With,
)  # fmt: skip
_FILTERS: Final = (
    "abs", "batch", "capitalize", "default", "d", "dictsort", "first", "float", "int", "items",
    "last", "length", "count", "list", "lower", "map", "max", "min", "reject",
    "rejectattr", "round", "select", "selectattr", "slice", "sort", "string", "striptags", "sum",
    "title", "trim", "truncate", "unique", "upper", "wordcount",
)  # fmt: skip
_OF_TEXT: Final = frozenset(
    {"capitalize", "lower", "string", "striptags", "title", "trim", "truncate", "upper",
     "wordcount"}
)  # fmt: skip
_WITH_NUMBERS: Final = frozenset({"batch", "round", "slice", "sum", "truncate"})
_METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (str, frozenset({"lower", "upper", "title", "capitalize", "strip", "split", "startswith",
                     "endswith", "isdigit"})),
    (Mapping, frozenset({"items", "keys", "values", "get"})),
)  # fmt: skip


@dataclass
class Budget:
    """The steps that one rendering has left."""

    left: int = MOST_STEPS

    def spend(self, steps: int) -> None:
        """Take `steps` away.

        Raises
        ------
        SecurityError
            None are left.
        """
        self.left -= steps
        if self.left < 0:
            raise SecurityError(f"rendering takes more than {MOST_STEPS:,} steps")


class Sandbox(ImmutableSandboxedEnvironment):
    """Only fields, a few methods, short ranges; arithmetic on numbers of ordinary size."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.globals = {"range": _short_range}
        self.filters = {name: _paid(name, self.filters[name]) for name in _FILTERS}
        self.filters |= {"join": _join, "replace": _replace, " loop": _loop}
        tests: dict[str, Any] = dict(self.tests)
        self.tests = {name: _paid(name, test) for name, test in tests.items()}

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
        """Refuse the operators that make a long text out of a short one, and endless numbers."""
        sides = (left, right)
        if operator == "+" and all(isinstance(side, str) for side in sides):
            return _join_plain(sides, "")
        if operator == "+" and all(isinstance(side, list) for side in sides):
            _budget(context).spend(len(left) + len(right))
        elif operator in "*%" and not all(isinstance(side, (int, float)) for side in sides):
            raise SecurityError(f"{operator!r} works on numbers only")
        elif any(isinstance(side, (int, float)) and abs(side) > _LARGEST_NUMBER for side in sides):
            raise SecurityError(f"{operator!r}: a number is too large")
        return super().call_binop(context, operator, left, right)


def bounded(parsed: nodes.Template) -> nodes.Template:
    """Return a parsed template in which loops, ``in`` and ``~`` are paid for.

    Raises
    ------
    SecurityError
        It uses what a text template may not.
    """
    _check(parsed, depth=0, loops=0)
    loops: Iterator[Any] = parsed.find_all(nodes.For)
    for loop in loops:
        cost = sum(1 for _ in loop.find_all(nodes.Node))
        loop.iter = _filter(" loop", loop.iter, nodes.Const(cost))
    replaced: nodes.Template = _replaced(parsed)
    return replaced


def _check(node: nodes.Node, depth: int, loops: int) -> None:
    if isinstance(node, _REFUSED_NODES):
        raise SecurityError(f"{type(node).__name__} may not be used in a text template")
    if depth > _DEEPEST_NODE:
        raise SecurityError(f"parts may be {_DEEPEST_NODE} deep")
    if isinstance(node, nodes.For):
        loops += 1
        if loops > _DEEPEST_LOOP or node.recursive:
            raise SecurityError(f"loops may be {_DEEPEST_LOOP} deep and not recursive")
    for child in node.iter_child_nodes():
        _check(child, depth + 1, loops)


def _replaced(node: Any) -> Any:
    """Return `node` with filters and tests of ours where Jinja would not ask us."""
    for name, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, name, _replaced(value))
        elif isinstance(value, list):
            value[:] = [_replaced(one) if isinstance(one, nodes.Node) else one for one in value]
    if isinstance(node, nodes.Concat):
        return _filter("join", nodes.List(node.nodes, lineno=node.lineno), nodes.Const(""))
    if isinstance(node, nodes.Compare) and any(op.op in ("in", "notin") for op in node.ops):
        if len(node.ops) > 1:
            raise SecurityError("'in' may not be chained with another comparison")
        (operand,) = node.ops
        found = nodes.Test(node.expr, "in", [operand.expr], [], None, None, lineno=node.lineno)
        return found if operand.op == "in" else nodes.Not(found, lineno=node.lineno)
    return node


def _filter(name: str, value: nodes.Expr, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(value, name, list(args), [], None, None, lineno=value.lineno)


def _budget(context: Context) -> Budget:
    budget: Budget = context.parent[BUDGET]
    return budget


def _paid(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter or test that is paid for by what it is values and by what it returns."""
    passed = getattr(getattr(function, "jinja_pass_arg", None), "name", "")

    @pass_context
    def pay(context: Context, *values: Any, **named: Any) -> Any:
        budget = _budget(context)
        budget.spend(1 + sum(map(_size, chain(values, named.values()))))
        if name in _OF_TEXT:
            values = (_plain(values[0]), *values[1:])
        if name in _WITH_NUMBERS:
            for one in chain(values[1:], named.values()):
                _check_number(name, one)
        first = {"context": (context,), "environment": (context.environment,),
                 "eval_context": (context.eval_ctx,)}.get(passed, ())  # fmt: skip
        found = function(*first, *values, **named)
        if isinstance(found, Iterator):
            # never lazy: all sizes are known
            found = list(_spending(budget, found, 1))
        budget.spend(_size(found))
        return found[:MOST_WITHIN] if isinstance(found, str) else found

    return pay


def _check_number(name: str, value: Any) -> None:
    number = isinstance(value, (int, float))
    if (number and abs(value) > _MOST_ELEMENTS) or (name == "sum" and isinstance(value, list)):
        raise SecurityError(f"{name}: {str(value)[:20]} is too much")


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // _LETTERS_A_STEP
    return len(value) if isinstance(value, Sized) and not isinstance(value, Undefined) else 0


@pass_context
def _loop(context: Context, values: Iterable[Any], cost: int) -> Iterator[Any]:
    return _spending(_budget(context), values, cost)


def _spending(budget: Budget, values: Iterable[Any], cost: int) -> Iterator[Any]:
    for value in values:
        budget.spend(cost)
        yield value


@pass_context
def _join(
    context: Context, values: Iterable[Any], d: Any = "", attribute: str | int | None = None
) -> str:
    if attribute is not None:
        values = map(make_attrgetter(context.environment, attribute), values)
    return _join_plain(_spending(_budget(context), values, 1), str(_plain(d)))


@pass_context
def _replace(context: Context, text: Any, old: Any, new: Any) -> str:
    whole, before, after = (str(_plain(one)) for one in (text, old, new))
    _budget(context).spend(1 + _size(whole))
    if len(whole) + whole.count(before) * len(after) > MOST_WITHIN:
        raise SecurityError("replace would make the text too long")
    found = whole.replace(before, after)
    _budget(context).spend(_size(found))
    return found


def _short_range(*bounds: int) -> range:
    steps = range(*bounds)
    if len(steps) > _MOST_ELEMENTS:
        raise SecurityError(f"a range may have at most {_MOST_ELEMENTS} steps")
    return steps


def write(value: Any) -> Any:
    """Write a value the way a person would: no None, no brackets, no 1999.0."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _plain(value, write)


def _plain(value: Any, each: Callable[[Any], Any] | None = None) -> Any:
    """Return a text instead of a list or mapping; other values as they are."""
    if isinstance(value, Mapping):
        value = [f"{key}: {_plain(inner)}" for key, inner in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return _join_plain(map(each or _plain, value), ", ")
    return value


def _join_plain(values: Iterable[Any], between: str) -> str:
    """Return texts joined, cut at `MOST_WITHIN`."""
    pieces: list[str] = []
    length = 0
    for value in values:
        pieces.append(str(_plain(value))[:MOST_WITHIN])
        length += len(pieces[-1]) + len(between)
        if length > MOST_WITHIN:
            break
    return between.join(pieces)[:MOST_WITHIN]


def cut(value: Any) -> Any:
    """Return a field as a template gets it: no text and no list in it is longer than its bound."""
    if isinstance(value, str):
        return value[:MOST_WITHIN]
    if isinstance(value, Mapping):
        return {key: cut(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(cut, value[:_LONGEST_LIST]))
    return value
