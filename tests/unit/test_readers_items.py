"""Catalogue rows become items; a broken one is named by source, line and field."""

from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from seealso.config import CatalogueSettings
from seealso.errors import ConfigError, DataError
from seealso.interactions import RESERVED, Problems, Rows, read_items


@dataclass(frozen=True)
class Lines:
    """A source in memory: one batch after the other."""

    batches: tuple[Any, ...]
    name: str = "films.csv"

    def rows(self):
        return iter(self.batches)


def lines(*rows, schema=None):
    frame = pl.DataFrame(rows, infer_schema_length=None, schema_overrides=schema)
    return Lines((Rows(frame, range(2, 2 + frame.height)),))


def documents(*batches):
    return Lines(batches, "films")


def columns(**chosen):
    return CatalogueSettings(**{"text": ["title"], **chosen})


def items(source, settings=None, problems=None):
    read = read_items(source, settings or columns(), problems or Problems("stop"))
    return [item for batch in read for item in batch]


def fields(source, settings=None):
    return [dict(item.fields) for item in items(source, settings)]


def test_fields_by_kind():
    settings = columns(keywords=["colour", "year"], numbers=["price"], lists={"genres": "|"})
    source = lines(
        {
            "item_id": "1",
            "title": " Alien ",
            "colour": "black",
            "year": "1979",
            "price": " 9.50 ",
            "genres": "Horror| Sci-Fi ||",
            "unused": "x",
        }
    )
    (item,) = items(source, settings)
    assert item.item_id == "1"
    assert item.fields == {
        "title": " Alien ",
        "colour": "black",
        "year": "1979",
        "price": 9.5,
        "genres": ["Horror", "Sci-Fi"],
    }


def test_empty_values_are_left_out():
    settings = columns(keywords=["colour"], numbers=["price"], lists={"genres": "|"})
    blank = {"item_id": "1", "title": "  ", "colour": "", "price": "", "genres": " | "}
    nothing = {"item_id": "2", "title": None, "colour": None, "price": None, "genres": None}
    assert fields(lines(blank, nothing), settings) == [{}, {}]


def test_columns_that_have_types():
    settings = columns(text=["title", "year"], keywords=["size", "new"], numbers=["price"])
    frame = pl.DataFrame(
        {
            "item_id": [1.0, 2.0],
            "title": [["a", "b"], None],
            "year": [1979, 1980],
            "size": [40.0, 40.5],
            "new": [True, False],
            "price": [float("nan"), 2.0],
        }
    )
    read = items(Lines((Rows(frame, (1, 2), unit="row"),)), settings)
    assert [item.item_id for item in read] == ["1", "2"]
    assert [dict(item.fields) for item in read] == [
        {"title": "a b", "year": "1979", "size": "40", "new": "true"},
        {"year": "1980", "size": "40.5", "new": "false", "price": 2.0},
    ]


def test_a_list_in_the_source_needs_no_separator():
    source = documents([{"item_id": "1", "title": "a", "tags": ["x", " ", "y|z"]}])
    expected = [{"title": "a", "tags": ["x", "y|z"]}]
    assert fields(source, columns(keywords=["tags"])) == expected
    assert fields(source, columns(lists={"tags": "|"})) == expected


def test_columns_get_their_new_names():
    settings = columns(rename={"movieId": "item_id", "name": "title"})
    (item,) = items(lines({"movieId": "1", "name": "Alien"}), settings)
    assert (item.item_id, dict(item.fields)) == ("1", {"title": "Alien"})


def test_a_new_name_that_is_taken():
    settings = columns(rename={"name": "title"})
    with pytest.raises(DataError, match=r"films\.csv: rename makes two columns 'title'"):
        items(lines({"item_id": "1", "name": "a", "title": "b"}), settings)


@pytest.mark.parametrize("item_id", ["a/b c", "商品 一", "?&#%", "x" * 512, "é" * 256])
def test_ids_of_all_kinds(item_id):
    assert items(lines({"item_id": item_id, "title": "a"}))[0].item_id == item_id


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"item_id": ""}, "films.csv line 2: item_id is empty"),
        ({"item_id": " "}, "films.csv line 2: item_id is empty"),
        ({"item_id": "x" * 513}, "films.csv line 2: item_id has more than 512 bytes"),
        ({"item_id": "é" * 257}, "films.csv line 2: item_id has more than 512 bytes"),
        (
            {"title": "x" * 10_000_000},
            "films.csv line 2: title has 10,000,000 characters, more than 1,000,000",
        ),
        (
            {"genres": "x" * 1_000_001},
            "films.csv line 2: genres has 1,000,001 characters, more than 1,000,000",
        ),
        ({"price": "cheap"}, "films.csv line 2: price is not a number ('cheap')"),
        ({"price": "1,5"}, "films.csv line 2: price is not a number ('1,5')"),
        ({"price": "inf"}, "films.csv line 2: price is infinite"),
    ],
)
def test_a_broken_row_stops_the_reading_or_is_left_out(row, message):
    settings = columns(numbers=["price"], lists={"genres": "|"})
    good = {"item_id": "2", "title": "b", "price": "1", "genres": "x"}
    source = lines({"item_id": "1", "title": "a", "price": "1", "genres": "x", **row}, good)
    with pytest.raises(DataError) as caught:
        items(source, settings)
    assert caught.value.message.startswith(message)
    assert caught.value.context["file"] == "films.csv"
    assert caught.value.context["line"] == 2
    assert caught.value.context["field"] == next(iter(row))
    problems = Problems("skip")
    assert [item.item_id for item in items(source, settings, problems)] == ["2"]
    assert problems.count == 1
    assert problems.messages[0].startswith(message)


