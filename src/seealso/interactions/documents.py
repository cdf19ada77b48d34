"""Rows of JSON lines and Parquet files, a batch at a time."""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import polars as pl

from seealso.interactions.rows import Rows, frame_of


def read_json_lines(stream: BinaryIO, *, batch_rows: int) -> Iterator[Rows]:
    """Yield the objects of `stream`, one on each line; blank lines are passed over.

    Parameters
    ----------
    stream
        UTF-8, with or without a byte order mark.
    batch_rows
        Most rows of one batch.
    """
    numbered = enumerate(iter(stream.readline, b""), start=1)
    while batch := list(islice(numbered, batch_rows)):
        yield json_rows(batch)


def json_rows(lines: Iterable[tuple[int, bytes]]) -> Rows:
    """Return the objects of some lines, each line with its number from 1."""
    places: list[int] = []
    records: list[dict[str, Any]] = []
    broken: list[tuple[int, str]] = []
    for place, line in lines:
        text = line.strip() if place > 1 else line.strip().removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        try:
            record = orjson.loads(text)
        except orjson.JSONDecodeError as exc:
            broken.append((place, f"not JSON: {exc.msg} (column {exc.colno})"))
            continue
        if isinstance(record, dict):
            records.append(record)
            places.append(place)
        else:
            broken.append((place, "not a JSON object"))
    return Rows(frame_of(records), places, broken, sparse=True)


def read_parquet(path: Path, columns: Collection[str] | None, *, batch_rows: int) -> Iterator[Rows]:
    """Yield the rows of the Parquet file `path`, columns with the types that they have there.

    Parameters
    ----------
    path
        The file; Parquet is read from its end, so a stream will not do.
    columns
        The columns that are read; None for all.
    batch_rows
        Most rows of one batch.
    """
    done = 0
    lazy = pl.scan_parquet(path, glob=False)
    there = lazy.collect_schema().names()
    others = () if columns is None else tuple(name for name in there if name not in columns)
    lazy = lazy.drop(others)
    for frame in lazy.collect_batches(chunk_size=batch_rows, maintain_order=True):
        places = range(done + 1, done + frame.height + 1)
        yield Rows(frame, places, unit="row", others=others)
        done += frame.height
    if not done:
        yield Rows(pl.DataFrame(schema=lazy.collect_schema()), (), unit="row", others=others)
