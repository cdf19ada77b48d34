"""Names say what they are in the field's own words: those that only their author knew are gone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

SOURCES: Final = ("plugin", "indexer", "query_templates", "src/seealso")

RETIRED: Final = frozenset(
    [
        "contender",
        "contenders",
        "crowd",
        "entrant",
        "entrants",
        "exam",
        "exams",
        "greeting",
        "greetings",
        "lane",
        "lanes",
        "lessons",
        "lift",
        "lifts",
        "lifted",
        "looks",
        "makings",
        "mute",
        "newcomer",
        "newcomers",
        "profiler",
        "shelf",
        "sitting",
        "sittings",
        "strangers",
        "strata",
        "stratum",
        "study",
        "together",
        "unfinished",
        "welcome",
        "wish",
        "wishes",
    ]
)
"""Nowhere within a name."""

PARTICIPLES: Final = frozenset(
    [
        "asked",
        "built",
        "found",
        "given",
        "gone",
        "greeted",
        "held",
        "joined",
        "kept",
        "made",
        "met",
        "said",
        "seen_by",
        "settle",
        "settled",
        "shown",
        "taken",
        "tidied",
        "told",
        "wanted",
    ]
)
"""Not the name of a function, a method or a class: those are verbs and nouns."""

VAGUE: Final = frozenset(
    ["asked", "given", "meant", "rest", "said", "shown", "taken", "told", "wanted"]
)
"""Nor the whole name of a variable, a parameter or a field: it names what it holds."""


def named(tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """Yield every name that a module gives: its line, itself, and whether it is a definition."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name, True
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id, False
            case ast.arg():
                yield node.lineno, node.arg, False
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr, False
            case _:
                pass


def words(name: str) -> list[str]:
    """Return the words of a name, whichever way they are put together."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")


def modules() -> list[Path]:
    """Return every module of the product; the links to the root folders are not followed."""
    found = {path.resolve() for source in SOURCES for path in (ROOT / source).rglob("*.py")}
    return sorted(found)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_retired_word_is_a_name(path: Path) -> None:
    found = [f"{path.name}: the module"] if set(words(path.stem)) & RETIRED else []
    for line, name, definition in named(ast.parse(path.read_text(encoding="utf-8"))):
        whole = name.strip("_")
        if set(words(name)) & RETIRED or whole in (PARTICIPLES if definition else VAGUE):
            found.append(f"line {line}: {name}")
    assert found == []
