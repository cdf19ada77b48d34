"""The code of README and docs: what a reader may copy."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

PAGES: Final = sorted(
    [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    ]
)

FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT: Final = re.compile(r"^\$ ((?:[^\n]*\\\n)*[^\n]*)$", re.MULTILINE)


def name_of(page: Path) -> str:
    """Return how a test calls a page."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page that are in `language`."""
    text = page.read_text(encoding="utf-8")
    return [code for named, code in FENCE.findall(text) if named == language]


def shell_lines(page: Path) -> Iterator[str]:
    """Yield each command that a page shows behind a prompt, or in a block of bash."""
    for named, code in FENCE.findall(page.read_text(encoding="utf-8")):
        if named in ("console", "text"):
            yield from PROMPT.findall(code)
        elif named == "bash":
            yield code.strip()


def own_calls(line: str) -> Iterator[list[str]]:
    """Yield the arguments of each ``seealso`` in a line of the shell."""
    if "seealso " not in line:
        return
    words: list[str] = []
    lexer = shlex.shlex(line.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    for word in [*lexer, ";"]:
        if word and set(word) <= set(";|&<>()"):
            if words and words[0] == "seealso":
                yield words[1:]
            words = []
        elif words or "=" not in word.partition("/")[0]:
            words.append(word)
