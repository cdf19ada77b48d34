"""What a killed batch leaves behind: its lists so far, and beside them the options they have."""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from seealso.errors import DataError
from seealso.types import Source

START_AGAIN = "delete it to start again, or use the options and users that it was started with"

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BatchCheckpoint:
    """The files of a batch that has not ended.

    Attributes
    ----------
    lists
        One JSON object a line, in the order of the users.
    options
        All that the lists depend on, as one JSON object.
    """

    lists: Path
    options: Path

    @classmethod
    def beside(cls, out: Path) -> "BatchCheckpoint":
        """Return the files that take the place of `out` until it is complete."""
        return cls(out.with_name(f"{out.name}.part"), out.with_name(f"{out.name}.part.options"))

    @contextmanager
    def reserve(self) -> Iterator[None]:
        """Keep other runs off these files, until this one ends or dies.

        Without a single list they are deleted at the end: there is nothing to continue.

        Raises
        ------
        DataError
            Another run writes them.
        """
        # a lock of the open file: the system lets go of it when the process dies
        with self.options.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise self._busy() from exc
            if not os.fstat(file.fileno()).st_nlink:
                # it ended, and deleted this file, between the two lines above
                raise self._busy()
            try:
                yield
            finally:
                # once finished, what has these names is of another run
                ours = os.fstat(file.fileno()).st_nlink
                if ours and not (self.lists.exists() and self.lists.stat().st_size):
                    self.lists.unlink(missing_ok=True)
                    self.options.unlink(missing_ok=True)

    def resume(self, options: Options) -> int:
        """Return how many complete lists an earlier run left; half a list is cut off.

        Without any, `options` are written for the run that may have to continue.

        Raises
        ------
        DataError
            The earlier run had other options.
        """
        lists = self._cut_half_line()
        encoded = orjson.dumps(options, default=str)
        if lists:
            self._check_options(orjson.loads(encoded))
        else:
            self.options.write_bytes(encoded)
        return lists

    def check_users(self, user_ids: Sequence[str | None], lists: int) -> None:
        """Compare the users of the first `lists` lists with those of this run.

        Raises
        ------
        DataError
            They are others.
        """
        if lists and (len(user_ids) < lists or user_ids[-1] != self._last_user(lists)):
            raise DataError(f"{self.lists}: is left from a run for other users", hint=START_AGAIN)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, each a list."""
        with self.lists.open("rb") as lines:
            yield from lines

    def places_with(self, item_ids: Set[str]) -> frozenset[int]:
        """Return which lists, counted from 0, hold any of `item_ids`."""
        if not item_ids:
            return frozenset()
        return frozenset(
            place
            for place, line in enumerate(self.lines())
            if any(one["item_id"] in item_ids for one in orjson.loads(line)["items"])
        )

    def count_without_preferences(self) -> tuple[int, int]:
        """Return how many lists importance alone ranks, and how many have no item."""
        by_importance = empty = 0
        for line in self.lines():
            items = orjson.loads(line)["items"]
            empty += not items
            by_importance += bool(items) and all(
                one["source"] == Source.IMPORTANCE.value for one in items
            )
        return by_importance, empty

    @contextmanager
    def rewrite(self) -> Iterator[BinaryIO]:
        """Yield a file that replaces the lists once it is written to its end."""
        new = self.lists.with_name(f"{self.lists.name}.new")
        try:
            with new.open("wb") as sink:
                yield sink
            new.replace(self.lists)
        finally:
            new.unlink(missing_ok=True)

    def finish(self, out: Path) -> None:
        """Give the lists their final name."""
        self.lists.replace(out)
        self.options.unlink(missing_ok=True)

    def _busy(self) -> DataError:
        return DataError(
            f"{self.lists}: another run is writing it",
            hint="wait until it has ended, or name another file for these lists",
        )

    def _check_options(self, options: Options) -> None:
        try:
            earlier: Options = orjson.loads(self.options.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError) as exc:
            raise DataError(
                f"{self.lists}: is left from a run whose options are not known",
                hint="delete it to start again",
            ) from exc
        for name in sorted(earlier.keys() | options.keys()):
            before, now = earlier.get(name), options.get(name)
            if before != now:
                raise DataError(
                    f"{self.lists}: is left from a run with other options: {name} was "
                    f"{_excerpt(before)}, is {_excerpt(now)}",
                    hint=START_AGAIN,
                    field=name,
                )

    def _cut_half_line(self) -> int:
        """Cut off a last line without an end, and return the number of the others."""
        if not self.lists.exists():
            return 0
        size = count = 0
        with self.lists.open("r+b") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                size += len(line)
                count += 1
            lines.truncate(size)
        return count

    def _last_user(self, lists: int) -> str | None:
        with self.lists.open("rb") as lines:
            for _ in range(lists - 1):
                next(lines)
            user_id: str | None = orjson.loads(next(lines))["user_id"]
        return user_id


def _excerpt(value: object) -> str:
    return f"{orjson.dumps(value).decode():.60}"