def test_a_row_that_is_broken_in_several_ways_counts_once():
    problems = Problems("skip")
    rows = [{"item_id": "", "title": "a", "price": "x"}, {"item_id": "1", "title": "b"}]
    items(lines(*rows), columns(numbers=["price"]), problems)
    assert problems.messages == ("films.csv line 2: item_id is empty",)
    assert problems.count == 1


def test_an_id_that_is_there_already_names_the_first_line():
    problems = Problems("skip")
    first = Rows(pl.DataFrame({"item_id": ["a", "b"], "title": ["x", "y"]}), (2, 3))
    second = Rows(pl.DataFrame({"item_id": ["c", "a"], "title": ["z", "w"]}), (4, 5))
    read = items(Lines((first, second)), problems=problems)
    assert [item.fields["title"] for item in read] == ["x", "y", "z"]
    assert problems.messages == ("films.csv line 5: item_id 'a' is there already, on line 2",)


def test_what_is_broken_first_stops_the_reading():
    frame = pl.DataFrame({"item_id": ["", "b"], "title": ["x", "y"]})
    source = Lines((Rows(frame, (4, 5), broken=((3, "no JSON"), (9, "no JSON"))),))
    with pytest.raises(DataError, match=r"films\.csv line 3: no JSON"):
        items(source)


def test_nothing_of_a_broken_batch_comes_out_when_reading_stops():
    good = Rows(pl.DataFrame({"item_id": ["a"], "title": ["x"]}), (2,))
    bad = Rows(pl.DataFrame({"item_id": ["b", ""], "title": ["x", "y"]}), (3, 4))
    read = read_items(Lines((good, bad)), columns(), Problems("stop"))
    assert [item.item_id for item in next(read)] == ["a"]
    with pytest.raises(DataError, match="line 4"):
        next(read)


def test_a_missing_column_names_those_that_are_there():
    with pytest.raises(DataError) as caught:
        items(lines({"item_id": "1", "titel": "a"}))
    assert caught.value.message == "films.csv has no column 'title'; it has item_id, titel"
    assert "is it 'titel'?" in caught.value.hint


def test_a_missing_column_differs_in_case():
    with pytest.raises(DataError) as caught:
        items(lines({"ITEM_ID": "1", "title": "a"}))
    assert "is it 'ITEM_ID'?" in caught.value.hint


def test_a_missing_column_that_was_to_be_renamed():
    settings = columns(rename={"movieId": "item_id"})
    with pytest.raises(DataError, match=r"films\.csv has no column 'movieId'"):
        items(lines({"item_id": "1", "title": "a"}), settings)


def test_documents_may_lack_a_field_that_others_have():
    first = [{"item_id": "1", "title": "a"}]
    second = [{"item_id": "2", "price": 2}]
    read = items(documents(first, second), columns(numbers=["price"]))
    assert [dict(item.fields) for item in read] == [{"title": "a"}, {"price": 2.0}]


def test_a_field_that_no_document_has():
    with pytest.raises(DataError, match="films has no column 'price'"):
        items(documents([{"item_id": "1", "title": "a"}]), columns(numbers=["price"]))


def test_documents_are_numbered_through_all_batches():
    problems = Problems("skip")
    items(documents([{"item_id": "1", "title": "a"}], [{"title": "b"}]), problems=problems)
    assert problems.messages == ("films document 2: item_id is empty",)


@pytest.mark.parametrize(
    "batches", [(), ([],), (Rows(pl.DataFrame({"item_id": [], "title": []}), ()),)]
)
def test_an_empty_catalogue(batches):
    with pytest.raises(DataError, match=r"films\.csv has no items"):
        items(Lines(batches))


def test_a_catalogue_whose_rows_are_all_broken_shows_the_first():
    with pytest.raises(DataError, match="has no items: all 2 rows are broken") as caught:
        items(lines({"item_id": "", "title": "a"}, {"item_id": "", "title": "b"}), None, Problems())
    assert caught.value.hint == "films.csv line 2: item_id is empty"


@pytest.mark.parametrize("name", sorted(RESERVED))
@pytest.mark.parametrize("kind", ["text", "keywords", "numbers", "lists"])
def test_names_that_the_index_uses_itself_are_refused_at_once(name, kind):
    chosen = {name: "|"} if kind == "lists" else [name]
    with pytest.raises(ConfigError, match=f"'{name}'") as caught:
        read_items(documents(), columns(**{kind: chosen}), Problems())
    assert "rename" in caught.value.hint


def test_a_column_cannot_be_two_kinds():
    with pytest.raises(ConfigError, match="'genres' is named as two"):
        read_items(documents(), columns(text=["genres"], lists={"genres": "|"}), Problems())


def test_objects_are_no_text():
    frame = pl.DataFrame({"item_id": ["1"], "title": [{"en": "a"}]})
    with pytest.raises(DataError, match="column 'title' holds objects, not text"):
        items(Lines((Rows(frame, (1,)),)))


def test_bytes_that_are_no_text():
    frame = pl.DataFrame({"item_id": ["1"], "title": [b"caf\xe9"]})
    with pytest.raises(DataError, match="column 'title' is not UTF-8 text"):
        items(Lines((Rows(frame, (1,)),)))
