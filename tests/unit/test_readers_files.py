"""Files that are broken, cut off or not what their names say: one clear line for each."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from seealso.config import CatalogueSettings, FormatSettings
from seealso.errors import DataError
from seealso.readers import FileSource, Problems, read_items


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(path, **chosen):
    return list(FileSource(path, **chosen).rows())


def table(path, **chosen):
    """Places and values of all good rows, and what was broken."""
    read = rows(path, **chosen)
    good = [
        (place, *values)
        for batch in read
        for place, values in zip(batch.places, batch.frame.rows(), strict=True)
    ]
    return good, [broken for batch in read for broken in batch.broken]


def error(path):
    with pytest.raises(DataError) as caught:
        rows(path)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value.message


def test_line_numbers_are_those_of_the_file(tmp_path):
    text = 'id,title\n1,plain\n2,"two\nlines, and a ""quote"""\n\n3,after\n'
    good, broken = table(written(tmp_path, "a.csv", text))
    assert good == [(2, "1", "plain"), (3, "2", 'two\nlines, and a "quote"'), (6, "3", "after")]
    assert broken == []


@pytest.mark.parametrize("quoted", [False, True])
def test_a_row_with_too_few_or_many_fields_is_broken_and_the_rest_is_read(tmp_path, quoted):
    last = '"4"' if quoted else "4"
    text = f"id,title\n1,a\n2\n3,b,c\n{last},d\n"
    good, broken = table(written(tmp_path, "a.csv", text))
    assert good == [(2, "1", "a"), (5, "4", "d")]
    assert broken == [
        (3, "1 field where the header has 2"),
        (4, "3 fields where the header has 2"),
    ]


def test_too_few_and_too_many_fields_do_not_make_up_for_each_other(tmp_path):
    good, broken = table(written(tmp_path, "a.csv", "a,b,c\n1,2,3\n4,5\n6,7,8,9\n"))
    assert good == [(2, "1", "2", "3")]
    assert [place for place, _ in broken] == [3, 4]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_bytes_that_are_not_utf8_cost_their_value_and_in_an_id_their_row(tmp_path, name):
    text = b"id,title,price\n1,caf\xc3\xa9,2\n2,caf\xe9,3\n3,tea,4 \xa4\nn\xb04,\xc3\xa9,5\n"
    if name.endswith("tsv"):
        text = text.replace(b",", b"\t")
    columns = CatalogueSettings(id="id", text=("title",), numbers=("price",))
    chosen, problems = FormatSettings(encoding="utf-8"), Problems("skip")
    source = FileSource(written(tmp_path, name, text), format=chosen)
    read = [item for batch in read_items(source, columns, problems) for item in batch]
    assert [(item.item_id, dict(item.fields)) for item in read] == [
        ("1", {"title": "café", "price": 2.0}),
        ("2", {"price": 3.0}),
        ("3", {"title": "tea"}),
    ]
    assert problems.messages == (
        f"{name} line 3: title is not UTF-8 (b'caf\\xe9')",
        f"{name} line 4: price is not UTF-8 (b'4 \\xa4')",
        f"{name} line 5: id is not UTF-8 (b'n\\xb04')",
    )
    assert (problems.count, problems.values) == (1, 2)


def test_a_quote_that_is_never_closed_costs_its_row_alone(tmp_path):
    good, broken = table(written(tmp_path, "a.csv", 'id,title\n1,a\n2,"open\n3,b\n'))
    assert good == [(2, "1", "a"), (4, "3", "b")]
    assert broken == [(3, "a quoted field is never closed")]


