"""Reads items that a program hands over, row by row, as the rows of a file are read."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from seealso.config import CatalogueSettings
from seealso.decoding import loads
from seealso.errors import DataError
from seealso.readers.items import read_items
from seealso.readers.problems import Problems
from seealso.readers.rows import Record, Rows, build_frame, select_named
from seealso.types import Item


@dataclass(frozen=True)
class _Records:
    """Rows that are at hand, as a source."""

    read: Rows
    name: str = "items"

    def rows(self) -> Iterator[Rows]:
        yield self.read


def read_records(
    rows: Mapping[int, Record], columns: CatalogueSettings, problems: Problems
) -> tuple[list[Item], tuple[str, ...]]:
    """Return the items of rows, and the columns that the settings do not name.

    Parameters
    ----------
    rows
        By their places.
    columns
        Which columns are read, and as what; a row may lack any of them but the id.
    problems
        Takes the broken rows and values.

    Raises
    ------
    ConfigError
        As `read_items` raises it.
    """
    selected, ignored = select_named([_mend(one) for one in rows.values()], columns.columns)
    # of few rows, none may have a column that others have
    empty = dict.fromkeys(columns.columns)
    frame = build_frame([{**empty, **one} for one in selected])
    source = _Records(Rows(frame, list(rows), unit="item", sparse=True))
    items: list[Item] = []
    try:
        for batch in read_items(source, columns, problems):
            items += batch
    except DataError:
        # that there is none is said of a whole catalogue
        if not problems.count:
            raise
    return items, ignored


def _mend(row: Record) -> Record:
    """Return a row without halves of emojis, as a row of a file is read."""
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return dict(loads(json.dumps(row)))
    return row
