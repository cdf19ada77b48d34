"""A list shows itself as a table, as JSON and as plain values."""

import json

import pytest
from rich.console import Console

from seealso.plugin import Recommendation, RecommendationList
from seealso.plugin.recommendations import name_of
from seealso.types import Path, Source

TITLE = '[red]"无线" {{x}}[/red]\n'


def sample() -> RecommendationList:
    known = Recommendation(
        "i1", 0.7311, 1.0, 2.0, Source.VECTOR, 1.5, False, {"title": TITLE, "year": 1995.0}
    )
    unknown = Recommendation("[i2]", None, None, 7.5, Source.TAIL, 0.5, True, {})
    return RecommendationList(
        (known, unknown), "u1", Path.EXACT, "films-1", "abc", "a note", {"total": 1.23456}
    )


def drawn(show: str | None = None, title: str | None = None, width: int = 120) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(sample().table(show, title))
    return capture.get()


def test_a_list_is_a_sequence_of_its_items() -> None:
    found = sample()
    assert len(found) == 2
    assert found.ids == [item.item_id for item in found] == ["i1", "[i2]"]
    assert found[1].tail


def test_plain_values_hold_everything() -> None:
    plain = sample().as_dict()
    assert plain["user_id"] == "u1"
    assert plain["path"] == "exact"
    assert plain["note"] == "a note"
    assert plain["latency_ms"] == {"total": 1.23}
    assert plain["items"][0] == {
        "item_id": "i1",
        "probability": 0.7311,
        "raw": 1.0,
        "score": 2.0,
        "source": "vector",
        "importance": 1.5,
        "tail": False,
        "co_occurrence": 0.0,
        "neighbours": 0.0,
        "boost": 0.0,
        "fields": {"title": TITLE, "year": 1995.0},
    }


def test_json_is_one_line_and_says_the_same() -> None:
    line = sample().to_json()
    assert "\n" not in line
    assert json.loads(line) == sample().as_dict()


def test_the_table_shows_the_first_text_and_no_markup() -> None:
    shown = drawn()
    assert '[red]"无线" {{x}}[/red]' in shown
    assert "[i2]" in shown
    assert "0.731" in shown
    assert "vector" in shown
    assert "tail" in shown


def test_a_narrow_terminal_cuts_names_and_no_number() -> None:
    header, first, second = drawn("title", width=50).splitlines()
    assert header.split() == ["#", "item", "title", "p", "importance", "by"]
    assert first.split()[-3:] == ["0.731", "1.50", "vector"]
    assert second.split()[-3:] == ["-", "0.50", "tail"]
    assert "…" in first


def test_an_item_takes_one_line_whatever_it_is_called() -> None:
    item = Recommendation("a\nb\x1b[31m", None, None, 1.0, Source.TAIL, 1.0, True, {"t": "x\n y"})
    console = Console(width=80)
    with console.capture() as capture:
        found = RecommendationList((item,), "u1", Path.EXACT, "films-1", "abc")
        console.print(found.table("t"))
    assert capture.get().splitlines()[1].split()[1:4] == ["a\\nb\\x1b[31m", "x", "y"]
    assert len(capture.get().splitlines()) == 2


def test_a_field_that_an_item_lacks_is_a_dash_and_no_other_field() -> None:
    shown = drawn("maker")
    assert TITLE.strip() not in shown
    assert [line.split()[2] for line in shown.splitlines()[1:]] == ["-", "-"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (159.0, "159"),
        (1e20, "100000000000000000000"),
        (2.5, "2.5"),
        ([1.0, 2.5], "1, 2.5"),
        (["a", "b"], "a, b"),
        ([], "-"),
        ("", "-"),
        (False, "False"),
    ],
)
def test_a_value_is_shown_as_it_is(value: object, shown: str) -> None:
    assert name_of({"a": "first text", "price": value}, "price") == shown


def test_the_table_shows_a_chosen_field_and_a_title() -> None:
    shown = drawn("year", "For you")
    assert shown.startswith("For you")
    assert "1995" in shown
    assert "1995.0" not in shown
    assert "无线" not in shown


def test_a_list_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        sample().note = "other"  # type: ignore[misc]