def test_text_after_a_closing_quote_is_broken(tmp_path):
    good, broken = table(written(tmp_path, "a.csv", 'id,title\n1,"a" b\n2,c\n'))
    assert good == [(3, "2", "c")]
    assert broken == [(2, "',' expected after '\"'")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_line_of_seventeen_megabytes_is_broken_and_the_next_row_is_read(tmp_path, quote):
    text = f"id,title\n1,{quote}{'x' * 17_000_000}{quote}\n2,b\n"
    good, broken = table(written(tmp_path, "a.csv", text))
    assert good == [(3, "2", "b")]
    assert broken == [(2, "the line has more than 16,000,000 bytes")]


def test_a_field_of_200_thousand_characters_is_read(tmp_path):
    good, broken = table(written(tmp_path, "a.csv", f'id,title\n1,"{"x" * 200_000}"\n'))
    assert (len(good[0][2]), broken) == (200_000, [])


@pytest.mark.parametrize("quote", ["", '"'])
def test_blocks_and_batches_lose_nothing(tmp_path, quote):
    # several blocks of the reader, and one row that spans the end of a block
    lines = [f"{n},{quote}{'y' * 97}{quote}" for n in range(60_000)]
    if quote:
        lines = [line.replace("yyy", "y\ny", 1) for line in lines]
    path = written(tmp_path, "a.csv", "id,title\n" + "\n".join(lines) + "\n")
    good, broken = table(path, batch_rows=7_000)
    assert broken == []
    assert [int(row[1]) for row in good] == list(range(60_000))
    step = 2 if quote else 1
    assert [row[0] for row in good] == list(range(2, 2 + 60_000 * step, step))
    assert max(batch.frame.height for batch in rows(path, batch_rows=7_000)) == 7_000


def test_every_broken_row_is_reported_once_when_a_block_is_cut_into_batches(tmp_path):
    lines = [f"{n}" if n % 10 == 0 else f"{n},x" for n in range(2, 1003)]
    good, broken = table(written(tmp_path, "a.csv", "\n".join(["id,t", *lines])), batch_rows=30)
    assert [place for place, _ in broken] == list(range(10, 1003, 10))
    assert [row[0] for row in good] == [int(row[1]) for row in good]
    assert len(good) + len(broken) == 1001


def test_a_byte_order_mark_and_windows_line_ends(tmp_path):
    text = b'\xef\xbb\xbf"id","title"\r\n1,a\r\n'
    batch = rows(written(tmp_path, "a.csv", text))[0]
    assert batch.frame.to_dicts() == [{"id": "1", "title": "a"}]


def test_empty_cells_are_null_on_both_ways_through_the_reader(tmp_path):
    for text in ("a,b,c\n1,,\n", 'a,b,c\n"1",,""\n'):
        assert table(written(tmp_path, "a.csv", text))[0] == [(2, "1", None, None)]


def test_broken_json_lines_are_named_and_the_rest_is_read(tmp_path):
    text = '{"id": 1}\n\n{"id": 2\n[3]\n{"id": nan}\n{"id": 4}\n'
    good, broken = table(written(tmp_path, "a.jsonl", text))
    assert good == [(1, 1), (6, 4)]
    assert [place for place, _ in broken] == [3, 4, 5]
    assert broken[0][1].startswith("not JSON: ")
    assert broken[1][1] == "not a JSON object"


def test_json_bytes_that_are_not_utf8_are_broken(tmp_path):
    text = b'{"t": "th\xc3\xa9"}\n{"t": "caf\xe9"}\n{"t": "tea"}\n'
    good, broken = table(written(tmp_path, "a.ndjson", text))
    assert good == [(1, "thé"), (3, "tea")]
    assert broken[0][0] == 2


def test_values_of_several_kinds_become_text_or_lists(tmp_path):
    text = (
        '{"id": 1, "tags": "a", "price": {"eur": 2}, "year": 1}\n'
        '{"id": "x", "tags": ["b", 3], "price": {"eur": 2.5}, "year": 2}\n'
        '{"id": 2.0, "flag": true}\n'
    )
    batch = rows(written(tmp_path, "a.jsonl", text))[0]
    assert batch.frame.to_dict(as_series=False) == {
        "id": ["1", "x", "2"],
        "tags": [["a"], ["b", "3"], None],
        "price.eur": [2.0, 2.5, None],
        "year": [1, 2, None],
        "flag": [None, None, True],
    }


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.gz", "a.parquet.gz"])
def test_gzip_that_is_cut_off(tmp_path, name):
    plain = tmp_path / "plain"
    if "parquet" in name:
        pl.DataFrame({"id": list(range(50_000))}).write_parquet(plain)
    else:
        plain.write_text("id\n" + "\n".join(str(n * 7919) for n in range(50_000)))
    content = gzip.compress(plain.read_bytes())
    path = written(tmp_path, name, content[: len(content) // 2])
    assert error(path) == f"{name} is damaged or cut off: its gzip data does not end well"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", gzip.compress(b"id\n1\n", mtime=0), "it seems to be gzip"),
        ("a.csv", b"PAR1....", "it seems to be Parquet"),
        ("a.csv", b"PK\x03\x04....", "it seems to be a zip archive or an Excel file"),
        ("a.parquet", b"id,title\n", "it does not start as Parquet does"),
        ("a.csv.gz", b"id,title\n", "a.csv.gz is not gzip data"),
        ("a.csv", b'{"id": 1, "t": "a"}\n{"id": 2}\n', "it seems to be JSON lines"),
        ("a.txt", b'\xef\xbb\xbf[\n {"id": 1, "t": "a"}]', "it seems to be JSON"),
        ("a.csv", b'{\n  "products": []\n}', "it seems to be JSON"),
        ("a.csv", b"<!DOCTYPE html><html>Login</html>\n", "it seems to be an HTML page"),
        ("a.jsonl", b"\n<HTML><body>Login, please\n", "it seems to be an HTML page"),
        ("a.json", b'<?xml version="1.0"?><a/>', "it seems to be XML"),
        ("a.jsonl", b"id;title\n1;a\n", "it seems to be delimited text (CSV)"),
        (
            "a.json.gz",
            gzip.compress(b"id,title\n1,a\n", mtime=0),
            "it seems to be delimited text (CSV)",
        ),
        ("a.jsonl", b'[{"id": 1}', "a.jsonl line 1: breaks off"),
        ("a.csv", b"BZh91AY&SY", "it seems to be bzip2"),
        ("a.csv", b"\x28\xb5\x2f\xfd\x04\x00", "it seems to be Zstandard"),
        ("a.csv", b"Obj\x01\x04\x14avro", "it seems to be Avro"),
        ("a.csv", b"%PDF-1.7\n", "it seems to be PDF"),
        ("a.csv", b"SQLite format 3\x00", "it seems to be a database of SQLite"),
        ("a.txt", b"<rss version='2.0'>", "it seems to be XML"),
        ("a.xlsx", b"PK\x03\x04", "a.xlsx has an unknown extension '.xlsx'"),
        ("catalogue", b"id\n1\n", "catalogue has no extension"),
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"\n\n", "a.csv is empty"),
        ("a.csv", b'id,"title\n1,a\n', "a.csv line 1: the header cannot be read"),
        ("a.csv", b"id,id\n", "a.csv line 1: two columns are called 'id'"),
        ("a.parquet", b"PAR1 and nothing else", "a.parquet is not a readable Parquet file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(tmp_path, name, content, message):
    assert message in error(written(tmp_path, name, content))


@pytest.mark.parametrize("name", ["a.zip", "a.csv.zst", "a.tgz"])
def test_a_file_that_is_packed_in_another_way_is_to_be_unpacked(tmp_path, name):
    with pytest.raises(DataError) as caught:
        rows(written(tmp_path, name, b"x"))
    assert caught.value.hint == "unpack it first"


def test_a_file_that_is_not_there(tmp_path):
    assert "no such file" in error(tmp_path / "none.csv")
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "no file of rows in this folder" in error(folder)


def test_a_parquet_file_without_rows_still_has_columns(tmp_path):
    pl.DataFrame(schema={"id": pl.String}).write_parquet(tmp_path / "a.parquet")
    (batch,) = rows(tmp_path / "a.parquet")
    assert (batch.frame.columns, batch.frame.height) == (["id"], 0)


def test_a_source_can_be_read_twice(tmp_path):
    source = FileSource(written(tmp_path, "a.csv", "id\n1\n2\n"))
    first, second = ([batch.frame.rows() for batch in source.rows()] for _ in range(2))
    assert first == second == [[("1",), ("2",)]]
    assert source.name == Path("a.csv").name
