"""The examples of README and docs run, as a reader would copy them: Python and shell.

All of them stand in the folder of docs/start/your-own-shop.md. What trains, downloads or
starts a container is tested where it belongs; its commands are read by ``test_docs_code``.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from seealso import Recommender, build_index, connect, load_settings
from seealso.api import build_users, install_templates
from seealso.cli.main import cli
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.plugin.service.app import create_app
from tests.services import running
from tests.snippets import ROOT, blocks, files_of_the_shop, own_calls, shell_commands

KEY = "a key that only this test knows, long enough"

PYTHON = (
    "README.md",
    "docs/start/your-own-shop.md",
    "docs/reference/errors.md",
    "docs/reference/python.md",
    "docs/how-to/attach-to-an-existing-search.md",
    "docs/how-to/connectors.md",
    "docs/how-to/live-events.md",
    "docs/how-to/python-client.md",
    "docs/how-to/keep-users-in-the-index.md",
    "docs/how-to/evaluate.md",
)

SHELL = (
    "README.md",
    "docs/start/your-own-shop.md",
    "docs/reference/python.md",
    "docs/reference/commands/recommend.md",
    "docs/reference/commands/recommend-group.md",
    "docs/reference/commands/recommend-batch.md",
    "docs/reference/commands/related.md",
    "docs/reference/commands/popular.md",
    "docs/reference/commands/rank.md",
    "docs/reference/commands/index.md",
    "docs/reference/commands/templates.md",
    "docs/how-to/recommend-to-groups.md",
    "docs/how-to/keep-users-in-the-index.md",
    "docs/how-to/live-events.md",
    "docs/how-to/troubleshooting.md",
    "docs/how-to/nightly.md",
    "docs/how-to/forget-a-user.md",
)

ELSEWHERE = re.compile(
    r"^(make|pip|docker|export|python -m benchmarks|printf|USER=)"
    r"|seealso (--[\w-]+ \S+ )*"
    r"(node|model|train|tune|fit|build|evaluate|demo|doctor|events follow)\b"
    r"|examples/ml-latest-small|jq |@ask\.json|--gate"
)
"""Lines that need a download, a container, minutes, another catalogue, or a program of others."""

CLICK = '{{"user": "{user}", "sku": "k5", "type": "view", "time": "2026-11-26T03:2{n}:00Z"}}\n'


@dataclass(frozen=True)
class Shop:
    """The folder of docs/start/your-own-shop.md, with more customers, its index and a service."""

    folder: Path
    url: str
    alias: str
    service: str = ""

    def here(self, code: str) -> str:
        """Return `code` with the names of this shop in place of those of the docs."""
        named = re.sub(r"(\$URL|:9200)/(shop|films)\b", rf"\1/{self.alias}", code)
        named = named.replace("localhost:9200", self.url)
        named = named.replace("http://127.0.0.1:8080", self.service)
        return named.replace('"/shop/', f'"/{self.alias}/')


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, opensearch_latest: NodeInfo, tiny: Bundle
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    found = Shop(folder, opensearch_latest.url, f"docs-{os.getpid()}")
    for name, content in files_of_the_shop():
        (folder / name).write_text(content, encoding="utf-8")
    items = [f"{letter}{number}" for letter in "tk" for number in range(1, 7)]
    users = ["1", "5", "17", "bob", "cat", "anna", *(f"more{n}" for n in range(24))]
    with (folder / "events.csv").open("a", encoding="utf-8") as file:
        file.writelines(
            f"{user},{items[(place * 5 + step * (1 + place % 4)) % 12]},view,"
            f"2026-09-{step + 1:02}T0{place % 10}:00:00Z\n"
            for place, user in enumerate(users)
            for step in range(6)
        )
    (folder / "seealso.local.toml").write_text(
        f"""
[index]
alias = "{found.alias}"
[encoder]
bundle = "{tiny.folder}"
store = "{folder / "bundles"}"
cache = "{folder / "vectors.sqlite"}"
[cluster]
url = "{found.url}"
""",
        encoding="utf-8",
    )
    (folder / "users.txt").write_text('ann\n{"history": ["k5"], "words": "grinder"}\n')
    (folder / "clicks.jsonl").write_text(
        "".join(CLICK.format(user=user, n=n) for n, user in enumerate(("1", "ann", "dee")))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SEEALSO_USERS_KEY", KEY)
        settings = load_settings()
        build_index(settings)
        build_users(settings)
        install_templates(settings)
        with running(create_app(Recommender.from_config(settings))) as address:
            yield replace(found, service=address)
        with connect(settings) as cluster:
            for name in (found.alias, f"{found.alias}-users", f"{found.alias}-events"):
                cluster.request("DELETE", f"/{name}-2*", params={"expand_wildcards": "all"})


@pytest.fixture
def inside(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop, with its folder as the working folder."""
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("SEEALSO_USERS_KEY", KEY)
    return shop


@pytest.mark.parametrize("page", PYTHON)
def test_the_python_of_a_page_runs(page: str, inside: Shop) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    code = blocks(ROOT / page, "python")
    assert code
    for number, block in enumerate(code, 1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(inside.here(block), f"{page} {number}", "exec"), names)
        # what an example prints is something
        assert bool(printed.getvalue().strip()) == ("print(" in block), (page, number)


@pytest.mark.parametrize("page", SHELL)
def test_the_commands_of_a_page_run(page: str, inside: Shop) -> None:
    commands = [one for one in shell_commands(ROOT / page) if not ELSEWHERE.search(one.line)]
    assert commands
    with Recommender.from_config() as recommender:
        # what the pages send by curl
        Path("group.json").write_bytes(recommender.stored_group_request(["1", "5"]))
        Path("request.ndjson").write_bytes(recommender.stored_request("ann"))
    for one in commands:
        done = run(inside, inside.here(one.line))
        assert (done.returncode != 0) == one.fails, (page, one.line, done.stdout, done.stderr)
        assert '"error"' not in done.stdout, (page, one.line, done.stdout)


def run(shop: Shop, line: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of the shell; what is a command of ours alone needs no process of its own."""
    calls = list(own_calls(line))
    if line.startswith("seealso ") and len(calls) == 1 and "|" not in line and ">" not in line:
        done = CliRunner().invoke(cli, calls[0])
        error = f"{done.stderr}{done.exception or ''}"
        return subprocess.CompletedProcess(line, done.exit_code, done.stdout, error)
    environment = {**os.environ, "URL": shop.url}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line], env=environment, capture_output=True, text=True, check=False
    )
