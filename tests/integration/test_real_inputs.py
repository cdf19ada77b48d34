"""Builds from inputs as shops have them: ids that never meet, robots, wrong clocks, no texts."""

import json
from pathlib import Path
from typing import Any

import pytest

from seealso.cli.main import main
from seealso.cluster.node import NodeInfo
from seealso.errors import DataError
from seealso.indexer.build import plan
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.update import plan_update, update
from tests.integration.catalogues import OpenShop, Record, Shop, films, write_lines

TIMED = {"time": "at", "type": "kind"}
WEIGHTS = {"weights": {"buy": 5.0, "view": 1.0}, "half_life_days": 90.0}


@pytest.fixture
def shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Shop:
    sections: dict[str, dict[str, Any]] = {"events": TIMED, "importance": WEIGHTS}
    return open_shop(opensearch_latest.url, **sections, encoder={"whiten": None})


def event(user: str | None, item: str, kind: str = "view", day: int = 1) -> Record:
    return {"user_id": user, "item_id": item, "kind": kind, "at": f"2024-05-{day:02}T10:00:00Z"}


def people() -> list[Record]:
    buys = [event(f"u{n}", f"f{n}", "buy", n + 1) for n in range(6)]
    return [*buys, *(event(f"u{n}", f"f{n + 6}", "view", n + 1) for n in range(6))]


def weights(shop: Shop) -> dict[str, float]:
    stored = shop.documents(*(f"f{n}" for n in range(20)))
    return {item_id: document["importance"] for item_id, document in stored.items()}


def run(shop: Shop, capsys: pytest.CaptureFixture[str], *command: str, **changes: Any) -> Any:
    """Return what a command prints as JSON, and its other lines."""
    main(shop.arguments(*command, "--json", **changes))
    said = capsys.readouterr()
    return json.loads(said.out), said.err


