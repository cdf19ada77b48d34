"""Reads the rows of a JSON stream one by one, however large the stream is.

Rows are the elements of arrays, objects that follow each other (as jq writes them), or the elements
of the only list of an enclosing object: ``{"products": [...]}``.

An element that is not JSON is skipped where it is certain at which place the next one begins.
"""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Collection, Iterator
from io import BufferedReader
from typing import Any, Final

from seealso.decoding import replace_halves
from seealso.errors import DataError
from seealso.readers.files.lines import LONGEST_LINE

_PIECE: Final = 262_144
_BLANKS: Final = re.compile(r"[ \t\r\n]*")

# characters behind which no token ends in what was not read yet, and no indent begins before
_LONGEST_TOKEN: Final = 64

_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|["{}\[\]]')
_NEXT_OBJECT: Final = re.compile(r"\}\s*,\s*\{")


class NotJson(Exception):
    """Something is no JSON.

    Parameters
    ----------
    reason
        What is wrong.
    line
        Where.
    """

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def list_within(value: Any, columns: Collection[str] | None) -> str | None:
    """Return under which key an enclosing object has its list of rows; None if it is a row itself.

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
    """The rows of a stream, each with the line on which it starts.

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
        """Yield line and value of each row; a `NotJson` for one that cannot be read.

        Raises
        ------
        DataError
            The stream breaks off, or it is not certain where the next row begins behind something
            that is not JSON.
        """
        try:
            yield from self._values()
        except NotJson as exc:
            raise DataError(
                f"{self._name} line {exc.line}: {exc.reason}",
                hint="write the file again: nothing after this place can be read",
                file=self._name,
                line=exc.line,
            ) from exc

    def _values(self) -> Iterator[tuple[int, Any]]:
        while mark := self._mark():
            if mark == "[":
                yield from self._elements()
                continue
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
        # a comma too many in front of ] costs nothing, and neither does one that is missing
        while (mark := self._mark()) != "]":
            if not mark:
                raise NotJson("breaks off", self._line)
            line, indent = self._line, self._indent()
            try:
                value = self._value()
            except NotJson as exc:
                yield line, exc
                self._pass_over(exc, indent)
                continue
            mark = self._mark()
            if mark and mark not in ",]{":
                # it ended too early, and the rest stands behind it
                fault = NotJson("',' or ']' is missing", self._line)
                yield line, fault
                self._pass_over(fault, indent, ended=True)
                continue
            yield line, value
            if mark == ",":
                self._take(",")
        self._take("]")

    def _indent(self) -> str | None:
        """Return the blanks in front of this place on its line; None if it has more than blanks."""
        start = self._text.rfind("\n", max(self._at - _LONGEST_TOKEN, 0), self._at) + 1
        before = self._text[start : self._at]
        return before if start and not before.strip() else None

    def _pass_over(self, fault: NotJson, indent: str | None, *, ended: bool = False) -> None:
        """Skip an element that is not JSON, up to the next one or the end of the array.

        Parameters
        ----------
        fault
            What is wrong with it.
        indent
            What stands in front of it on its line, None where it does not begin a line.
        ended
            Whether this place is behind a value that ended too early.

        Raises
        ------
        NotJson
            It is not certain where the next one begins.
        """
        while True:
            found = self._next_line(indent)
            if found is None and not ended:
                found = self._behind_brackets()
            if found is not None:
                self._line += self._text.count("\n", self._at, found)
                self._at = found
                return
            if len(self._text) - self._at > LONGEST_LINE or not self._more():
                raise fault

    def _next_line(self, indent: str | None) -> int | None:
        """Return where the next element begins, if each of them starts a line of its own.

        Objects within an element are indented further. Without any indent they are not, so the
        element must end on its first line.
        """
        end = self._text.find("\n", self._at)
        if indent is None or end < 0:
            return None
        if not indent and not self._text[self._at : end].rstrip().endswith(("}", "},")):
            return None
        shorter = rf"[ \t]{{0,{max(len(indent) - 1, 0)}}}"
        begins = re.compile(rf"\n(?:{re.escape(indent)}(?=\{{)|{shorter}(?=\]\s*\Z))")
        found = begins.search(self._text, end)
        return found.end() if found else None

    def _behind_brackets(self) -> int | None:
        """Return where the next element begins behind the last bracket of this one.

        After a quote too many, brackets count as text until the next such quote, which may be in a
        later element: nothing is returned if another object would be skipped as well.
        """
        depth = 0
        for token in _STRING_OR_BRACKET.finditer(self._text, self._at):
            if token[0] == '"':
                return None
            depth += (token[0] in "{[") - (token[0] in "}]")
            if depth == 0:
                if _NEXT_OBJECT.search(self._text, self._at, token.end()):
                    return None
                behind = re.compile(r"\s*(?:(?=\])|,\s*(?=\{))").match(self._text, token.end())
                return behind.end() if behind else None
        return None

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
        """Read on, twice as far each time: a long element is not parsed too often."""
        piece = self._stream.read(max(_PIECE, len(self._text) - self._at))
        # what stands in front of this place on its line is kept, if it is no more than an indent
        line = self._text.rfind("\n", max(self._at - _LONGEST_TOKEN, 0), self._at)
        begins = self._at if line < 0 else line
        self._text = self._text[begins:] + self._letters.decode(piece, final=not piece)
        self._at -= begins
        return bool(piece)

    def _mark(self) -> str:
        """Skip blanks and return the character behind them, empty at the end."""
        while True:
            end = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]
            self._line += self._text.count("\n", self._at, end)
            self._at = end
            if end < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def _take(self, marks: str) -> str:
        mark = self._mark()
        if not mark or mark not in marks:
            raise NotJson(f"{' or '.join(map(repr, marks))} is missing", self._line)
        self._at += 1
        return mark

    def _value(self) -> Any:
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as exc:
                ends = exc.msg.startswith("Unterminated")
                certain = not ends and exc.pos < len(self._text) - _LONGEST_TOKEN
                # what is read on is cut in front of the value
                fault = exc.pos - self._at
                if not certain and len(self._text) - self._at > LONGEST_LINE:
                    raise NotJson(
                        f"an object has over {LONGEST_LINE:,} characters: if it is no row, "
                        "the list within it must be the whole file",
                        self._line,
                    ) from exc
                if certain or not self._more():
                    line = self._line + self._text.count("\n", self._at, self._at + fault)
                    ends = ends or not self._text[self._at + fault :].strip()
                    raise NotJson("breaks off" if ends else f"not JSON: {exc.msg}", line) from exc
                continue
            except RecursionError as exc:
                raise NotJson("objects are nested too deeply", self._line) from exc
            # a number may go on in what was not read yet
            if end < len(self._text) or not self._more():
                break
        source = self._text[self._at : end]
        self._line += source.count("\n")
        self._start, self._at = self._at, end
        return replace_halves(value) if "\\u" in source else value
