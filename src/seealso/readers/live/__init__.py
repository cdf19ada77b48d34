"""Live events: read one by one, from files that grow and are rotated, and from streams."""

from seealso.readers.live.reader import (
    EPOCH,
    RESERVED,
    LiveEvent,
    LiveReader,
    hash_content,
    to_micros,
)
from seealso.readers.live.tail import Batch, GrowingFile, Stream

__all__ = [
    "EPOCH",
    "RESERVED",
    "Batch",
    "GrowingFile",
    "LiveEvent",
    "LiveReader",
    "Stream",
    "hash_content",
    "to_micros",
]
