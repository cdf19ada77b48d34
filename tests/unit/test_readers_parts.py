"""Folders and patterns of files: read in the order of their names, each with its own faults."""

import bz2
import gzip
import lzma
from pathlib import Path

import polars as pl
import pytest

from seealso.config import CatalogueSettings, EventSettings
from seealso.errors import DataError
from seealso.readers import FileSource, Problems, read_events, read_items, read_part

COLUMNS = EventSettings(user="user", item="item", time="date")


def table(first, count=3):
    return pl.DataFrame(
        {
            "user": [f"u{n}" for n in range(first, first + count)],
            "item": [f"i{n}" for n in range(first, first + count)],
            "date": ["2026-01-02"] * count,
        }
    )


def users(path, columns=COLUMNS, problems=None):
    source = FileSource(path, columns=columns.columns)
    frames = list(read_events(source, columns, problems or Problems("stop")))
    return pl.concat(frames)["user_id"].to_list() if frames else []


def spark(folder, kind="parquet"):
    """What Spark leaves: parts in folders of a partition, marks of success, check sums."""
    root = folder / f"events.{kind}"
    for day, first in ((1, 0), (2, 10)):
        part = root / f"date=2026-01-0{day}"
        part.mkdir(parents=True)
        frame = table(first).drop("date")
        name = part / f"part-0000{day}-c000.snappy.{kind}"
        frame.write_parquet(name) if kind == "parquet" else frame.write_csv(name)
        (part / f".{name.name}.crc").write_bytes(b"\0")
    (root / "_SUCCESS").touch()
    return root


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_folder_of_spark_with_partitions_as_columns(tmp_path, kind):
    root = spark(tmp_path, kind)
    expected = ["u0", "u1", "u2", "u10", "u11", "u12"]
    assert users(root) == expected
    assert users(root.parent / "events.*" / "date=*") == expected
    assert users(root / "**" / f"*.{kind}") == expected
    (first, *_) = read_events(FileSource(root, columns=COLUMNS.columns), COLUMNS, Problems())
    assert first["time"].dt.date().cast(pl.String).to_list() == ["2026-01-01"] * 3


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_each_part_alone_has_its_rows_and_partition(tmp_path, kind):
    root = spark(tmp_path, kind)
    parts = FileSource(root, columns=COLUMNS.columns).split()
    read = [list(read_events(part, COLUMNS, Problems("stop"))) for part in parts]
    days = [frame["time"].dt.day().unique().to_list() for (frame,) in read]
    assert [frame["user_id"].to_list() for (frame,) in read] == [
        ["u0", "u1", "u2"],
        ["u10", "u11", "u12"],
    ]
    assert days == [[1], [2]]


def test_a_part_of_a_catalogue_may_have_no_items(tmp_path):
    (tmp_path / "a.csv").write_text("item_id,title\n1,one\n")
    (tmp_path / "b.csv").write_text("item_id,title\n,none\n")
    columns = CatalogueSettings()
    first, second = FileSource(tmp_path, columns=columns.columns).split()
    (items,) = read_part(first, columns, Problems("skip"))
    assert [item.item_id for item in items] == ["1"]
    assert list(read_part(second, columns, Problems("skip"))) == []
    with pytest.raises(DataError, match="has no items: all 1 rows are broken"):
        list(read_items(second, columns, Problems("skip")))


def test_a_pattern_of_files_in_the_order_of_their_names(tmp_path):
    for n in (2, 0, 1):
        table(n * 10, 1).write_csv(tmp_path / f"events-{n}.csv")
    (tmp_path / "other.csv").write_text("a\n1\n")
    assert users(tmp_path / "events-*.csv") == ["u0", "u10", "u20"]


def test_parts_without_an_extension_are_what_their_folder_is_called(tmp_path):
    root = tmp_path / "events.jsonl"
    root.mkdir()
    for n in range(2):
        table(n * 10, 1).write_ndjson(root / f"part-0000{n}")
    assert users(root) == ["u0", "u10"]


def test_an_empty_part_is_no_fault(tmp_path):
    table(0, 1).write_csv(tmp_path / "b.csv")
    (tmp_path / "a.csv").touch()
    (tmp_path / "c.csv").write_text("user,item,date\n")
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b""))
    assert users(tmp_path) == ["u0"]


