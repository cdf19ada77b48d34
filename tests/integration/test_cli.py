"""The command line: every command has help and a page, results on stdout, errors in one line."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import pytest

from seealso import __version__
from seealso.cli.main import cli, main
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from tests.bundles import ROOT
from tests.library import Library

PAGES = ROOT / "docs" / "reference" / "commands"


@dataclass(frozen=True)
class Done:
    """What a call printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Call the command line in this process."""
    monkeypatch.setenv("COLUMNS", "200")
    log = logging.getLogger("seealso")
    before = log.handlers, log.propagate, log.level

    def call(*arguments: str) -> Done:
        code = 0
        try:
            main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    yield call
    log.handlers, log.propagate = before[:2]
    log.setLevel(before[2])


@pytest.fixture(scope="module")
def library(
    opensearch_latest: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("cli")
    library = Library.found(folder, opensearch_latest.url, f"books-{uuid4().hex[:8]}", tiny)
    library.build()
    yield library
    library.close()


@pytest.fixture
def ask(run: Run, library: Library) -> Run:
    """Call the command line on the library."""
    return lambda *arguments: run("--config", str(library.config), *arguments)


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> dict[tuple[str, ...], click.Command]:
    """Return every command by its words."""
    found: dict[tuple[str, ...], click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[(*path, name)] = command
        if isinstance(command, click.Group):
            found |= commands(command, (*path, name))
    return found


EVERY = commands(cli)
LEAVES = [words for words, command in EVERY.items() if not isinstance(command, click.Group)]


def test_the_commands_are_these() -> None:
    assert {words[0] for words in EVERY} == {
        "attach", "build", "completion", "demo", "doctor", "evaluate", "events", "explain", "fit",
        "index", "mcp", "model", "node", "personalise", "popular", "rank", "recommend",
        "recommend-batch", "recommend-group", "related", "serve", "status", "templates", "train",
        "tune", "users",
    }  # fmt: skip


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_has_a_help_text(run: Run, words: tuple[str, ...]) -> None:
    assert (EVERY[words].help or "").strip()
    done = run(*words, "--help")
    assert done.code == 0
    assert f"Usage: seealso {' '.join(words)}" in done.out
    for option in EVERY[words].params:
        if isinstance(option, click.Option):
            assert option.opts[0] in done.out


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_a_page(name: str) -> None:
    page = PAGES / f"{name}.md"
    assert page.is_file(), f"docs/reference/commands/{name}.md is missing"
    text = page.read_text(encoding="utf-8")
    for words in EVERY:
        if words[0] == name:
            assert f"seealso {' '.join(words)}" in text, f"{page.name} does not show {words}"


def test_every_page_is_of_a_command() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} <= {*cli.commands, "index-of-commands"}


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_takes_json_at_its_end(words: tuple[str, ...]) -> None:
    if words != ("completion",):
        assert "--json" in [option for one in EVERY[words].params for option in one.opts]


def test_help_and_version(run: Run) -> None:
    assert "recommend" in run("--help").out
    assert run("--version").out.strip() == f"seealso, version {__version__}"
    assert run("-h").out == run("--help").out


def test_recommend_as_a_table(ask: Run) -> None:
    done = ask("recommend", "u1", "--size", "4")
    assert done.code == 0
    assert len(done.out.splitlines()) == 5
    assert "vector" in done.out
    assert "path exact" in done.err


def test_recommend_as_json_before_and_behind(ask: Run, library: Library) -> None:
    before = ask("--json", "recommend", "u1")
    behind = ask("recommend", "u1", "--json")
    assert before.code == behind.code == 0
    expected = library.recommender().recommend("u1").ids
    for done in (before, behind):
        assert [item["item_id"] for item in done.json["items"]] == expected
        assert done.json["user_id"] == "u1"
        assert len(done.out.splitlines()) == 1


def test_every_way_to_say_who_it_is_for(ask: Run, library: Library) -> None:
    done = ask(
        "recommend", "u1", "--history", "b1, b2,", "--words", 'a "castle" {{x}} 无线',
        "--attribute", "likes=poetry=prose", "--size", "5", "--path", "reference",
        "--filter", '{"range": {"year": {"gte": 1910}}}', "--filter",
        '{"exists": {"field": "kind"}}',
        "--tail-share", "0.4", "--diversity", "0.5", "--min-probability", "0.1", "--json",
    )  # fmt: skip
    expected = library.recommender().recommend(
        "u1",
        history=["b1", "b2"],
        words='a "castle" {{x}} 无线',
        attributes={"likes": "poetry=prose"},
        size=5,
        path="reference",
        filters={"range": {"year": {"gte": 1910}}},
        tail_share=0.4,
        diversity=0.5,
        min_probability=0.1,
    )
    assert done.code == 0, done.err
    assert [item["item_id"] for item in done.json["items"]] == expected.ids
    assert done.json["path"] == "reference"


def test_a_chosen_field_is_shown(ask: Run) -> None:
    done = ask("recommend", "u1", "--show", "kind")
    assert "kind" in done.out.splitlines()[0]
    assert any(kind in done.out for kind in ("poetry", "western", "romance"))


def test_a_field_that_no_item_has_is_named(ask: Run) -> None:
    for command in (("recommend", "u1"), ("recommend-group", "u1", "u2")):
        done = ask(*command, "--show", "knd")
        assert done.code == 0
        assert "no item of this list has the field 'knd'; there are " in done.err
        assert "kind" in done.err
    assert "has the field" not in ask("recommend", "u1", "--show", "kind").err


def test_an_unknown_user_gets_a_list_and_is_told(ask: Run) -> None:
    done = ask("recommend", "nobody")
    assert done.code == 0
    assert "user 'nobody' is unknown: ranked by importance alone" in done.err


def test_related(ask: Run, library: Library) -> None:
    done = ask("related", "b7", "--size", "3", "--json")
    expected = library.recommender().related("b7", size=3)
    assert [item["item_id"] for item in done.json["items"]] == expected.ids


def test_popular_and_items_left_out(ask: Run, library: Library) -> None:
    recommender = library.recommender()
    first, second, third = recommender.popular(size=3).ids
    done = ask("popular", "--size", "2", "--exclude", first, "--json")
    assert [item["item_id"] for item in done.json["items"]] == [second, third]
    assert ask("popular", "--size", "1").out.splitlines()[1].split()[1] == first
    best = recommender.recommend("u1", size=2).ids
    done = ask("recommend", "u1", "--size", "2", *(f"--exclude={one}" for one in best), "--json")
    assert len(done.json["items"]) == 2
    assert not {item["item_id"] for item in done.json["items"]} & set(best)
    assert "exclude: must be an id, not ''" in ask("popular", "--exclude", "").err


def test_items_in_the_order_of_a_user(ask: Run, library: Library) -> None:
    ids = ["b4", "b9", "b2"]
    expected = library.recommender().rank("u1", ids)
    done = ask("rank", "u1", "--items", "b4, b9,gone,b2", "--json")
    assert [item["item_id"] for item in done.json["items"]] == expected.ids
    assert done.json["unknown"] == ["gone"]
    done = ask("rank", "--session", "b3", "--items", "b4,gone")
    assert done.out.splitlines()[1].split()[1] == "b4"
    assert "note: not in the index: gone" in done.err
    assert ask("rank", "u1", "--items", "gone").out.startswith("none of these items")
    assert "item_ids: 0 items" in ask("rank", "u1", "--items", ",").err


def test_a_dry_run_of_a_list_prints_its_searches(ask: Run, library: Library) -> None:
    done = ask("recommend", "u1", "--words", "castle", "--dry-run")
    assert done.code == 0
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert len(lines) % 2 == 0
    live = library.recommender().live.name
    assert {one["index"] for one in lines[::2]} == {live}
    assert all("query" in one for one in lines[1::2])
    as_json = ask("recommend", "u1", "--words", "castle", "--dry-run", "--json").json
    assert [one["body"] for one in as_json["requests"]] == lines[1::2]
    assert (as_json["index"], as_json["path"]) == (live, "exact")


def test_lines_end_where_their_text_ends(ask: Run) -> None:
    for words in (("recommend", "u1", "--explain"), ("index", "list"), ("index", "verify")):
        lines = ask(*words).out.splitlines()
        assert len(lines) > 1
        assert [line for line in lines if line != line.rstrip()] == []


def test_nothing_left_is_a_sentence(ask: Run, library: Library) -> None:
    index, items = library.recommender().live.name, len(library.documents)
    holds = f"nothing left to recommend: {index} holds {items} items"
    nothing = ("--filter", '{"term": {"kind": "no such kind"}}')
    assert ask("related", "b7", *nothing).out == (
        f"{holds}, without b7 itself and what is left out by --filter\n"
    )
    for more in ((), ("--explain",)):
        said = ask("recommend", "--history", "b1,b2", *nothing, *more).out
        assert said == f"{holds}, without 2 seen and what is left out by --filter\n"
    done = ask("recommend", "--history", "b1,b2", *nothing, "--explain", "--json")
    assert (done.json["items"], done.json["reasons"]) == ([], [])


def test_many_users(ask: Run, tmp_path: Path) -> None:
    users, out = tmp_path / "users", tmp_path / "lists"
    users.write_text("u1\nu2\n", encoding="utf-8")
    done = ask("recommend-batch", str(users), str(out), "--size", "3", "--json")
    counts = {"users": 2, "resumed": 0, "renewed": 0, "by_importance": 0, "empty": 0}
    assert done.json == counts | {"out": str(out)}
    lists = out.read_text(encoding="utf-8").splitlines()
    assert [len(json.loads(line)["items"]) for line in lists] == [3, 3]
    assert "recommending" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["recommend"], 2, "who is it for?"),
        (["recommend-batch", "{config}"], 2, "Missing argument 'OUT'"),
        (["recommend-batch", "{folder}/no", "x"], 2, "does not exist"),
        (["recommend-group"], 2, "who is it for?"),
        (["recommend-group", "--attribute", "red"], 2, "--attribute red: not of the form"),
        (["recommend", "u1", "--path", "fast"], 2, "'fast' is not one of 'auto'"),
        (["recommend", "u1", "--size", "-1"], 2, "size: must be greater than or"),
        (["recommend", "u1", "--size", "ten"], 2, "'ten' is not a valid integer"),
        (["recommend", "u1", "--tail-share", "2"], 2, "tail_share: must be less than"),
        (["recommend", "u1", "--diversity", "-1"], 2, "diversity: must be greater than"),
        (["recommend", "u1", "--min-probability", "1"], 2, "min_probability: must be less than 1"),
        (["recommend", "u1", "--filter", "kind:poetry"], 2, "--filter kind:poetry: not JSON"),
        (["recommend", "u1", "--filter", "[1]"], 2, "--filter [1]: not a JSON object"),
        (["recommend", "u1", "--filter", '{"trem": 1}'], 7, "[trem]"),
        (["related", "b7", "--filter", '{"term": {"knd": "poetry"}}'], 2, "has no field 'knd'"),
        (["recommend", "u1", "--attribute", "red"], 2, "--attribute red: not of the form"),
        (["related", "gone"], 3, "item 'gone' is not in the index"),
        (["--set", "recommend.sise=3", "recommend", "u1"], 2, "recommend.sise: no such setting"),
        (["--set", "size=3", "recommend", "u1"], 2, "--set size=3: not of the form"),
        (["--set", "events.path=gone.csv", "recommend", "u1"], 3, "gone.csv"),
        (["--set", "index.alias=gone", "recommend", "u1"], 7, "gone: no such index or alias"),
        (["--set", "encoder.store={folder}/none", "recommend", "u1"], 5, "no bundle with"),
        (["--set", "cluster.url=http://127.0.0.1:9", "recommend", "u1"], 8, "does not answer"),
        (["recommand", "u1"], 2, "No such command 'recommand'"),
        (["recommend", "u1", "--sise", "3"], 2, "No such option"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line_and_an_exit_code(
    ask: Run, library: Library, arguments: list[str], code: int, said: str
) -> None:
    words = [one.format(config=library.config, folder=library.folder) if "{config}" in one
             or "{folder}" in one else one for one in arguments]  # fmt: skip
    done = ask(*words)
    assert (done.code, done.out) == (code, ""), done.err
    assert said in done.err
    assert "Traceback" not in done.err
    errors = [line for line in done.err.splitlines() if line.lower().startswith("error: ")]
    assert len(errors) == 1
    assert said in errors[0]


def test_an_error_as_json_carries_its_facts(ask: Run) -> None:
    done = ask("related", "gone", "--json")
    assert (done.code, done.out) == (3, "")
    error = json.loads(done.err)
    assert error["error"] == "DataError"
    assert error["message"] == "item 'gone' is not in the index"
    assert error["hint"]
    assert error["context"] == {"item_id": "gone"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--json",), "Missing command."),
        (("--json", "nosuch"), "No such command 'nosuch'."),
        (("recommend", "u1", "--json", "--siez", "3"), "No such option '--siez'."),
        (("--json", "recommend", "u1", "--size", "x"), "Invalid value for '--size'"),
        (("--json", "recommend"), "who is it for? Give USER_ID"),
    ],
)
def test_a_wrong_call_is_told_as_json_too(ask: Run, arguments: tuple[str, ...], said: str) -> None:
    done = ask(*arguments)
    assert (done.code, done.out) == (2, "")
    error = json.loads(done.err)
    assert error["message"].startswith(said)
    assert error["hint"].startswith("see seealso")


@pytest.mark.parametrize(
    ("given", "must_be"), [("", "an id"), (" ", "an id"), ("M\udcfcller", "text in UTF-8")]
)
def test_an_id_that_is_none_is_refused(ask: Run, given: str, must_be: str) -> None:
    for command, what in (
        (("recommend", given), "USER_ID"),
        (("recommend-group", "u1", given), "GROUP | USER_ID"),
        (("users", "export", given), "USER_ID"),
        (("explain", given, "b1"), "USER_ID"),
        (("related", given), "item_id"),
        (("explain", "u1", given), "item_id"),
    ):
        done = ask(*command)
        assert done.code == 3, command
        assert f"error: {what}: must be {must_be}, not {given!r}" in done.err, command


def test_a_place_that_cannot_be_written_is_named(ask: Run, library: Library) -> None:
    users = library.folder / "users"
    users.write_text("u1\n", encoding="utf-8")
    done = ask("recommend-batch", str(users), str(users / "out"))
    assert done.code == 1
    assert str(users) in done.err
    assert "Traceback" not in done.err


def test_a_settings_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    done = run("--config", str(tmp_path / "no.toml"), "doctor")
    assert done.code == 2
    assert "no.toml: no such settings file" in done.err


def test_no_cluster_is_named_with_what_to_do(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("recommend", "u1")
    assert done.code == 8
    assert "no cluster: cluster.url is not set and no embedded node runs" in done.err
    assert "seealso node start" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script(run: Run, shell: str) -> None:
    done = run("completion", shell)
    assert done.code == 0
    assert "_SEEALSO_COMPLETE" in done.out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("seealso rec", ["recommend", "recommend-batch", "recommend-group"]),
        ("seealso index r", ["rollback"]),
        ("seealso recommend --tail", ["--tail-share"]),
        ("seealso recommend u1 --path e", ["exact"]),
        ("seealso recommend u1 --js", ["--json"]),
    ],
)
def test_tab_completion(typed: str, offered: list[str]) -> None:
    words = typed.split()
    answer = subprocess.run(
        [sys.executable, "-m", "seealso"],
        env=os.environ
        | {
            "_SEEALSO_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split(",")[1] for line in answer.stdout.split()] == offered


def test_a_reader_that_goes_away_is_no_error_message(library: Library) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "seealso", "--config", str(library.config), "recommend", "u1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
