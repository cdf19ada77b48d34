"""Reads text in any encoding, JSON with NaN and half emojis, and small files as a whole."""

import codecs
import io
import json
import re
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import orjson

from seealso.encodings import encoding_of, encoding_of_start
from seealso.errors import DataError

LARGEST_SMALL_FILE: Final = 100_000_000
"""Most bytes of a file that is read whole: ids to delete, a blocklist, settings."""

NO_TEXT: Final = "holds half an emoji, as is left where a text was cut: UTF-8 cannot write it"
"""Why a text is refused of which `holds_half` is true."""

_CHUNK = 262_144
_LONGEST_WORD = 20


class Utf8Stream(io.RawIOBase):
    """The bytes of a text in any encoding, as UTF-8.

    Text that is UTF-8 already stays as it is, together with any bytes that are not.

    Parameters
    ----------
    raw
        The stream of the file, at its start.
    encoding
        Its encoding; None to find it out. As long as all is ASCII, it stays open.

    Attributes
    ----------
    encoding
        What it is, as far as is known by now.
    example
        A word by which one sees whether that is right; empty where none is needed.
    """

    def __init__(self, raw: BinaryIO, encoding: str | None = None) -> None:
        self._raw = raw
        self._unread = raw.read(_CHUNK)
        # files of old Macs end their lines with \r alone
        old_mac = b"\r" in self._unread and b"\n" not in self._unread[:-1]
        self._newlines = io.IncrementalNewlineDecoder(None, translate=True) if old_mac else None
        marked = encoding_of_start(self._unread)
        name = codecs.lookup(encoding).name if encoding else None
        # a byte order mark is no guess: what is said of UTF-16 without its order means the same
        self.encoding = marked if marked and (name or "utf").startswith("utf") else name
        self.example = ""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._ended = not self._unread
        self._unread = self._recode(self._unread)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` with UTF-8; return how many bytes, 0 at the end."""
        while not self._unread and not self._ended:
            chunk = self._raw.read(_CHUNK)
            self._ended = not chunk
            self._unread = self._recode(chunk)
        part = self._unread[: len(buffer)]
        self._unread = self._unread[len(part) :]
        buffer[: len(part)] = part
        return len(part)

    def _recode(self, chunk: bytes) -> bytes:
        if self.encoding is None and not chunk.isascii():
            # a letter of several bytes may be cut at the end
            whole = chunk[: max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1]
            sample = whole if not whole.isascii() else chunk
            self.encoding = encoding_of(sample)
            words = re.findall(r"\w*[^\W\x00-\x7f]\w*", sample.decode(self.encoding, "ignore"))
            self.example = next(iter(words), "")[:_LONGEST_WORD]
        if self._newlines is None and self.encoding in (None, "utf-8"):
            return chunk
        text = self._decode(chunk)
        if self._newlines is not None:
            text = self._newlines.decode(text, final=not chunk)
        return text.encode("utf-8", "surrogateescape")

    def _decode(self, chunk: bytes) -> str:
        if self.encoding is None:
            return chunk.decode("ascii")
        if self._decoder is None:
            errors = "surrogateescape" if self.encoding.startswith("utf-8") else "replace"
            self._decoder = codecs.getincrementaldecoder(self.encoding)(errors)
        return self._decoder.decode(chunk, final=not chunk)


def open_utf8(raw: BinaryIO, encoding: str | None = None) -> tuple[io.BufferedReader, Utf8Stream]:
    """Return `raw` as a buffered stream of UTF-8, and the stream that knows its encoding."""
    stream = Utf8Stream(raw, encoding)
    # the type of what it reads from is of no use to anybody
    return cast(io.BufferedReader, io.BufferedReader(stream, _CHUNK)), stream


TOO_DEEP: Final = "depth limit exceeded"
"""What orjson says of brackets within more than a thousand others."""


def loads(text: bytes | str) -> Any:
    """Return the value of a JSON text.

    NaN and infinity, which JSON does not have, become None. Half an emoji, which remains where a
    text was cut in UTF-16, becomes U+FFFD.

    Raises
    ------
    orjson.JSONDecodeError
        It is no JSON by any reading.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        if exc.msg == TOO_DEEP:
            # json would go to the end of the stack, where whatever is destroyed meanwhile fails
            raise
        try:
            return replace_halves(json.loads(text, parse_constant=lambda _: None))
        except (ValueError, RecursionError):
            raise exc from None


def holds_half(text: str) -> bool:
    """Return whether a text holds half an emoji, which UTF-8 cannot write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def replace_halves(value: Any) -> Any:
    """Return a value that was read from JSON with U+FFFD in the place of each half emoji."""
    text = json.dumps(value, ensure_ascii=False)
    return orjson.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def decode(content: bytes) -> str:
    """Return a text without its byte order mark; the encoding is found out."""
    stream, _ = open_utf8(io.BytesIO(content))
    return stream.read().decode("utf-8", "replace")


def read_text(file: Path) -> str:
    """Return the text of a small file; its encoding is found out.

    Raises
    ------
    DataError
        It cannot be read, or is no small file.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_SMALL_FILE + 1)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise DataError(f"{file}: {reason}", hint="check the path", file=str(file)) from exc
    if len(content) > LARGEST_SMALL_FILE:
        raise DataError(
            f"{file}: has more than {LARGEST_SMALL_FILE:,} bytes",
            hint="expected is a text file with one entry on each line",
            file=str(file),
        )
    return decode(content)


def read_lines(file: Path) -> list[str]:
    """Return the lines of a small text file that are not blank, without blanks around them.

    Raises
    ------
    DataError
        As `read_text`.
    """
    # not splitlines: it takes rarer marks than line ends for one
    lines = read_text(file).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [text for line in lines if (text := line.strip())]
