"""What goes on growing, read line by line: a file of JSON lines, or a stream."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, BinaryIO, Final

from seealso.errors import DataError
from seealso.interactions.documents import json_rows
from seealso.interactions.rows import Rows

HEAD: Final = 256
"""Bytes at the start of a file that tell it from another one of the same name."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, and where to go on when they are dealt with.

    Attributes
    ----------
    rows
        None where nothing came in a while.
    position
        What goes back to the source to go on behind the rows; None where it cannot be told.
    """

    rows: Rows | None
    position: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class GrowingFile:
    """The lines of a file of JSON lines, for ever; a line counts once it ends.

    A file that was cut, or that another took the place of, is read from its start.

    Parameters
    ----------
    path
        A .jsonl or .ndjson file.
    batch
        Most lines at once.
    poll_seconds
        How often to look.
    """

    path: Path
    batch: int
    poll_seconds: float

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
        try:
            while True:
                with self.path.open("rb") as stream:
                    yield from self._read(stream, position)
                # it was cut or replaced: another file begins
                position = None
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise DataError(
                f"{self.path}: {reason}", hint="check the path", file=str(self.path)
            ) from exc

    def _read(self, stream: BinaryIO, position: Mapping[str, Any] | None) -> Iterator[Batch]:
        offset, line = 0, 0
        if position and _head(stream, position["head_bytes"]) == position["head"]:
            offset, line = position["offset"], position["line"]
        while True:
            stream.seek(offset)
            lines: list[tuple[int, bytes]] = []
            while len(lines) < self.batch and (text := stream.readline()).endswith(b"\n"):
                line, offset = line + 1, offset + len(text)
                lines.append((line, text))
            if lines:
                head = min(HEAD, offset)
                where = {
                    "offset": offset,
                    "line": line,
                    "head_bytes": head,
                    "head": _head(stream, head),
                }
                yield Batch(json_rows(lines), where)
                continue
            yield Batch(None)
            time.sleep(self.poll_seconds)
            if self._replaced(stream, offset):
                return

    def _replaced(self, stream: BinaryIO, offset: int) -> bool:
        if not self.path.exists():
            return False
        there, here = self.path.stat(), os.fstat(stream.fileno())
        return there.st_size < offset or not os.path.samestat(there, here)


def _head(stream: BinaryIO, size: int) -> str:
    stream.seek(0)
    return sha256(stream.read(size)).hexdigest()


@dataclass(frozen=True)
class Stream:
    """The JSON lines of a stream, as they come: standard input, as a rule.

    It cannot be gone back in, so it has no position: who sends begins again where in doubt.

    Parameters
    ----------
    stream
        Where they come from.
    batch
        Most lines at once.
    poll_seconds
        After how long without a line an empty batch is yielded.
    """

    stream: BinaryIO
    batch: int
    poll_seconds: float

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
            for text in iter(self.stream.readline, b""):
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
            yield Batch(json_rows(found) if found else None)
