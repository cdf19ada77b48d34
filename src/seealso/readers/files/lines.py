"""Cuts a stream of text into blocks of whole lines with their numbers.

Memory never holds a line that is longer than `LONGEST_LINE`: it is skipped piece by piece.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

BLOCK_BYTES: Final = 2_000_000

LONGEST_LINE: Final = 16_000_000
"""Most bytes of one line: more is no row, but a file of another kind, or an attack."""

TOO_LONG: Final = f"the line has more than {LONGEST_LINE:,} bytes"


@dataclass(frozen=True)
class Block:
    """Some whole lines.

    Attributes
    ----------
    first
        The number of the first line.
    content
        The lines, each with its end; the last of a stream may lack it.
    height
        How many there are.
    too_long
        Whether the line after them was skipped because it is too long.
    last
        Whether the stream ends here.
    """

    first: int
    content: bytes
    height: int
    too_long: bool
    last: bool


def count_lines(content: bytes) -> int:
    """Return the number of lines, the last with or without its end."""
    return content.count(b"\n") + bool(content and not content.endswith(b"\n"))


def read_blocks(stream: BinaryIO, first: int = 1) -> Iterator[Block]:
    """Yield `stream` in blocks of whole lines.

    Parameters
    ----------
    stream
        Lines that end with a line feed.
    first
        Its line number.
    """
    while content := stream.read(BLOCK_BYTES):
        too_long = False
        if not content.endswith(b"\n"):
            start = content.rfind(b"\n") + 1
            # a block is shorter than the longest line
            content += stream.readline(LONGEST_LINE - (len(content) - start) + 1)
            if not content.endswith(b"\n") and len(content) - start > LONGEST_LINE:
                content, too_long = content[:start], True
                _pass_over(stream)
        height = count_lines(content)
        yield Block(first, content, height, too_long, last=False)
        first += height + too_long
    yield Block(first, b"", 0, too_long=False, last=True)


def number_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield the number and text of each line that is not empty; None for one that is too long."""
    for block in read_blocks(stream):
        for number, line in enumerate(block.content.split(b"\n"), block.first):
            if line:
                yield number, line
        if block.too_long:
            yield block.first + block.height, None


def _pass_over(stream: BinaryIO) -> None:
    while (piece := stream.readline(BLOCK_BYTES)) and not piece.endswith(b"\n"):
        pass
