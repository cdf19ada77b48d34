"""The values of a JSON stream that may be larger than memory, one after the other.

They are the elements of one array, the objects that follow each other, as jq writes them, or the
elements of the one list that an object around it holds: ``{"products": [...]}``.
"""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Collection, Iterator
from io import BufferedReader
from typing import Any, Final

from seealso.decoding import without_halves
from seealso.errors import DataError
from seealso.readers.lines import LONGEST_LINE

_PIECE: Final = 262_144
_BLANKS: Final = re.compile(r"[ \t\r\n]*")


def list_within(value: Any, columns: Collection[str] | None) -> str | None:
    """Return the key of the one list of objects in an object around the rows; None in a row.

    Parameters
    ----------
    value
        What may be such an object.
    columns
        The columns that are read: an object that has one of them is a row. None for all: then
        only an object with one key is no row.
    """
    if not isinstance(value, dict):
        return None
    lists = [
        key
        for key, each in value.items()
        if isinstance(each, list) and each and all(isinstance(one, dict) for one in each)
    ]
    if len(lists) != 1 or (columns is None and len(value) > 1):
        return None
    starts = {name.split(".")[0] for name in columns or ()}.union(columns or ())
    return None if starts & value.keys() else lists[0]


class JsonRows:
    """The values of a stream, each with the line that it starts on.

    Parameters
    ----------
    stream
        UTF-8, at its start; blanks may stand in front of the first value.
    name
        What messages call the stream.
    columns
        The columns that are read, which tell a row from an object around the rows; None for all.
    """

    def __init__(
        self, stream: BufferedReader, name: str, columns: Collection[str] | None = None
    ) -> None:
        self._stream = stream
        self._name = name
        self._letters = getincrementaldecoder("utf-8")("replace")
        # NaN and infinity are no values
        self._decoder = json.JSONDecoder(parse_constant=lambda _: None)
        self._text = ""
        self._at = 0
        self._start = 0
        self._line = 1
        self._columns = columns

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Yield line and value of each row.

        Raises
        ------
        DataError
            The stream breaks off, or something in it is not JSON: nothing behind is read.
        """
        if self._mark() == "[":
            yield from self._elements()
            if self._mark():
                raise self._error("something stands behind the array")
        while self._mark():
            line = self._line
            value = self._value()
            key = list_within(value, self._columns)
            if key is None:
                yield line, value
            else:
                # once more, for the line of each element
                self._at, self._line = self._start, line
                yield from self._within(key)

    def _elements(self) -> Iterator[tuple[int, Any]]:
        self._take("[")
        if self._mark() == "]":
            self._take("]")
            return
        while True:
            if self._mark() == "]":
                raise self._error("a comma too many in front of ']'")
            line = self._line
            yield line, self._value()
            if self._take(",]") == "]":
                return

    def _within(self, key: str) -> Iterator[tuple[int, Any]]:
        """Yield the elements of the list that an object has under `key`."""
        self._take("{")
        while True:
            self._mark()
            name = self._value()
            self._take(":")
            self._mark()
            if name == key:
                yield from self._elements()
            else:
                self._value()
            if self._take(",}") == "}":
                return

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
                # what is read on is cut in front of the value
                fault = exc.pos - self._at
                if len(self._text) - self._at > LONGEST_LINE:
                    raise self._error(
                        f"an object has over {LONGEST_LINE:,} characters: if it is no row, "
                        "the list within it must be the whole file"
                    ) from exc
                if not self._more():
                    self._line += self._text.count("\n", self._at, self._at + fault)
                    rest = self._text[self._at + fault :].strip()
                    ends = not rest or exc.msg.startswith("Unterminated")
                    reason = "breaks off" if ends else f"not JSON: {exc.msg}"
                    raise self._error(reason) from exc
                continue
            except RecursionError as exc:
                raise self._error("objects are nested too deeply") from exc
            # a number may go on in what was not read yet
            if end < len(self._text) or not self._more():
                break
        source = self._text[self._at : end]
        self._line += source.count("\n")
        self._start, self._at = self._at, end
        return without_halves(value) if "\\u" in source else value

    def _error(self, reason: str) -> DataError:
        return DataError(
            f"{self._name} line {self._line}: {reason}",
            hint="write the file again: nothing behind this place can be read",
            file=self._name,
            line=self._line,
        )
