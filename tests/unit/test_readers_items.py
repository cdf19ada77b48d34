"""Catalogue rows become items; a broken one is named by source, line and field."""

from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from seealso.config import CatalogueSettings
from seealso.errors import ConfigError, DataError
from seealso.readers import RESERVED, Problems, Rows, read_items


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
        "title": "Alien",
        "colour": "black",
        "year": "1979",
        "price": 9.5,
        "genres": ["Horror", "Sci-Fi"],
    }


def test_objects_among_the_values_of_a_list_are_told():
    problems = Problems()
    source = documents([{"item_id": "1", "tags": ["a", {"n": "x"}, ["b"]]}])
    for name, found in (("tags", ["a", "b"]), ("tags.n", ["x"])):
        (item,) = items(source, columns(text=(), keywords=[name]), problems)
        assert item.fields == {name: found}
        reason = "is an object" if name == "tags" else "is not there: tags is no object"
        assert f"{name} {reason}" in problems.messages[0]


def test_a_number_among_texts_keeps_its_meaning():
    prices = (1.129, "24,90", "1.129", "31,50")
    source = documents([{"item_id": str(n), "price": one} for n, one in enumerate(prices)])
    read = [one["price"] for one in fields(source, columns(text=(), numbers=["price"]))]
    assert read == [1.129, 24.9, 1129, 31.5]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("['Sci-Fi', 'Children\\'s']", ["Sci-Fi", "Children's"]),
        ('["Sci-Fi","a, b"]', ["Sci-Fi", "a, b"]),
        ("['Sci-Fi' 'a b']", ["Sci-Fi", "a b"]),
        ("[]", None),
        ("['never closed, b]", ["'never closed", "b"]),
        # brackets may belong to a name
        ("[Sale]", ["[Sale]"]),
        ("(no genres listed)", ["(no genres listed)"]),
    ],
)
def test_lists_written_as_text(text, found):
    settings = columns(text=(), lists={"genres": "|"})
    (only,) = fields(lines({"item_id": "1", "genres": text}), settings)
    assert only.get("genres") == found


def test_an_array_of_postgres_is_a_list_where_commas_separate():
    source = lines({"item_id": "1", "genres": '{Garden,"Big tools"}'})
    settings = columns(text=(), lists={"genres": ","})
    assert fields(source, settings) == [{"genres": ["Garden", "Big tools"]}]


def test_objects_written_as_text_are_no_list():
    problems = Problems()
    text = "[{'id': 16, 'name': 'Animation'}]"
    settings = columns(text=(), lists={"genres": ","})
    (item,) = items(lines({"item_id": "1", "genres": text}), settings, problems)
    assert not item.fields
    assert "genres holds objects written as text" in problems.messages[0]


def test_a_list_written_as_text_that_no_setting_names_is_noted():
    problems = Problems()
    source = lines({"item_id": "1", "genres": "['a', 'b']"}, {"item_id": "2", "genres": "c"})
    items(source, columns(text=(), keywords=["genres"]), problems)
    assert problems.notes == (
        "films.csv: genres holds lists written as text: name it in catalogue.lists",
    )


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


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"title": "x" * 10_000_000}, "title has 10,000,000 characters, more than 1,000,000"),
        ({"genres": "x" * 1_000_001}, "genres has 1,000,001 characters, more than 1,000,000"),
        ({"price": "cheap"}, "price is not a number ('cheap')"),
        ({"price": "24.00/kg"}, "price is not a number ('24.00/kg')"),
        ({"price": "1.2.3"}, "price is not a number ('1.2.3')"),
        ({"price": "y" * 500}, f"price is not a number ('{'y' * 39}...)"),
        ({"price": "inf"}, "price is infinite ('inf')"),
        ({"price": [9.5, 12]}, "price is a list (['9.5', '12'])"),
    ],
)
def test_a_broken_value_costs_itself_alone(cell, message):
    """Not even a run that stops at broken rows ends: the item is there, without the value."""
    settings = columns(numbers=["price"], lists={"genres": "|"})
    good = {"item_id": "2", "title": "b", "price": "1", "genres": "x"}
    source = documents([{"item_id": "1", "title": "a", "price": "1", "genres": "x", **cell}, good])
    problems = Problems("stop")
    first, second = items(source, settings, problems)
    (name,) = cell
    assert name not in first.fields
    assert first.fields.keys() == second.fields.keys() - {name}
    assert second.fields == {"title": "b", "price": 1.0, "genres": ["x"]}
    assert problems.messages == (f"films document 1: {message}",)
    assert (problems.count, problems.values) == (0, 1)


