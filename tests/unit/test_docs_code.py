"""What the docs show can be typed: commands and options, settings, and names that are imported."""

import ast
import importlib
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from seealso.cli.main import cli, overrides
from seealso.config import load_settings
from tests.snippets import PAGES, ROOT, blocks, name_of, own_calls, shell_commands

CALLS = [
    pytest.param(arguments, id=f"{name_of(page)}: {' '.join(arguments)[:60]}")
    for page in PAGES
    for command in shell_commands(page)
    for arguments in own_calls(command.line)
]
SETTINGS = [
    pytest.param(block, id=f"{name_of(page)} {number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "toml"), 1)
]
PYTHON = [
    pytest.param(block, id=f"{name_of(page)} {number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "python"), 1)
]


def parse(arguments: list[str]) -> None:
    """Let click read a call as the terminal would, without making it."""
    command: click.Command = cli
    context = cli.make_context("seealso", [*arguments])
    load_settings(None, overrides(context.params["changes"]))
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command, context = found, found.make_context(name, rest, parent=context)


def any_file(_: click.ParamType, value: Any, *__: Any) -> Path:
    return Path(value)


@pytest.mark.parametrize("arguments", CALLS)
def test_every_command_of_the_docs_is_one(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # the files of a page are not here
    monkeypatch.setattr(click.Path, "convert", any_file)
    monkeypatch.setattr(click.File, "convert", any_file)
    monkeypatch.chdir(tmp_path)
    parse(arguments)


def test_a_command_that_is_none_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line, error in (
        ("seealso recommend ann --sise 3", click.NoSuchOption),
        ("FOO=1 seealso index bild", click.UsageError),
        ("echo x | seealso recommend ann --path fast > out", click.BadParameter),
    ):
        (arguments,) = own_calls(line)
        with pytest.raises(error):
            parse(arguments)


@pytest.mark.parametrize("block", SETTINGS)
def test_every_setting_of_the_docs_is_one(
    block: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    load_settings(None, tomllib.loads(block))


@pytest.mark.parametrize("block", PYTHON)
def test_every_name_that_the_docs_import_is_there(block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("seealso"):
            for alias in node.names:
                assert hasattr(importlib.import_module(str(node.module)), alias.name)


def test_what_a_page_has_of_the_site_in_a_browser_is_what_runs_there() -> None:
    page = ROOT / "docs" / "how-to" / "send-events-from-a-browser.md"
    folder = ROOT / "examples" / "javascript"
    files = "".join(one.read_text(encoding="utf-8") for one in sorted(folder.glob("*.*")))
    shown = [*blocks(page, "js"), *blocks(page, "python")]
    assert len(shown) == 3
    assert [one for one in shown if one not in files] == []


def test_there_is_something_to_check() -> None:
    assert len(CALLS) > 60
    assert len(SETTINGS) > 15
    assert len(PYTHON) > 8