def test_a_broken_row_is_named_with_its_part(tmp_path):
    table(0).write_csv(tmp_path / "part-1.csv")
    (tmp_path / "part-2.csv").write_text("user;item;date\nu7;i7;2026-01-01\nu8\n")
    problems = Problems("skip")
    assert users(tmp_path, problems=problems) == ["u0", "u1", "u2", "u7"]
    expected = f"{tmp_path.name} part-2.csv line 3: 1 field where the header has 3"
    assert problems.messages == (expected,)


def test_an_item_that_two_parts_have_is_there_once(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("item_id,title\n1,one\n")
    problems = Problems("skip")
    columns = CatalogueSettings()
    source = FileSource(tmp_path, columns=columns.columns)
    (items,) = list(read_items(source, columns, problems))
    assert (len(items), problems.count) == (1, 1)


def test_a_part_without_header_is_refused_by_name(tmp_path):
    table(0).write_csv(tmp_path / "a.csv")
    table(10).write_csv(tmp_path / "b.csv", include_header=False)
    with pytest.raises(DataError, match=r"b\.csv: has none of the needed columns"):
        users(tmp_path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_part_that_lacks_a_column_is_refused_by_name(tmp_path, kind):
    for name, frame in (("a", table(0)), ("b", table(10).rename({"date": "day"}))):
        path = tmp_path / f"{name}.{kind}"
        frame.write_csv(path) if kind == "csv" else frame.write_parquet(path)
    with pytest.raises(DataError, match=rf"b\.{kind} has no column 'date'; it has user, item, day"):
        users(tmp_path)


def test_parts_of_json_may_lack_columns(tmp_path):
    table(0).write_ndjson(tmp_path / "a.jsonl")
    table(10).drop("date").write_ndjson(tmp_path / "b.jsonl")
    assert len(users(tmp_path)) == 6


def notes(path):
    """What is noted of events whose users are read."""
    problems = Problems("stop")
    assert users(path, problems=problems)
    return problems.notes


def test_what_was_found_out_names_the_part(tmp_path):
    table(0).write_csv(tmp_path / "a.csv")
    table(10).write_csv(tmp_path / "b.csv", separator=";")
    table(20).write_csv(tmp_path / "c.csv", separator=";")
    (note,) = notes(tmp_path / "*.csv")
    assert note.startswith("*.csv: b.csv: separated by ';' (format changes it")


def test_the_folder_one_stands_in_has_a_name(tmp_path, monkeypatch):
    table(0, 1).write_csv(tmp_path / "a.csv")
    (tmp_path / "a.log").write_text("notes")
    monkeypatch.chdir(tmp_path)
    assert notes(Path()) == (f"{tmp_path.name}: 1 other file in it was skipped (a.log)",)


def test_other_files_are_passed_over_aloud(tmp_path):
    table(0, 1).write_csv(tmp_path / "a.csv")
    (tmp_path / "README.txt").write_text("notes")
    (tmp_path / "a.log").write_text("notes")
    (note,) = notes(tmp_path)
    assert note.endswith("2 other files in it were skipped (a.log, README.txt)")


def test_files_of_several_kinds_or_none_are_refused(tmp_path):
    with pytest.raises(DataError, match="no file of rows in this folder"):
        users(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        users(tmp_path / "events-*.csv")
    table(0).write_csv(tmp_path / "a.csv")
    table(0).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"several kinds: \.csv, \.parquet"):
        users(tmp_path)


@pytest.mark.parametrize(
    ("packing", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_compressed_files(tmp_path, packing, pack, kind):
    plain, path = tmp_path / "plain", tmp_path / f"events.{kind}.{packing}"
    table(0, 5_000).write_parquet(plain) if kind == "parquet" else table(0, 5_000).write_csv(plain)
    path.write_bytes(pack(plain.read_bytes()))
    assert len(users(path)) == 5_000
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="is damaged or cut off"):
        users(path)
    path.write_bytes(plain.read_bytes())
    with pytest.raises(DataError, match=r"is not \w+ data"):
        users(path)
