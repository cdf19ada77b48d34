"""The elements of one JSON array that may be larger than memory, one after the other."""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, Final

from seealso.decoding import without_halves
from seealso.errors import DataError
from seealso.interactions.lines import LONGEST_LINE

_PIECE: Final = 262_144
_BLANKS: Final = re.compile(r"[ \t\r\n]*")


class JsonArray:
    """The elements of an array, each with the line that it starts on.

    Parameters
    ----------
    stream
        UTF-8, at its start; blanks may stand in front of the array.
    name
        What messages call the stream.
    """

    def __init__(self, stream: BufferedReader, name: str) -> None:
        self._stream = stream
        self._name = name
        self._letters = getincrementaldecoder("utf-8")("replace")
        # NaN and infinity are no values
        self._decoder = json.JSONDecoder(parse_constant=lambda _: None)
        self._text = ""
        self._at = 0
        self._line = 1

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Yield line and value of each element.

        Raises
        ------
        DataError
            The array breaks off, or something in it is not JSON: nothing behind is read.
        """
        self._take("[")
        if self._mark() == "]":
            return
        while True:
            self._mark()
            line = self._line
            yield line, self._value()
            if self._take(",]") == "]":
                break
        if self._mark():
            raise self._error("something stands behind the array")

    def _more(self) -> bool:
        """Read on; twice as far each time, so that a long element is not tried too often."""
        piece = self._stream.read(max(_PIECE, len(self._text) - self._at))
        self._text = self._text[self._at :] + self._letters.decode(piece, final=not piece)
        self._at = 0
        return bool(piece)

    def _mark(self) -> str:
        """Pass over blanks; return what stands behind them, nothing at the end."""
        while True:
            end = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]
            self._line += self._text.count("\n", self._at, end)
            self._at = end
            if end < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def _take(self, marks: str) -> str:
        mark = self._mark()
        if not mark or mark not in marks:
            raise self._error(f"{' or '.join(map(repr, marks))} is missing")
        self._at += 1
        return mark

    def _value(self) -> Any:
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as exc:
                if len(self._text) - self._at > LONGEST_LINE:
                    raise self._error(f"an object has over {LONGEST_LINE:,} characters") from exc
                if not self._more():
                    raise self._error(f"not JSON: {exc.msg}") from exc
                continue
            except RecursionError as exc:
                raise self._error("objects are nested too deeply") from exc
            # a number may go on in what was not read yet
            if end < len(self._text) or not self._more():
                break
        source = self._text[self._at : end]
        self._line += source.count("\n")
        self._at = end
        return without_halves(value) if "\\u" in source else value

    def _error(self, reason: str) -> DataError:
        return DataError(
            f"{self._name} line {self._line}: {reason}",
            hint="the file is cut off or damaged: nothing behind this place can be read",
            file=self._name,
            line=self._line,
        )