def test_a_row_that_is_broken_in_several_ways_counts_once():
    problems = Problems("skip")
    rows = [{"item_id": "", "title": "a", "price": "x"}, {"item_id": "1", "title": "b"}]
    items(lines(*rows), columns(numbers=["price"]), problems)
    assert problems.messages == ("films.csv line 2: item_id is empty",)
    assert (problems.count, problems.values) == (1, 0)


def test_an_id_that_is_there_already_names_the_first_line():
    problems = Problems("skip")
    first = Rows(pl.DataFrame({"item_id": ["a", "b"], "title": ["x", "y"]}), (2, 3))
    second = Rows(pl.DataFrame({"item_id": ["c", "a"], "title": ["z", "w"]}), (4, 5))
    read = items(Lines((first, second)), problems=problems)
    assert [item.fields["title"] for item in read] == ["x", "y", "z"]
    assert problems.messages == ("films.csv line 5: item_id 'a' already exists, on line 2",)


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
    with pytest.raises(DataError, match=r"no column 'title'; it has item_id, title\.en") as caught:
        items(Lines((Rows(frame, (1,)),)))
    assert "is it 'title.en'?" in caught.value.hint


def test_what_no_setting_names_is_not_in_the_way():
    frame = pl.DataFrame(
        {"item_id": ["1"], "title": ["a"], "deep": [{"x": [{"y": 1}]}], "raw": [b"caf\xe9"]}
    )
    assert fields(Lines((Rows(frame, (1,)),))) == [{"title": "a"}]
    odd = {"item_id": "1", "title": "a", "deep": [[1, {"x": 2}], [], {"z": None}], "huge": 2**90}
    assert fields(documents([odd])) == [{"title": "a"}]


def test_lists_within_lists_are_opened():
    nested = [{"item_id": "1", "title": "a", "tags": [["x", "y"], ["z"]]}]
    frame = pl.DataFrame(nested)
    assert fields(Lines((Rows(frame, (1,)),)), columns(keywords=["tags"])) == [
        {"title": "a", "tags": ["x", "y", "z"]}
    ]
    assert fields(documents(nested), columns(keywords=["tags"]))[0]["tags"] == ["x", "y", "z"]


def test_bytes_that_are_no_text():
    frame = pl.DataFrame({"item_id": ["1", "2"], "title": [b"caf\xe9", "café".encode()]})
    problems = Problems("stop")
    first, second = items(Lines((Rows(frame, (1, 2)),)), problems=problems)
    assert (dict(first.fields), dict(second.fields)) == ({}, {"title": "café"})
    assert problems.messages == ("films.csv line 1: title is not UTF-8 (b'caf\\xe9')",)


SHOP = columns(text=["title", "categories.name"], keywords=["tags.id"], numbers=["price.eur"])


def test_paths_lead_into_objects_and_lists_of_them():
    record = {
        "item_id": 1, "title": "a", "price": {"eur": 2.5},
        "categories": [{"name": "Garden", "id": 3}, {"id": 4}, {"name": "Cans"}],
        "tags": [{"id": 7}, {"id": "b"}],
    }  # fmt: skip
    wanted = [
        {"title": "a", "categories.name": "Garden Cans", "tags.id": ["7", "b"], "price.eur": 2.5}
    ]
    assert fields(documents([record]), SHOP) == wanted
    typed = {**record, "tags": [{"id": "7"}, {"id": "b"}]}
    frame = pl.DataFrame([typed])
    assert isinstance(frame.schema["categories"], pl.List)
    assert fields(Lines((Rows(frame, (1,)),)), SHOP) == wanted
    short = columns(
        text=["title", "shelf"],
        numbers=["eur"],
        rename={"categories.name": "shelf", "price.eur": "eur"},
    )
    assert fields(Lines((Rows(frame, (1,)),)), short) == [
        {"title": "a", "shelf": "Garden Cans", "eur": 2.5}
    ]


