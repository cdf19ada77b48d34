"""What a killed batch leaves behind: its lists so far, and beside them the options they have."""

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from seealso.errors import DataError

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
