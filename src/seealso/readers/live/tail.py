"""Follows a growing file of JSON lines or a stream, line by line."""

import os
import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, BinaryIO

from seealso.errors import DataError
from seealso.log import logger
from seealso.readers.files.documents import parse_lines
from seealso.readers.files.lines import LONGEST_LINE
from seealso.readers.live.rotation import (
    START,
    Line,
    Place,
    find_rotated,
    is_place_of,
    read_lines_from,
)
from seealso.readers.rows import Rows

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, and where to continue after them.

    Attributes
    ----------
    rows
        None where nothing came in a while.
    position
        What the source needs to continue after the rows; None if it is unknown.
    """

    rows: Rows | None
    position: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class GrowingFile:
    """A file of JSON lines that is read for as long as it grows; a line counts once it is complete.

    The file may be rotated by renaming or by truncating it, also while nobody followed: the rest of
    the rotated file is read first. A position is found again by the bytes in front of it, even if
    the file has another name by then.

    Parameters
    ----------
    path
        A .jsonl or .ndjson file.
    batch
        Most lines at once.
    poll_seconds
        How often to look.
    columns
        The columns that are read; None for all.
    """

    path: Path
    batch: int
    poll_seconds: float
    columns: Collection[str] | None = None

    @property
    def name(self) -> str:
        """What messages call the source."""
        return self.path.name

    @property
    def key(self) -> str:
        """What its position is kept under."""
        return f"file {self.path.resolve()}"

    def follow(self, position: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Yield what comes, from `position` on; an empty batch where nothing came.

        Raises
        ------
        DataError
            The file is no file of JSON lines, or cannot be read.
        """
        if self.path.suffix.lower() not in (".jsonl", ".ndjson"):
            raise DataError(
                f"{self.name}: only a file of JSON lines can be followed",
                hint="name it .jsonl or .ndjson; `seealso events ingest` reads the other kinds",
                file=str(self.path),
            )
        place = START if position is None else Place.of(position)
        try:
            yield from self._follow(place)
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise DataError(
                f"{self.path}: {reason}", hint="check the path", file=str(self.path)
            ) from exc

    def _follow(self, place: Place) -> Iterator[Batch]:
        # who begins must name a file; who goes on may come while one is being rotated
        stream = self.path.open("rb") if place == START else (yield from self._open())
        try:
            while True:
                begun = os.fstat(stream.fileno()).st_size > 0
                if not is_place_of(stream, place):
                    # cut, or another file: what was behind the place stands elsewhere
                    place = yield from self._read_rotated(place)
                    if begun:
                        place = START
                    else:
                        yield from self._wait()
                if is_place_of(stream, place):
                    place = yield from self._read(stream, place)
                # opened first: what takes its name while the old one is read is seen, too
                before, stream = stream, (yield from self._open())
                with before:
                    there, here = os.fstat(before.fileno()), os.fstat(stream.fileno())
                    if is_place_of(before, place) and not os.path.samestat(there, here):
                        yield from self._finish(before, place)
                        yield from self._read_later(there.st_mtime_ns, place)
                        place = START
        finally:
            stream.close()

    def _read(self, stream: BinaryIO, place: Place) -> Generator[Batch, None, Place]:
        """Yield new lines until the file is truncated or replaced; return where to continue."""
        while True:
            lines = [one for one in read_lines_from(stream, place, self.batch) if one.ended]
            # whoever cuts a file may do so while it is read: what was read is that of another
            if not is_place_of(stream, place):
                return place
            if lines:
                place = place.behind(stream, lines)
                yield self._batch(lines, place)
            elif self._is_replaced(stream):
                return place
            else:
                yield from self._wait()

    def _open(self) -> Generator[Batch, None, BinaryIO]:
        while True:
            try:
                return self.path.open("rb")
            except FileNotFoundError:
                yield from self._wait()

    def _wait(self) -> Iterator[Batch]:
        yield Batch(None)
        time.sleep(self.poll_seconds)

    def _is_replaced(self, stream: BinaryIO) -> bool:
        """Return whether another file has the name by now, and is not empty."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        return there.st_size > 0 and not os.path.samestat(there, os.fstat(stream.fileno()))

    def _read_rotated(self, place: Place) -> Generator[Batch, None, Place]:
        """Yield what was written behind `place` before the file was rotated; return its end."""
        for one in reversed(find_rotated(self.path)):
            if one.holds(place):
                with one.open() as stream:
                    place = yield from self._finish(stream, place)
                return (yield from self._read_later(one.changed, place))
        log.warning(
            "%s was replaced or truncated, and its old contents are not beside it: lines that "
            "were not read "
            "yet are lost; it is read from its start",
            self.path.name,
        )
        return START

    def _read_later(self, changed: int, place: Place) -> Generator[Batch, None, Place]:
        """Yield the lines of files that were rotated after one that changed last at `changed`."""
        for one in find_rotated(self.path):
            if one.changed > changed:
                with one.open() as stream:
                    end = yield from self._finish(stream, START)
                # the start of an empty file is found in every other
                place = place if end == START else end
        return place

    def _finish(self, stream: BinaryIO, place: Place) -> Generator[Batch, None, Place]:
        """Yield the rest of a file that is no longer written; its last line is complete."""
        while lines := read_lines_from(stream, place, self.batch):
            place = place.behind(stream, lines)
            yield self._batch(lines, place)
        return place

    def _batch(self, lines: Sequence[Line], place: Place) -> Batch:
        rows = parse_lines(((one.number, one.text) for one in lines), self.columns)
        return Batch(rows, place.position)


@dataclass(frozen=True)
class Stream:
    """The JSON lines of a stream, as they come: standard input, as a rule.

    A stream cannot be rewound, so it has no position: the sender repeats what may be missing.

    Parameters
    ----------
    stream
        Where they come from.
    batch
        Most lines at once.
    poll_seconds
        After how long without a line an empty batch is yielded.
    columns
        The columns that are read; None for all.
    """

    stream: BinaryIO
    batch: int
    poll_seconds: float
    columns: Collection[str] | None = None

    @property
    def name(self) -> str:
        """What messages call the source."""
        return "standard input"

    @property
    def key(self) -> None:
        """There is no position."""

    def read(self, position: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Yield the same as `follow`, which ends as well."""
        return self.follow(position)

    def follow(self, position: Mapping[str, Any] | None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield what comes until the stream ends; an empty batch where nothing came."""
        lines: Queue[bytes | None] = Queue(maxsize=4 * self.batch)

        def read() -> None:
            for text in iter(lambda: self.stream.readline(LONGEST_LINE), b""):
                lines.put(text)
            lines.put(None)

        # reading blocks; what has come must not wait for what has not
        Thread(target=read, daemon=True, name="seealso-stream").start()
        number, ended = 0, False
        while not ended:
            found: list[tuple[int, bytes]] = []
            try:
                text = lines.get(timeout=self.poll_seconds)
                while text is not None:
                    number += 1
                    found.append((number, text))
                    if len(found) == self.batch:
                        break
                    text = lines.get_nowait()
                ended = text is None
            except Empty:
                pass
            yield Batch(parse_lines(found, self.columns) if found else None)