@pytest.mark.parametrize("value", ["NULL", "NA", "n/a", "-", "\\N", "NaN", "", None, float("nan")])
def test_words_that_stand_for_no_number(value):
    problems = Problems("stop")
    source = lines({"item_id": "1", "title": "a", "price": value})
    assert items(source, columns(numbers=["price"]), problems)[0].fields == {"title": "a"}
    assert problems.values == 0


def test_a_text_may_be_a_word_that_is_no_number():
    source = lines(
        {"item_id": "NA", "title": "None"}, {"item_id": "None", "title": "-"},
        {"item_id": "x", "title": "NULL"}, {"item_id": "y", "title": "\\N"},
    )  # fmt: skip
    assert [(one.item_id, dict(one.fields)) for one in items(source)] == [
        ("NA", {"title": "None"}), ("None", {"title": "-"}), ("x", {}), ("y", {}),
    ]  # fmt: skip


def test_two_ids_that_are_one():
    """1 and 1.0 in one catalogue cannot both be kept, and it is said."""
    problems = Problems("skip")
    rows = [{"item_id": "1", "title": "a"}, {"item_id": "1.0", "title": "b"}]
    assert [one.item_id for one in items(lines(*rows), problems=problems)] == ["1"]
    assert problems.messages == ("films.csv line 3: item_id '1' already exists, on line 2",)


def test_the_id_of_a_document_is_left_as_it_is():
    source = documents([{"_id": " 1.0 ", "title": "a"}, {"_id": "null", "title": "b"}])
    assert [one.item_id for one in items(source, columns(id="_id"))] == [" 1.0 ", "null"]


def test_rows_of_variants_and_pictures_continue_their_item():
    settings = columns(text=["title", "body"], keywords=["vendor"], numbers=["price"])
    blank = {"title": "", "body": "", "vendor": "", "price": ""}
    source = lines(
        {"item_id": "can", "title": "Can", "body": "Long", "vendor": "Fern", "price": "24"},
        {**blank, "item_id": "can", "price": "26"},
        {**blank, "item_id": ""},
        {"item_id": "shears", "title": "Shears", "body": "", "vendor": "Fern", "price": "31"},
        {**blank, "item_id": "can", "vendor": "Fern", "price": "27"},
        {"item_id": "can", "title": "Another can", "body": "", "vendor": "Fern", "price": "28"},
        {**blank, "item_id": "", "vendor": "Oak", "title": "Lost"},
    )
    problems = Problems("skip")
    assert [(one.item_id, one.fields["price"]) for one in items(source, settings, problems)] == [
        ("can", 24.0), ("shears", 31.0),
    ]  # fmt: skip
    assert problems.messages == (
        "films.csv line 7: item_id 'can' already exists, on line 2",
        "films.csv line 8: item_id is empty",
    )
    assert problems.notes == (
        "films.csv: 3 further rows of the same items (variants, pictures): "
        "the first row of each counts",
        "films.csv: ids are repeated with other texts: if these are rows of other store views or "
        "languages, export only one of them",
    )


def test_a_row_that_repeats_an_item_in_another_batch_continues_it():
    first = Rows(pl.DataFrame({"item_id": ["a"], "title": ["x"]}), (2,))
    again = Rows(pl.DataFrame({"item_id": ["a", "b"], "title": [None, "y"]}), (3, 4))
    assert [one.item_id for one in items(Lines((first, again)))] == ["a", "b"]


def test_an_object_where_others_have_a_plain_value_costs_that_value():
    source = documents(
        [
            {"item_id": "a", "name": "x", "price": 1},
            {"item_id": "b", "name": {"en": "y"}, "price": {"eur": {"net": 2}}},
            {"item_id": {"$oid": "c"}, "name": "z", "price": 3},
        ]
    )
    settings = columns(rename={"name": "title"}, numbers=["price"])
    problems = Problems("skip")
    read = {one.item_id: one.fields for one in items(source, settings, problems)}
    assert read == {"a": {"title": "x", "price": 1}, "b": {}}
    assert [message.split(": ", 1)[1] for message in problems.messages] == [
        "price is an object: name a path into it, such as price.eur.net",
        "title is an object: name a path into it, such as name.en",
        "item_id is an object: name a path into it, such as item_id.$oid",
    ]
    assert (problems.count, problems.values) == (1, 2)
