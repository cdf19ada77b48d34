"""Reads catalogues, events, users and image vectors from files and indices."""

from seealso.readers.attributes import Attributes, read_attributes
from seealso.readers.events import EVENT_SCHEMA, read_events
from seealso.readers.files import FileSource
from seealso.readers.histories import Histories
from seealso.readers.images import read_image_vectors
from seealso.readers.items import RESERVED, read_items
from seealso.readers.live.reader import LiveEvent, LiveReader
from seealso.readers.live.tail import Batch, GrowingFile, Stream
from seealso.readers.matching import Unmatched, describe_unmatched
from seealso.readers.problems import Problem, Problems
from seealso.readers.pseudonyms import Pseudonyms
from seealso.readers.rows import Rows, RowSource
from seealso.readers.values.ids import parse_id

__all__ = [
    "EVENT_SCHEMA",
    "RESERVED",
    "Attributes",
    "Batch",
    "FileSource",
    "GrowingFile",
    "Histories",
    "LiveEvent",
    "LiveReader",
    "Problem",
    "Problems",
    "Pseudonyms",
    "RowSource",
    "Rows",
    "Stream",
    "Unmatched",
    "describe_unmatched",
    "parse_id",
    "read_attributes",
    "read_events",
    "read_image_vectors",
    "read_items",
]
