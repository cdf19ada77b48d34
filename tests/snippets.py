"""The code of README and docs: what a reader may copy."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
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
PROMPT: Final = "$ "


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page, and what the page shows of its output."""

    line: str
    output: str = ""

    @property
    def fails(self) -> bool:
        """Whether the page shows an error."""
        return self.output.startswith("error: ")


def name_of(page: Path) -> str:
    """Return how a test calls a page."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page that are in `language`."""
    text = page.read_text(encoding="utf-8")
    return [code for named, code in FENCE.findall(text) if named == language]


def shell_commands(page: Path) -> Iterator[Command]:
    """Yield each command that a page shows behind a prompt, or in a block of bash."""
    for named, code in FENCE.findall(page.read_text(encoding="utf-8")):
        if named in ("console", "text"):
            for part in f"\n{code}".split(f"\n{PROMPT}")[1:]:
                yield _command(part.splitlines())
        elif named == "bash":
            yield Command(code.strip())


def _command(lines: list[str]) -> Command:
    """Return the command that begins in the first of `lines`; it ends where the shell says so."""
    for end in range(1, len(lines) + 1):
        line = "\n".join(lines[:end])
        if not line.endswith(("\\", "|")) and _quotes_are_closed(line):
            return Command(line, "\n".join(lines[end:]))
    raise ValueError(f"no end: {lines[0]}")


def _quotes_are_closed(line: str) -> bool:
    try:
        shlex.split(line, comments=True)
    except ValueError:
        return False
    return True


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


def files_of_the_shop() -> Iterator[tuple[str, str]]:
    """Yield name and content of each file that docs/start/your-own-shop.md has to copy."""
    text = (ROOT / "docs" / "start" / "your-own-shop.md").read_text(encoding="utf-8")
    for name in ("products.csv", "events.csv", "seealso.toml"):
        yield name, text.split(f"`{name}`", 1)[1].split("```", 2)[1].partition("\n")[2]
