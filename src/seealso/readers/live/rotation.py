"""Finds a place in a rotated file again, by the bytes in front of it."""

import gzip
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

from seealso.readers.files.lines import LONGEST_LINE

FINGERPRINT: Final = 256
"""Bytes at the start of a file, and in front of a place in it, that tell them from others."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file.

    Attributes
    ----------
    number
        From 1.
    text
        With its end, where it has ended.
    """

    number: int
    text: bytes

    @property
    def ended(self) -> bool:
        """Whether nothing more comes to it."""
        return self.text.endswith(b"\n") or len(self.text) >= LONGEST_LINE


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two lines of a file.

    Attributes
    ----------
    offset, line
        Bytes and lines in front of it.
    head, tail
        Hashes of the first and of the last bytes in front of it.
    """

    offset: int = 0
    line: int = 0
    head: str = ""
    tail: str = ""

    @classmethod
    def of(cls, position: Mapping[str, Any]) -> "Place":
        """Return the place that was kept."""
        return cls(*(position.get(name) or default for name, default in _DEFAULTS.items()))

    @property
    def position(self) -> dict[str, Any]:
        """What is kept of it."""
        return {name: getattr(self, name) for name in _DEFAULTS}

    def behind(self, stream: BinaryIO, lines: Sequence[Line]) -> "Place":
        """Return the place after `lines`, which come after this one."""
        offset = self.offset + sum(len(one.text) for one in lines)
        return Place(offset, lines[-1].number, *_hash_ends(stream, offset))


_DEFAULTS: Final[Mapping[str, Any]] = {"offset": 0, "line": 0, "head": "", "tail": ""}

START: Final = Place()


def is_place_of(stream: BinaryIO, place: Place) -> bool:
    """Return whether a file has the bytes that were in front of `place`."""
    return place.offset == 0 or _hash_ends(stream, place.offset) == (place.head, place.tail)


def _hash_ends(stream: BinaryIO, offset: int) -> tuple[str, str]:
    size = min(FINGERPRINT, offset)
    found = []
    for start in (0, offset - size):
        stream.seek(start)
        read = stream.read(size)
        # a file that is shorter than that is another one
        found.append(sha256(read).hexdigest() if len(read) == size else "")
    return found[0], found[1]


def read_lines_from(stream: BinaryIO, place: Place, most: int) -> list[Line]:
    """Return at most `most` lines behind `place`; the last one may be incomplete."""
    stream.seek(place.offset)
    found: list[Line] = []
    while len(found) < most and (text := stream.readline(LONGEST_LINE)):
        found.append(Line(place.line + len(found) + 1, text))
    return found


@dataclass(frozen=True, slots=True)
class Rotated:
    """A rotated file: another one has its former name.

    Attributes
    ----------
    path
        Where it is by now.
    changed
        When it was written to last, in nanoseconds.
    """

    path: Path
    changed: int

    def open(self) -> BinaryIO:
        """Open what was written to it, compressed or not."""
        if self.path.suffix == ".gz":
            return gzip.open(self.path, "rb")  # type: ignore[return-value]
        return self.path.open("rb")

    def holds(self, place: Place) -> bool:
        """Tell whether `place` is one of this file."""
        try:
            with self.open() as stream:
                return is_place_of(stream, place)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return False


def find_rotated(path: Path) -> list[Rotated]:
    """Return the rotated files of `path`, oldest first.

    Their names have a number or a date behind the name or in front of its extension, and may end
    in .gz.
    """
    stem, ending = re.escape(path.stem), re.escape(path.suffix)
    suffix = r"[.-]\d[\dTZ_.-]*"
    pattern = re.compile(rf"({stem}{ending}{suffix}|{stem}{suffix}{ending})(\.gz)?")
    files = {one.name: one for one in path.parent.iterdir() if pattern.fullmatch(one.name)}
    found = [
        Rotated(one, one.stat().st_mtime_ns)
        for name, one in files.items()
        # while a file is being compressed both are there, and the second is not whole
        if one.is_file() and not (name.endswith(".gz") and name.removesuffix(".gz") in files)
    ]
    return sorted(found, key=lambda one: (one.changed, one.path.name))
