"""``seealso events`` at the terminal, and what it says of bad input."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from seealso.indexer.events.store import events_name
from tests.integration.catalogues import Shop, write_lines
from tests.live import START, append, event, forgotten
from tests.members import built, run

pytestmark = pytest.mark.usefixtures("users_key")


@pytest.fixture
def lively(peopled: Shop) -> Iterator[Shop]:
    """A shop with a users index."""
    peopled.sections["live"] = {"poll_seconds": 0.05}
    built(peopled)
    yield peopled
    forgotten(peopled)


def complaint(captured: pytest.CaptureFixture[str]) -> list[str]:
    """Return what was complained of, each line whole."""
    said = captured.readouterr().err
    return [line for line in said.splitlines() if line.startswith(("error:", " hint:"))]


def test_ingest(lively: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_lines(tmp_path / "new.jsonl", [event("ann-1", "f30"), event("bob", "nowhere", 1)])
    assert run(lively, "events", "ingest", str(file), "--dry-run", "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["written"], planned["unknown_items"]) == (2, ["nowhere"])
    assert not lively.cluster.exists(f"/{events_name(lively.alias)}")
    assert run(lively, "events", "ingest", str(file)) == 0
    said = capsys.readouterr().out
    assert "unknown items     1 (their events are kept: nowhere)" in said
    assert "2 (1 new)" in said
    assert run(lively, "events", "ingest", str(file), "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["written"], again["repeated"], again["users"]) == (0, 2, 0)
    enabled = {"enabled": True}
    assert run(lively, "recommend", "bob", "--json", users=enabled) == 0
    assert len(json.loads(capsys.readouterr().out)["items"]) == 10


@pytest.mark.parametrize("on_error", ["stop", "skip"])
@pytest.mark.parametrize(
    ("command", "file"), [("ingest", "nosuch.csv"), ("follow", "nosuch.jsonl")]
)
def test_a_file_that_is_missing_makes_no_index(
    lively: Shop, capsys: pytest.CaptureFixture[str], command: str, file: str, on_error: str
) -> None:
    assert run(lively, "events", command, file, "--on-error", on_error) == 3
    assert complaint(capsys)[0] == f"error: {file}: no such file or directory"
    assert not lively.cluster.exists(f"/{events_name(lively.alias)}")


@pytest.mark.parametrize("command", ["ingest", "follow"])
def test_an_index_of_ubi_that_is_missing_makes_no_index(
    lively: Shop, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    ubi = {"events": f"nosuch-{lively.alias}"}
    assert run(lively, "events", command, "--ubi", ubi=ubi) == 7
    assert complaint(capsys)[0] == f"error: nosuch-{lively.alias}: no such index"
    assert not lively.cluster.exists(f"/{events_name(lively.alias)}")


def test_items_that_are_called_otherwise_are_said_with_the_likely_cause(
    lively: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    clicks = [event("ann-1", "F30"), event("ann-2", "F30", 1), event("bob", "F31", 2)]
    file = write_lines(lively.folder / "upper.jsonl", [*clicks, event("bob", "f31", 3)])
    note = (
        "note: 3 of 4 events name items that are not in the index, such as 'F30', 'F31'; the "
        "likely cause: an id differs by case ('F30' is there as 'f30'); these events are kept\n"
    )
    for more in (("--dry-run",), ()):
        assert run(lively, "events", "ingest", str(file), *more) == 0
        assert note in capsys.readouterr().err


def test_a_dry_run_needs_the_users_as_the_run_does(
    lively: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_lines(lively.folder / "new.jsonl", [event("ann-1", "f30")])
    elsewhere = {"index": {"alias": f"{lively.alias}-none"}}
    for words in (("ingest", str(file)), ("follow", str(file), "--idle", "0.1")):
        said = []
        for more in ((), ("--dry-run",)):
            assert run(lively, "events", *words, *more, **elsewhere) == 7
            said.append(complaint(capsys))
        assert len(said[0]) == 2
        assert said[0] == said[1]


def test_users_update_keeps_live_events(lively: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_lines(lively.folder / "new.jsonl", [event("ann-1", "f30"), event("bob", "f31")])
    assert run(lively, "events", "ingest", str(file)) == 0
    for command in ("update", "build"):
        assert run(lively, "users", command) == 0
        capsys.readouterr()
        for user, item in (("ann-1", "f30"), ("bob", "f31")):
            assert run(lively, "users", "export", user) == 0
            held = json.loads(capsys.readouterr().out)["documents"]
            (document,) = (one for name, (one,) in held.items() if "-users-" in name)
            assert document["latest"][0] == item


def test_follow_says_where_it_would_go_on(
    lively: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_lines(tmp_path / "log.jsonl", [event("ann-1", "f30")])
    assert run(lively, "events", "follow", str(file), "--dry-run") == 0
    assert "would continue from  the start" in capsys.readouterr().out
    append(file, "not json\n")
    assert run(lively, "events", "follow", str(file), "--idle", "0.2") == 0
    said = capsys.readouterr()
    assert said.err.count("log.jsonl line 2: not JSON") == 1
    assert "log.jsonl: 1 broken row left out\n" in said.err
    assert "broken            1" in said.out
    assert run(lively, "events", "follow", str(file), "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["position"]["offset"] == file.stat().st_size


POISON = [
    '{"heartbeat": 1}',
    json.dumps(event("eve", "f8", kind="x" * 40_000)),
    *(json.dumps(event("eve", "f8", n, value=1e308)) for n in range(2)),
    json.dumps(event("eve", "f8", key="seealso:turns")),
    # what a position was called once
    json.dumps(event("eve", "f8", 3, key="position-82a936b8e6c883a1ce25a8d0")),
    json.dumps(event("eve", "f8", key="_doc")),
    *(json.dumps(event("eve", "f8", day=day))
      for day in ("9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00")),
    '{"user_id": "eve", "item_id": ' + "[" * 3000 + "]" * 3000 + "}",
    json.dumps({"item_id": "f8", "day": START.isoformat(), "key": "of nobody"}),
]  # fmt: skip


def test_no_line_ends_following(
    lively: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lively.sections["events"] |= {"value": "value"}
    lively.sections["live"] |= {"id": "key"}
    good = json.dumps(event("bob", "f7", 50, key="good"))
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join([*POISON, good]) + "\n")
    for written in (4, 0):
        assert run(lively, "events", "follow", str(file), "--idle", "0.2", "--json") == 0
        batches = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert sum(one["written"] for one in batches) == written
    assert run(lively, "users", "export", "bob") == 0
    assert '"f7"' in capsys.readouterr().out


def test_standard_input(
    lively: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(event("ann-1", "f30")) + "\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run(lively, "events", "ingest", "-", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["source"], report["written"]) == ("standard input", 1)


BROKEN = {
    "line 2: day is in the future: 2099-01-01T00:00:00Z": {"day": "2099-01-01T00:00:00Z"},
    "line 2: item_id is empty": {"item_id": ""},
    "line 2: day is empty, and there is no id (live.id)": {"day": ""},
    "line 2: day is not a time": {"day": "soon"},
}


def test_a_broken_line(lively: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    file = lively.folder / "new.jsonl"
    for said, wrong in BROKEN.items():
        write_lines(file, [event("ann-1", "f30"), {**event("ann-1", "f31"), **wrong}])
        assert run(lively, "events", "ingest", str(file)) == 3
        assert said in " ".join(complaint(capsys))
    # nothing was written: the file is read to its end first
    skip = ("events", "ingest", str(file), "--on-error", "skip", "--json")
    assert run(lively, *skip, "--dry-run") == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["written"], planned["broken"]) == (1, 1)
    assert run(lively, *skip) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["written"], report["broken"]) == (1, 1)


def test_without_a_type_it_is_the_default(lively: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_lines(lively.folder / "new.jsonl", [event("ann-1", "f30", kind=None)])
    assert run(lively, "events", "ingest", str(file)) == 0
    capsys.readouterr()
    assert run(lively, "users", "export", "ann-1") == 0
    held = json.loads(capsys.readouterr().out)["documents"]
    assert held[events_name(lively.alias)][0]["type"] == "view"


def test_what_lacks_is_said(
    peopled: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_lines(peopled.folder / "new.jsonl", [event("ann-1", "f30")])
    assert run(peopled, "events", "ingest", str(file)) == 7
    assert any("no users index was built yet" in line for line in complaint(capsys))
    assert run(peopled, "events", "ingest") == 2
    assert "Give SOURCE (a file, or -) or --ubi" in capsys.readouterr().err
    monkeypatch.delenv("SEEALSO_USERS_KEY")
    assert run(peopled, "events", "follow", str(file)) == 2
    assert any("SEEALSO_USERS_KEY is not set" in line for line in complaint(capsys))
