"""Writes what the documentation takes from the code: settings, errors, the help of every command.

Run it after a change of either; ``--check`` writes nothing and fails where a page is behind.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

import click
from pydantic.fields import FieldInfo
from rights import ANY, PHYSICAL, Task, find_rights, role

from seealso.cli.main import cli
from seealso.config import Section, Settings
from seealso.errors import SeeAlsoError

DOCS = Path(__file__).parent

BLOCK = re.compile(
    r"(?P<open><!-- (?P<kind>help|settings|role|errors):? ?(?P<name>[a-z -]*) -->\n)"
    r".*?(?P<close><!-- /(?P=kind) -->)",
    re.DOTALL,
)
"""What is generated stands between ``<!-- help: index build -->`` and ``<!-- /help -->``, or
between ``<!-- settings -->`` and ``<!-- /settings -->``; the rights of an account between
``<!-- role: read -->`` and ``<!-- /role -->``; the tree of errors between ``<!-- errors -->`` and
``<!-- /errors -->``."""

WIDTH = 80

KINDS = {str: "text", Path: "path", int: "whole number", float: "number", bool: "true or false"}

LIMITS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail where a page is behind.")
def main(check: bool) -> None:
    """Refresh the generated parts of the pages in this folder."""
    behind = list(outdated(DOCS))
    for file, text in behind:
        if not check:
            file.write_text(text, encoding="utf-8")
        click.echo(f"{'behind' if check else 'written'}: {file.relative_to(DOCS).as_posix()}")
    if check and behind:
        click.echo("run docs/generate.py", err=True)
        sys.exit(1)


def outdated(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each page whose generated parts are behind, with the text that it should have."""
    for file in sorted(folder.rglob("*.md")):
        before = file.read_text(encoding="utf-8")
        after = BLOCK.sub(_block, before)
        if after != before:
            yield file, after


def _block(found: re.Match[str]) -> str:
    name = found["name"]
    contents: dict[str, Callable[[], str]] = {
        "settings": settings,
        "help": lambda: help_block(name.split()),
        "role": lambda: role_block(cast(Task, name)),
        "errors": errors,
    }
    content = contents[found["kind"]]()
    return f"{found['open']}{content}{found['close']}"


def commands(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command and group below `command`, with the words that call it."""
    if path:
        yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            if each := command.get_command(click.Context(command), name):
                yield from commands(each, (*path, name))


def role_block(task: Task) -> str:
    """Return the requests that `task` sends and the role that allows them, for the alias shop."""
    rows = {f"| {right.method} | `{_path(right.path)}` |" for right in find_rights(task)}
    role_of = json.dumps(role(task, alias="shop", source="products"), indent=2)
    table = "\n".join(["| request | path |", "|---|---|", *sorted(rows)])
    return f"\n{table}\n\n```json\n{role_of}\n```\n\n"


def _path(pattern: str) -> str:
    """Return the path that a regular expression of rights stands for, as a person writes it."""
    plain = pattern.replace(ANY, "shop[-...]").replace(PHYSICAL, "shop-...")
    plain = plain.replace("(,shop[-...])?", "").replace("{alias}", "shop")
    plain = plain.replace(r"[\w-]+", "...").replace("{source}", "products").replace("|", ", ")
    plain = plain.replace(r"[\w:-]+", "...").replace("{ubi}", "ubi_...")
    return re.sub(r"[\\()]", "", plain)


def help_block(path: Sequence[str]) -> str:
    """Return the help of the command that the words of `path` call, as a fenced block.

    Raises
    ------
    click.UsageError
        There is no such command.
    """
    context = _context(cli, "seealso", None)
    for name in path:
        group = context.command
        found = group.get_command(context, name) if isinstance(group, click.Group) else None
        if found is None:
            raise click.UsageError(f"a page asks for the help of {' '.join(path)}")
        context = _context(found, name, context)
    return f"\n```text\n{context.get_help()}\n```\n\n"


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    width = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    own = {**command.context_settings, **width}
    return click.Context(command, info_name=name, parent=parent, **own)


def errors() -> str:
    """Return the tree of errors, with the exit code and the meaning of each."""
    rows = [
        (f"{branch}{kind.__name__}", kind.exit_code, (kind.__doc__ or "").partition("\n\n")[0])
        for branch, kind in _tree(SeeAlsoError)
    ]
    width = max(len(name) for name, *_ in rows)
    lines = [f"{name:{width}}  {code}  {_markdown(words)}" for name, code, words in rows]
    return "\n```text\n" + "\n".join(lines) + "\n```\n\n"


def _tree(
    kind: type[SeeAlsoError], branch: str = "", trunk: str = ""
) -> Iterator[tuple[str, type[SeeAlsoError]]]:
    """Yield an error of the public tree and those below it, each with the branch before it."""
    yield branch, kind
    below = [one for one in kind.__subclasses__() if one.__module__ == SeeAlsoError.__module__]
    for one in below:
        fork, stem = ("└── ", "    ") if one is below[-1] else ("├── ", "│   ")
        yield from _tree(one, trunk + fork, trunk + stem)


def settings() -> str:
    """Return every setting, a table for each section."""
    tables = []
    single = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            tables.append(_section(name, field.annotation))
        else:
            single[name] = field
    return "\n" + "\n".join([*tables, "## Outside the sections\n", _table(single)]) + "\n"


def _section(name: str, section: type[Section]) -> str:
    words = _markdown(section.__doc__ or "").removeprefix(f"`[{name}]`: ")
    words = words[:1].upper() + words[1:]
    return f"## {name}\n\n{words}\n\n{_table(section.model_fields)}"


def _table(fields: dict[str, FieldInfo]) -> str:
    lines = ["| setting | kind | default | what it does |", "|---|---|---|---|"]
    for name, field in _opened(fields):
        words = _markdown(field.description or "")
        if not words:
            raise click.UsageError(f"the setting {name} has no description")
        cells = [f"`{name}`", _kind(field), _default(field), words]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _opened(fields: dict[str, FieldInfo], within: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield settings with their names, those of a table as ``table.name``."""
    for name, field in fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _opened(field.annotation.model_fields, f"{within}{name}.")
        else:
            yield f"{within}{name}", field


def _markdown(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _kind(field: FieldInfo) -> str:
    limits = [
        f"{sign} {limit:g}"
        for one in field.metadata
        for name, sign in LIMITS.items()
        if (limit := getattr(one, name, None)) is not None
    ]
    return ", ".join([_of(field.annotation), *limits])


def _of(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_of(one) for one in inside if one is not type(None))
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inside)
    if origin is tuple:
        return f"list of {_of(inside[0])}s"
    if origin is not None:
        return f"table of {_of(inside[1]).removesuffix('s')}s"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{one.value}`" for one in annotation)
    if issubclass(annotation, Section):
        return "table"
    return KINDS[annotation]


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    shown: dict[type, Callable[[Any], str]] = {
        bool: lambda one: str(one).lower(),
        tuple: lambda one: "[" + ", ".join(f'"{each}"' for each in one) + "]",
        int: lambda one: f"{one:_}" if one >= 10_000 else str(one),
        float: lambda one: f"{one:g}",
    }
    if value is None or value == {}:
        return "none"
    if isinstance(value, Enum):
        value = value.value
    text = shown.get(type(value), str)(value)
    return f"`{text}`"


if __name__ == "__main__":
    main()
