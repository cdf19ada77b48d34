"""Rows of Parquet files."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import cast

import polars as pl

from seealso.readers.rows import Rows


def read_parquet(path: Path, columns: Collection[str] | None, *, batch_rows: int) -> Iterator[Rows]:
    """Yield the rows of the Parquet file `path`, columns with the types that they have there.

    Parameters
    ----------
    path
        The file; Parquet is read from its end, so a stream will not do.
    columns
        The columns that are read, those of objects as ``object.field``; None for all.
    batch_rows
        Most rows of one batch.
    """
    done = 0
    lazy = pl.scan_parquet(path, glob=False)
    schema = lazy.collect_schema()
    others: tuple[str, ...] = ()
    if columns is not None:
        read = {name: _expression(schema, name) for name in columns}
        lazy = lazy.select(e.alias(name) for name, e in read.items() if e is not None)
        others = tuple(name for name in schema if name not in columns)
    for frame in lazy.collect_batches(chunk_size=batch_rows, maintain_order=True):
        places = range(done + 1, done + frame.height + 1)
        yield Rows(frame, places, unit="row", others=others)
        done += frame.height
    if not done:
        yield Rows(pl.DataFrame(schema=lazy.collect_schema()), (), unit="row", others=others)


def _expression(schema: pl.Schema, name: str) -> pl.Expr | None:
    """Return what reads `name`: a column, or ``column.field`` within objects or lists of them."""
    if name in schema:
        return pl.col(name)
    first, *path = name.split(".")
    return _within(pl.col(first), schema[first], path) if first in schema else None


def _within(read: pl.Expr, kind: pl.DataType, path: Sequence[str]) -> pl.Expr | None:
    if not path:
        return read
    if isinstance(kind, pl.List):
        inner = _within(pl.element(), cast(pl.DataType, kind.inner), path)
        return None if inner is None else read.list.eval(inner)
    if isinstance(kind, pl.Struct):
        kinds = {field.name: cast(pl.DataType, field.dtype) for field in kind.fields}
        if path[0] in kinds:
            return _within(read.struct.field(path[0]), kinds[path[0]], path[1:])
    return None
