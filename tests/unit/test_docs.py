"""The documentation is complete and in step with the code: commands, settings, links, the site."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from seealso.cli.main import cli
from seealso.config import Section, Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
SOURCES = [
    file
    for room in ("src", "plugin", "indexer", "query_templates")
    for file in sorted((ROOT / room).rglob("*.py"))
]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md"), *EXAMPLES.rglob("*.md")]
)

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
PARAMETERS = re.compile(r"^Parameters\n-+\n(.*?)(?:\n\n\w[\w ]*\n-+|\Z)", re.MULTILINE | re.DOTALL)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands(cli))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(DOCS)},
        capture_output=True,
        text=True,
        check=False,
    )


def prose(page: Path) -> str:
    return CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    return LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Ids of the headings, as GitHub and mkdocs make them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_a_help_text(name):
    assert re.match(r"[A-Z].{10,}", COMMANDS[name].help or "")


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_a_page_with_its_help(name):
    page = DOCS / "reference" / "commands" / f"{name.split()[0]}.md"
    text = page.read_text(encoding="utf-8")
    usage = re.compile(rf"^Usage: seealso {re.escape(name)}( |$)", re.MULTILINE)
    group = isinstance(COMMANDS[name], click.Group)
    assert usage.search(text) or (group and f"# seealso {name}" in text)


@pytest.mark.parametrize("section", Settings.model_fields)
def test_settings_page_has_every_setting(section):
    text = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    kind = Settings.model_fields[section].annotation
    if not (isinstance(kind, type) and issubclass(kind, Section)):
        assert f"| `{section}` |" in text
        return
    table = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)(?:\.\w+)*` \|", table, re.MULTILINE)
    assert list(dict.fromkeys(rows)) == list(kind.model_fields)


def generate(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call docs/generate.py, or a copy of it beside other pages, as the shell does.

    In a process of its own: click keeps the help option of a command as it was when first asked
    for, so a command that another test called by itself would lack `-h`.
    """
    return run(str(script), *arguments)


def test_generated_parts_are_in_step_with_the_code():
    checked = generate(DOCS / "generate.py", "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_check_finds_what_is_behind(tmp_path):
    script = tmp_path / "generate.py"
    script.write_bytes((DOCS / "generate.py").read_bytes())
    page = tmp_path / "page.md"
    page.write_text("<!-- help: index build -->\nold\n<!-- /help -->\n", encoding="utf-8")
    behind = generate(script, "--check")
    assert (behind.returncode, behind.stdout) == (1, "behind: page.md\n")
    assert generate(script).returncode == 0
    assert "Usage: seealso index build [OPTIONS]" in page.read_text(encoding="utf-8")
    assert generate(script, "--check").returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_resolve(page):
    broken = []
    for link in links(page):
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if not file.is_file() or (anchor and anchor not in anchors(file)):
            broken.append(link)
    assert not broken


def test_few_links_lead_outside():
    # each of them can die; none is needed to use seealso
    outside = {link for page in PAGES for link in links(page) if "://" in link}
    assert len(outside) <= 10
    assert all(link.startswith("https://") for link in outside)


def test_site_builds_strictly(tmp_path):
    built = run(
        "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")
    )
    assert built.returncode == 0, built.stdout + built.stderr
    page = (tmp_path / "site" / "reference" / "settings.html").read_text(encoding="utf-8")
    assert "half_life_days" in page
    # the reference has each name that programs import
    reference = (tmp_path / "site" / "reference" / "api.html").read_text(encoding="utf-8")
    for name in (
        "Recommender.from_config",
        "api.indices.build_index",
        "errors.PartialAnswer",
        "User",
    ):
        assert f'id="seealso.{name}"' in reference
    # nothing is loaded from elsewhere
    assert not re.findall(
        r"""<(?:script|img)[^>]+src=["']https?://|<link[^>]+href=["']https?://[^>]+stylesheet|<link[^>]+stylesheet[^>]+href=["']https?://""",
        page,
    )


def described(function: ast.FunctionDef) -> set[str]:
    """Return the parameters that a docstring describes."""
    section = PARAMETERS.search(ast.get_docstring(function) or "")
    lines = section[1].splitlines() if section else []
    heads = [line for line in lines if line and not line.startswith(" ")]
    return {name.strip().lstrip("*") for line in heads for name in line.split(",")}


def taken(function: ast.FunctionDef) -> set[str]:
    """Return the parameters that a function takes."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return {one.arg for one in every if one is not None}


def test_docstrings_describe_parameters_that_are_there():
    functions = [
        (file, node)
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    gone = {
        f"{file.relative_to(ROOT)}: {one.name}: {sorted(described(one) - taken(one))}"
        for file, one in functions
        if described(one) - taken(one)
    }
    assert gone == set()
    assert sum(bool(described(one)) for _, one in functions) > 200
