"""What a killed batch leaves behind: the lists so far, and beside them what they were made with."""

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from seealso.errors import DataError

BEGIN_ANEW = "delete it to begin anew, or go on with what it was begun with"

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The files that a batch writes before it is done.

    Attributes
    ----------
    lists
        One JSON object a line, in the order of the users.
    options
        What the lists are made with, as one JSON object.
    """

    lists: Path
    options: Path

    @classmethod
    def beside(cls, out: Path) -> "Unfinished":
        """Return the files that stand for `out` until it is written."""
        return cls(out.with_name(f"{out.name}.part"), out.with_name(f"{out.name}.part.options"))

    def resume(self, options: Options) -> int:
        """Return how many lists of an earlier run are whole; half a list is cut off.

        Where there are none, `options` are kept for the run that may have to go on.

        Raises
        ------
        DataError
            The earlier run had other options.
        """
        done = self._whole_lines()
        given = orjson.dumps(options, default=str)
        if done:
            self._check_options(orjson.loads(given))
        else:
            self.options.write_bytes(given)
        return done

    def check_users(self, user_ids: Sequence[str | None], done: int) -> None:
        """Compare the users whose lists are done with those that are asked for now.

        Raises
        ------
        DataError
            They are others.
        """
        if done and (len(user_ids) < done or user_ids[-1] != self._last_user(done)):
            raise DataError(f"{self.lists}: is left from a run for other users", hint=BEGIN_ANEW)

    def whole(self) -> Iterator[bytes]:
        """Yield the lines, each a list."""
        with self.lists.open("rb") as lines:
            yield from lines

    def places_with(self, item_ids: Set[str]) -> frozenset[int]:
        """Return which lists, counted from 0 on, hold any of `item_ids`."""
        if not item_ids:
            return frozenset()
        return frozenset(
            place
            for place, line in enumerate(self.whole())
            if any(one["item_id"] in item_ids for one in orjson.loads(line)["items"])
        )

    @contextmanager
    def rewritten(self) -> Iterator[BinaryIO]:
        """Give a file that takes the place of the lists once it is written to its end."""
        anew = self.lists.with_name(f"{self.lists.name}.new")
        try:
            with anew.open("wb") as sink:
                yield sink
            anew.replace(self.lists)
        finally:
            anew.unlink(missing_ok=True)

    def finish(self, out: Path) -> None:
        """Give the lists their name."""
        self.lists.replace(out)
        self.options.unlink(missing_ok=True)

    def _check_options(self, given: Options) -> None:
        try:
            earlier: Options = orjson.loads(self.options.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError) as exc:
            raise DataError(
                f"{self.lists}: is left from a run whose options are not known",
                hint="delete it to begin anew",
            ) from exc
        for name in sorted(earlier.keys() | given.keys()):
            before, now = earlier.get(name), given.get(name)
            if before != now:
                raise DataError(
                    f"{self.lists}: is left from a run with other options: {name} was "
                    f"{_shown(before)}, is {_shown(now)}",
                    hint=BEGIN_ANEW,
                    field=name,
                )

    def _whole_lines(self) -> int:
        if not self.lists.exists():
            return 0
        whole = count = 0
        with self.lists.open("r+b") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                count += 1
            lines.truncate(whole)
        return count

    def _last_user(self, done: int) -> str | None:
        with self.lists.open("rb") as lines:
            for _ in range(done - 1):
                next(lines)
            user_id: str | None = orjson.loads(next(lines))["user_id"]
        return user_id


def _shown(value: Any) -> str:
    return f"{orjson.dumps(value).decode():.60}"
