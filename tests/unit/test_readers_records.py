"""Rows of a program: each means what it means alone, and says what is wrong by its own names."""

from itertools import permutations

import pytest

from seealso.config import CatalogueSettings
from seealso.decoding import NO_TEXT
from seealso.readers import Problems
from seealso.readers.records import read_records

COLUMNS = CatalogueSettings(
    id="item_id",
    text=("title", "plot"),
    keywords=("kind",),
    lists={"genres": "|"},
    numbers=("price",),
    rename={"movieId": "item_id"},
)


def read(*rows, columns=COLUMNS):
    """Return the items, and of each thing that is wrong the place, the costs and a sentence."""
    problems = []
    reading = Problems("skip", each=problems.append)
    items, ignored = read_records(dict(enumerate(rows)), columns, reading)
    found = [(one.place, one.costs, f"{one.field} {one.reason}") for one in problems]
    return {one.item_id: dict(one.fields) for one in items}, found, ignored, reading.notes


ROWS = (
    {"movieId": "1", "title": "a", "genres": "Comedy|Drama", "price": "1.129", "kind": 12},
    {"movieId": "2", "title": "b", "genres": ["Comedy", "Drama"], "price": "1.129,00", "kind": "x"},
    {"movieId": 3, "title": {"en": "an object"}, "plot": "c", "price": 1.129},
    {"movieId": "4", "title": ["d", 1.129], "kind": 1.129, "price": True},
    {"movieId": "5", "title": "", "kind": 1e400, "genres": ["a", float("nan")]},
)


def test_a_row_means_the_same_whatever_other_rows_come_with_it():
    alone = [read(row) for row in ROWS]
    for order in permutations(range(len(ROWS)), 3):
        items, problems, _, notes = read(*(ROWS[place] for place in order))
        assert list(items.items()) == [one for at in order for one in alone[at][0].items()]
        expected = [(place, *rest) for place, at in enumerate(order) for _, *rest in alone[at][1]]
        assert problems == expected
        assert set(notes) == {note for at in order for note in alone[at][3]}
    assert alone[0][0]["1"]["genres"] == ["Comedy", "Drama"]
    assert alone[0][0]["1"]["price"] == 1.129


def test_the_first_row_of_an_id_counts_whatever_its_form():
    rows = [
        {"movieId": "1", "title": "first"},
        {"movieId": 2, "title": ["second"]},
        {"movieId": "2.0", "title": "again"},
    ]
    items, problems, _, _ = read(*rows)
    assert {key: one["title"] for key, one in items.items()} == {"1": "first", "2": "second"}
    assert problems == [(2, "row", "movieId '2' already exists, on item 1")]


@pytest.mark.parametrize("value", [True, ["l1"], {"a": 1}, 1.5, 1e400, float("nan")])
def test_an_id_is_a_text_or_a_whole_number(value):
    items, problems, _, _ = read({"movieId": value, "title": "a"}, {"movieId": 7.0, "title": "b"})
    assert problems == [(0, "row", "movieId is neither a text nor a whole number")]
    assert list(items) == ["7"]


def test_a_row_without_its_id_says_what_the_column_is_called():
    items, problems, ignored, _ = read(
        {"item_id": "1", "title": "a"}, {"movieId": " ", "title": "b"}
    )
    missing = "movieId is missing: the row has no such column"
    assert problems == [(0, "row", missing), (1, "row", "movieId is empty")]
    assert (items, ignored) == ({}, ("item_id",))


def test_a_misspelt_text_column_takes_no_text_from_an_item():
    items, problems, ignored, _ = read({"movieId": "1", "titel": "a"}, {"movieId": "2", "plot": ""})
    reason = (
        "title is not there (nor plot), and the text is made of it: send it empty if there is none"
    )
    assert problems == [(0, "row", reason)]
    assert (items, ignored) == ({"2": {}}, ("titel",))
    # where all that is known of items is no text
    bare, none, _, _ = read({"movieId": "1"}, columns=COLUMNS.model_copy(update={"text": ()}))
    assert (bare, none) == ({"1": {}}, [])


def test_what_is_not_finite_is_left_out_and_named():
    items, problems, _, _ = read({"movieId": "1", "title": 1e400, "plot": "a plot"})
    assert items == {"1": {"plot": "a plot"}}
    assert problems == [(0, "value", "title is not a finite number")]


def test_a_row_with_half_an_emoji_is_refused_where_it_is_read():
    items, problems, ignored, _ = read(
        {"movieId": "f\ud83d", "title": "one"},
        {"movieId": "f\ud83e", "title": "another"},
        {"movieId": "1", "title": "half \ud83d"},
        {"movieId": "2", "title": "whole", "genres": ["half \ud83d"]},
        {"movieId": "3", "title": "whole", "prize\ud83d": "half \ud83d"},
    )
    assert [*items] == ["3"]
    assert ignored == ("prize\ufffd",)
    fields = ["movieId", "movieId", "title", "genres"]
    assert problems == [(at, "row", f"{name} {NO_TEXT}") for at, name in enumerate(fields)]
