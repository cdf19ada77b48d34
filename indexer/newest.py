"""Keeps the newest few events of each kind that a user has with an item: nobody counts for a crowd.

A robot that looks at one item 5,000 times is one user, and counts as one who came back.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

import polars as pl

from seealso.errors import DataError
from seealso.folders import temporary_folder

# rows that are gathered before the surplus is cleared; later twice what was left
_FIRST_CLEARED: Final = 500_000
_BATCH: Final = 500_000

_MOST_HELD: Final = 20_000_000
"""Rows that are held in memory, about a gigabyte of them. Where half of these cannot be cleared,
they go to files."""

_PORTIONS: Final = 32
"""Files that they go to: all events of one kind go to the same."""

_KIND: Final = pl.struct("user_id", "item_id", "type")


class NewestEvents:
    """The `most` newest events of each user, item and type; a context, as it may need files.

    About 40 bytes are kept for each of them: users and types as hashes, each item's name once. Of
    more than some millions, the rows are in a temporary folder, and a portion at a time in memory.

    Parameters
    ----------
    most
        Events that are kept of one user, item and type. Of those without a time, which count as
        of now, as many as of the newest.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._items = pl.Categorical(pl.Categories.random())
        self._parts: list[pl.DataFrame] = []
        self._rows = 0
        self._clear_at = _FIRST_CLEARED
        self._files = 0
        self._folder: Path | None = None
        self._stack = ExitStack()
        self.surplus = 0
        """Events that were not kept."""

    def __enter__(self) -> "NewestEvents":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add(self, events: pl.DataFrame) -> None:
        """Take in events with a ``weight`` and their time in ``micros``."""
        self._parts.append(
            events.select(
                pl.col("item_id").cast(self._items), "weight", "micros", "value", kind=_KIND.hash()
            )
        )
        self._rows += events.height
        if self._rows > self._clear_at:
            self._clear()
            if self._rows > _MOST_HELD // 2:
                self._write_out()

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield what was kept: ``item_id``, ``weight``, ``micros`` and ``value``."""
        if self._folder is None:
            yield from self._take()
            return
        self._write_out()
        for portion in sorted(self._folder.iterdir()):
            self._parts = [pl.read_parquet(file) for file in sorted(portion.iterdir())]
            yield from self._take()

    def _take(self) -> Iterator[pl.DataFrame]:
        self._clear()
        for newest_rows in self._parts:
            for rows in newest_rows.iter_slices(_BATCH):
                yield rows.with_columns(pl.col("item_id").cast(pl.String)).drop("kind")

    def _write_out(self) -> None:
        """Write the rows that are held to a file of each portion."""
        if self._folder is None:
            self._folder = self._stack.enter_context(temporary_folder("seealso-events-"))
        for part in self._parts:
            rows = part.with_columns(
                pl.col("item_id").cast(pl.String), portion=pl.col("kind") % _PORTIONS
            )
            for (number,), own in rows.partition_by(
                "portion", as_dict=True, include_key=False, maintain_order=True
            ).items():
                portion = self._folder / f"{number:02}"
                portion.mkdir(exist_ok=True)
                _write(own, portion / f"{self._files:06}.parquet")
            self._files += 1
        self._parts, self._rows, self._clear_at = [], 0, _FIRST_CLEARED

    def _clear(self) -> None:
        if not self._parts:
            return
        every = pl.concat(self._parts)
        ordered = every["kind"].sort()
        # in order, what equals the one so many places before has more than those
        crowded = ordered.filter(ordered == ordered.shift(self._most)).unique()
        among = pl.col("kind").is_in(crowded.implode())
        newest = (
            every.filter(among)
            .sort("micros", "value", descending=True, nulls_last=False)
            .group_by("kind", maintain_order=True)
            .head(self._most)
            .select(every.columns)
        )
        newest_rows = pl.concat([every.filter(~among), newest])
        self.surplus += every.height - newest_rows.height
        self._parts, self._rows = [newest_rows], newest_rows.height
        self._clear_at = max(_FIRST_CLEARED, 2 * newest_rows.height)


def _write(rows: pl.DataFrame, file: Path) -> None:
    try:
        rows.write_parquet(file, compression="lz4")
    except (OSError, pl.exceptions.PolarsError) as exc:
        folder = file.parent.parent.parent
        raise DataError(
            f"{folder}: events that are counted cannot be put there: {str(exc).splitlines()[0]}",
            hint="free space there, or set TMPDIR to a folder that has some",
            file=str(folder),
        ) from exc
