"""Every source of rows gives the same items and events for the same content.

A new source is one more entry of SOURCES: a function that stores records and returns the source.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from seealso.cluster import BulkWriter, Cluster, IndexSource, indices
from seealso.config import CatalogueSettings, EventSettings
from seealso.errors import DataError
from seealso.readers import FileSource, Histories, Problems, RowSource, read_events, read_items

# one of the sources is an index
pytestmark = pytest.mark.usefixtures("shared_nodes")

Records = list[dict[str, object]]
Store = Callable[[Records, Path], RowSource]

CATALOGUE: Records = [
    {
        "sku": "1",
        "title": "Alien (1979)",
        "genres": ["Horror", "Sci-Fi"],
        "price": 9.5,
        "kind": "a",
    },
    {
        "sku": "a/b c",
        "title": 'The "Thing", again',
        "genres": ["Horror"],
        "price": 3.0,
        "kind": "b",
    },
    {"sku": "商品", "title": "花样年华\n第二行", "genres": [], "price": None, "kind": None},
    {"sku": "4", "title": None, "genres": ["Drama"], "price": -1.25, "kind": "c d"},
]
EVENTS: Records = [
    {"user": "u", "sku": "1", "what": "buy", "stars": 4.5, "when": "2024-01-01T00:00:00Z"},
    {"user": "u", "sku": "商品", "what": None, "stars": 2.0, "when": "2024-01-02T10:30:00Z"},
    {"user": "v w", "sku": "a/b c", "what": "view", "stars": None, "when": None},
]
COLUMNS = CatalogueSettings(
    rename={"sku": "item_id"},
    text=("title",),
    keywords=("kind",),
    numbers=("price",),
    lists={"genres": "|"},
)
EVENT_COLUMNS = EventSettings(
    user="user", item="sku", type="what", value="stars", time="when", default_type="seen"
)


def delimited(separator: str) -> Callable[[Records], bytes]:
    def write(records: Records) -> bytes:
        flat = [
            {k: "|".join(v) if isinstance(v, list) else v for k, v in record.items()}
            for record in records
        ]
        frame = pl.DataFrame(flat, infer_schema_length=None)
        return frame.write_csv(separator=separator).encode()

    return write


def json_lines(records: Records) -> bytes:
    # an object without a value lacks the field, as it does in practice
    present = [{k: v for k, v in record.items() if v is not None} for record in records]
    return "".join(json.dumps(record) + "\n" for record in present).encode()


def parquet(records: Records) -> bytes:
    buffer = BytesIO()
    pl.DataFrame(records, infer_schema_length=None).write_parquet(buffer)
    return buffer.getvalue()


def stored(suffix: str, write: Callable[[Records], bytes]) -> Store:
    def store(records: Records, folder: Path) -> RowSource:
        content = write(records)
        path = folder / f"rows{suffix}"
        path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
        return FileSource(path, batch_rows=2)

    return store


def in_memory(records: Records, folder: Path) -> RowSource:
    class Documents:
        name = "rows"

        def rows(self) -> Iterator[list[dict[str, object]]]:
            yield records[:2]
            yield records[2:]

    return Documents()


WRITERS = {
    ".csv": delimited(","),
    ".tsv": delimited("\t"),
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".parquet": parquet,
}
SOURCES: dict[str, Store] = {
    **{suffix: stored(suffix, write) for suffix, write in WRITERS.items()},
    **{f"{suffix}.gz": stored(f"{suffix}.gz", write) for suffix, write in WRITERS.items()},
    "documents": in_memory,
}


def indexed(url: str, name: str) -> Callable[[Records], RowSource]:
    def store(records: Records) -> RowSource:
        cluster = Cluster(url)
        indices.create(cluster, name, {"mappings": {"dynamic": False}})
        with BulkWriter(cluster, name) as writer:
            for number, record in enumerate(records):
                writer.index(str(number), {k: v for k, v in record.items() if v is not None})
        indices.refresh(cluster, name)
        return IndexSource(cluster, name)

    return store


@pytest.fixture(params=[*SOURCES, "index"])
def store(request, tmp_path):
    if request.param != "index":
        yield lambda records: SOURCES[request.param](records, tmp_path)
        return
    url = request.getfixturevalue("opensearch_latest").url
    name = request.getfixturevalue("index_name")
    yield indexed(url, name)
    indices.delete(Cluster(url), name)


def test_the_same_items(store):
    read = read_items(store(CATALOGUE), COLUMNS, Problems("stop"))
    items = [(item.item_id, dict(item.fields)) for batch in read for item in batch]
    assert items == [
        ("1", {"title": "Alien (1979)", "kind": "a", "genres": ["Horror", "Sci-Fi"], "price": 9.5}),
        ("a/b c", {"title": 'The "Thing", again', "kind": "b", "genres": ["Horror"], "price": 3.0}),
        ("商品", {"title": "花样年华\n第二行"}),
        ("4", {"kind": "c d", "genres": ["Drama"], "price": -1.25}),
    ]


def test_the_same_events(store):
    frames = list(read_events(store(EVENTS), EVENT_COLUMNS, Problems("stop")))
    assert [row for frame in frames for row in frame.rows()] == [
        ("u", "1", "buy", 4.5, datetime(2024, 1, 1, tzinfo=UTC)),
        ("u", "商品", "seen", 2.0, datetime(2024, 1, 2, 10, 30, tzinfo=UTC)),
        ("v w", "a/b c", "view", 1.0, None),
    ]


def test_the_same_histories(store):
    frames = read_events(store(EVENTS), EVENT_COLUMNS, Problems("stop"))
    user = Histories.from_events(frames, positive=4.0).user("u")
    assert [entry.item_id for entry in user.history] == ["1"]
    assert user.seen == {"1", "商品"}


def test_big_ids_keep_every_digit(store):
    big = 2**62 + 1
    catalogue = [{**CATALOGUE[0], "sku": sku} for sku in (501, 502, big)]
    read = read_items(store(catalogue), COLUMNS, Problems("stop"))
    assert [item.item_id for batch in read for item in batch] == ["501", "502", str(big)]


def test_ids_are_what_they_were_before_pandas_made_floats_of_them(store):
    events = [{**EVENTS[0], "user": 7.0, "sku": sku} for sku in (501.0, 502.0)]
    frames = list(read_events(store(events), EVENT_COLUMNS, Problems("stop")))
    assert [row[:2] for frame in frames for row in frame.rows()] == [("7", "501"), ("7", "502")]


def test_a_broken_value_costs_itself_alone(store):
    rows = [{**row, "price": price} for row, price in zip(CATALOGUE, "1ab2", strict=True)]
    problems = Problems("stop")
    read = read_items(store(rows), COLUMNS, problems)
    prices = [item.fields.get("price") for batch in read for item in batch]
    assert prices == [1.0, None, None, 2.0]
    assert (problems.count, problems.values) == (0, 2)
    assert "price is not a number ('a')" in problems.messages[0]


def test_events_of_nobody_are_kept(store):
    frames = read_events(
        store([{**EVENTS[0], "user": None}, EVENTS[1]]), EVENT_COLUMNS, Problems("stop")
    )
    assert [row[:2] for frame in frames for row in frame.rows()] == [(None, "1"), ("u", "商品")]


def test_twice_the_same(store):
    source = store(CATALOGUE)
    first, second = (list(read_items(source, COLUMNS, Problems("stop"))) for _ in range(2))
    assert first == second


def test_broken_rows_are_left_out_and_counted(store):
    broken = [
        {**CATALOGUE[0], "sku": None},
        {**CATALOGUE[1], "sku": "4"},
        {**CATALOGUE[1], "sku": "x" * 513},
    ]
    source = store([*CATALOGUE, *broken])
    problems = Problems("skip")
    read = [item for batch in read_items(source, COLUMNS, problems) for item in batch]
    assert [item.item_id for item in read] == ["1", "a/b c", "商品", "4"]
    assert problems.count == 3
    assert all(message.startswith(source.name) for message in problems.messages)
    assert "item_id is empty" in problems.messages[0]
    assert "item_id '4' already exists" in problems.messages[1]
    assert "item_id has more than 512 bytes" in problems.messages[2]


def test_the_first_broken_row_stops(store):
    source = store([*CATALOGUE, {**CATALOGUE[0], "sku": None}])
    with pytest.raises(DataError, match="item_id is empty"):
        list(read_items(source, COLUMNS, Problems("stop")))


def test_a_missing_column_is_named(store):
    columns = COLUMNS.model_copy(update={"numbers": ("prices",)})
    with pytest.raises(DataError, match="has no column 'prices'") as caught:
        list(read_items(store(CATALOGUE), columns, Problems("stop")))
    assert "is it 'price'?" in caught.value.hint