def test_ids_that_never_meet_stop_a_build_and_are_said(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    upper = [event(one["user_id"], one["item_id"].upper(), one["kind"]) for one in people()]
    shop.stock(films(20), upper)
    sentence = (
        "12 of 12 events name items that are not in the catalogue, such as 'F0', 'F1', 'F10'; "
        "the likely cause: an id differs by case ('F0' is there as 'f0')"
    )
    for stopped in (shop.build, lambda: plan(shop.cluster, shop.settings(), shop.inputs())):
        with pytest.raises(DataError) as caught:
            stopped()
        assert caught.value.message == sentence
        assert "--allow-unmatched" in str(caught.value.hint)
    assert shop.names == []
    report, lines = run(shop, capsys, "index", "build", "--allow-unmatched")
    assert report["unmatched"]["rows"] == 12
    assert sentence in report["notes"]
    assert f"note: {sentence}" in " ".join(lines.split())
    assert shop.live == report["index"]


def test_half_of_the_events_may_be_of_other_items(shop: Shop) -> None:
    shop.stock(films(20), [*people(), *(event("u", f"gone{n}") for n in range(12))])
    report = shop.build()
    assert report.unmatched is not None
    assert (report.unmatched.rows, report.unmatched.of) == (12, 24)
    assert report.notes[0].startswith("12 of 24 events name items that are not in the catalogue")


def test_refresh_and_update_say_what_does_not_meet(shop: Shop) -> None:
    shop.stock(films(20), people())
    assert not [note for note in shop.build().notes if "events" in note]
    write_lines(shop.events, [*people(), event("u", "F0")])
    said = "1 of 13 events name items that are not in the index, such as 'F0'"
    refreshed = refresh_importance(shop.cluster, shop.settings(), shop.inputs())
    assert refreshed.events.events == 13
    assert [note[: len(said)] for note in refreshed.notes] == [said]
    # of the changed items alone, most events are of others
    changed = shop.folder / "changed.jsonl"
    write_lines(changed, films(3))
    partial = shop.settings(catalogue={"path": str(changed)})
    for change in (plan_update, update):
        notes = change(shop.cluster, partial, shop.inputs(partial)).notes
        assert [note[: len(said)] for note in notes] == [said]


def test_a_robot_flattens_nobody(shop: Shop) -> None:
    shop.stock(films(20), people())
    shop.build()
    before = weights(shop)
    robot = [event("bot", "f15", day=20)] * 400
    write_lines(shop.events, [*people(), *robot])
    report = shop.build(importance=WEIGHTS)
    after = weights(shop)
    assert report.events.uncounted == 397
    assert shop.documents("f15")["f15"]["interactions"] == 3
    assert after["f15"] < after["f5"]
    for item_id in (f"f{n}" for n in range(12)):
        # the robot came later, and so set the clock that the others fade by
        assert after[item_id] == pytest.approx(before[item_id], abs=0.05)
    unchanged = refresh_importance(shop.cluster, shop.settings(), shop.inputs())
    assert unchanged.changed == 0
    assert unchanged.parameters["per_user"] == 3
    assert update(shop.cluster, shop.settings(), shop.inputs()).written == 0


def test_a_clock_of_2038_changes_nothing_for_others(shop: Shop) -> None:
    right = [*people(), event("zoe", "f15", day=6)]
    shop.stock(films(20), right)
    shop.build()
    before = weights(shop)
    ahead = {**right[-1], "at": "2038-01-19T03:14:07Z"}
    write_lines(shop.events, [*right[:-1], ahead])
    report = shop.build()
    assert weights(shop) == pytest.approx(before)
    assert (report.events.ahead, report.events.events) == (1, 13)
    assert str(report.events.last) == "2024-05-06 10:00:00+00:00"
    assert any(note.startswith("1 of 13 events are in the future") for note in report.notes)
    assert refresh_importance(shop.cluster, shop.settings(), shop.inputs()).changed == 0


def test_the_span_of_the_events_is_printed(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.stock(films(20), people())
    main(shop.arguments("index", "build"))
    said = " ".join(capsys.readouterr().out.split())
    assert "events 12 of 6 users, from 2024-05-01 10:00 to 2024-05-06 10:00 UTC" in said


def test_the_model_reads_the_columns_that_are_named(shop: Shop) -> None:
    named = [
        {"item_id": one["item_id"], "name": one["title"], "body": one["description"]}
        for one in films(20)
    ]
    shop.stock(named, people())
    columns = {"text": ["name", "body"], "keywords": [], "numbers": []}
    shop.build(catalogue=columns)
    document = shop.documents("f3")["f3"]
    assert document["text"] == f"{named[3]['name']}. {named[3]['body']}"
    assert "vector" in document
    with pytest.raises(DataError, match="20 of 20 items have no text") as caught:
        shop.build(catalogue=columns, text={"item": "{{ title }}"})
    assert "names no column 'title'" in str(caught.value.hint)
    assert len(shop.names) == 1


def test_what_was_broken_is_in_the_report(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    odd = [{**film, "price": "call us"} if n < 3 else film for n, film in enumerate(films(20))]
    shop.stock(odd, [*people(), {"user_id": "u", "item_id": ""}])
    report, lines = run(shop, capsys, "index", "build", "--on-error", "skip")
    assert (report["broken_rows"], report["broken_values"]) == (1, 3)
    assert "price is not a number" in lines
    assert report["items"] == 20


def test_how_events_are_written_is_said_by_a_build_and_not_with_each_list(
    shop: Shop, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shop.stock(films(20), people())
    path = tmp_path / "events.csv"
    rows = [
        ";".join(("user_id", "item_id", "kind", "at")),
        *(";".join(one.values()) for one in people()),
    ]
    path.write_text("\n".join(rows))
    written = {"events": {**TIMED, "path": str(path)}}
    _, lines = run(shop, capsys, "index", "build", **written)
    assert lines.count("events.csv: separated by ';'") == 1
    found, lines = run(shop, capsys, "recommend", "u1", **written)
    assert found
    assert "separated by" not in lines


def test_a_few_items_without_text_are_counted(shop: Shop, tmp_path: Path) -> None:
    without_text = [{"item_id": f"m{n}", "price": 1.0} for n in range(2)]
    shop.stock([*films(20), *without_text], people())
    notes = shop.build().notes
    assert "2 items have no text, and so no vector" in notes
    assert "vectors are not whitened: 20 different texts are fewer than 2" in " ".join(notes)
