"""Rows of CSV and TSV streams with their real line numbers, a block of lines at a time.

Polars parses a block; `quoted` takes over where a row can span lines or is broken.
"""

import io
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from seealso.readers.files.dialects import Dialect
from seealso.readers.files.lines import TOO_LONG, count_lines, read_blocks
from seealso.readers.files.quoted import parse_quoted
from seealso.readers.rows import Rows
from seealso.readers.values.cells import BLANKS, find_true


def read_delimited(
    stream: io.BufferedReader, dialect: Dialect, *, batch_rows: int
) -> Iterator[Rows]:
    """Yield the rows below the header of `stream`, every column as text.

    A column is one of bytes where a field of the batch is not UTF-8.

    Parameters
    ----------
    stream
        UTF-8 without a byte order mark, behind the header.
    dialect
        How it is written, and what is read of it.
    batch_rows
        Most rows of one batch.
    """
    unread, others = b"", dialect.others
    if not stream.peek():
        # the columns of a file without a row can be checked all the same
        frame = pl.DataFrame(schema=dict.fromkeys(dialect.names, pl.String()))
        yield Rows(frame, (), others=others, separator=dialect.separator)
    for block in read_blocks(stream, dialect.first):
        content, waiting = unread + block.content, count_lines(unread)
        first, lines = block.first - waiting, waiting + block.height
        rows, unread = _parse_plain(content, dialect, first, lines), b""
        if rows is None:
            whole = block.too_long or block.last
            rows, unread = parse_quoted(content, dialect, first, whole=whole)
        if block.too_long:
            rows = replace(rows, broken=[*rows.broken, (block.first + block.height, TOO_LONG)])
        rows = replace(_drop_headers(rows), others=others, separator=dialect.separator)
        yield from _cut(rows, batch_rows)


def _drop_headers(rows: Rows) -> Rows:
    """Return rows without repeated headers, which files have that were joined from several."""
    frame = rows.frame
    if frame.width < 2 or any(kind != pl.String for kind in frame.dtypes):
        return rows
    first, *others = (pl.col(name).str.strip_chars(BLANKS) == name for name in frame.columns)
    again = find_true(frame.select(first.and_(*others)).to_series())
    if not again:
        return rows
    kept = [place for row, place in enumerate(rows.places) if row not in {*again}]
    frame = frame.filter(~pl.int_range(frame.height, eager=True).is_in(again))
    note = f"the header is repeated, first on line {rows.places[again[0]]}: skipped"
    return replace(rows, frame=frame, places=kept, notes=[note])


def _parse_plain(content: bytes, dialect: Dialect, first: int, lines: int) -> Rows | None:
    """Return the rows of `content`, or None if some line is not a complete row without quotes."""
    separator = dialect.separator.encode()
    width = dialect.width
    top = content[: content.find(b"\n") + 1]
    empty = b"\n" + separator * (width - 1) + (b"\r\n" if top.endswith(b"\r\n") else b"\n")
    if (
        not content
        or any(mark and mark.encode() in content for mark in (dialect.quote, dialect.escape))
        or empty in content
        or not top.strip(b"\r\n" + separator)
    ):
        return None
    try:
        frame = pl.read_csv(
            content,
            has_header=False,
            new_columns=[str(i) for i in range(width)],
            separator=dialect.separator,
            quote_char=None,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError:
        return None
    # polars fills short rows with nulls: too few separators give them away
    if frame.height != lines or content.count(separator) != lines * (width - 1):
        return None
    if any(frame[:, i].null_count() < lines for i in range(len(dialect.header), width)):
        return None
    frame = frame.select(pl.col(str(i)).alias(dialect.header[i]) for i in dialect.columns)
    return Rows(frame, range(first, first + lines))


def _cut(rows: Rows, size: int) -> Iterator[Rows]:
    if rows.frame.height <= size:
        if rows.places or rows.broken:
            yield rows
        return
    for start in range(0, rows.frame.height, size):
        places = rows.places[start : start + size]
        below = rows.places[start - 1] if start else 0
        last = start + size >= rows.frame.height
        broken = [
            (place, reason)
            for place, reason in rows.broken
            if below < place and (last or place < places[-1])
        ]
        yield replace(rows, frame=rows.frame.slice(start, size), places=places, broken=broken)
