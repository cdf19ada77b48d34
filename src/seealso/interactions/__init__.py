"""Readers of catalogues and behaviour: files and indices become items, events and histories."""

from seealso.interactions.attributes import Attributes, read_attributes
from seealso.interactions.cells import as_id
from seealso.interactions.events import EVENT_SCHEMA, read_events
from seealso.interactions.files import FileSource
from seealso.interactions.histories import Histories
from seealso.interactions.images import read_image_vectors
from seealso.interactions.items import RESERVED, read_items
from seealso.interactions.live import LiveEvent, LiveReader
from seealso.interactions.matching import Unmatched, describe_unmatched
from seealso.interactions.problems import Problem, Problems
from seealso.interactions.pseudonyms import Pseudonyms
from seealso.interactions.rows import Rows, RowSource
from seealso.interactions.splits import Case, Split, leave_one_out, temporal
from seealso.interactions.tail import Batch, GrowingFile, Stream

__all__ = [
    "EVENT_SCHEMA",
    "RESERVED",
    "Attributes",
    "Batch",
    "Case",
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
    "Split",
    "Stream",
    "Unmatched",
    "as_id",
    "describe_unmatched",
    "leave_one_out",
    "read_attributes",
    "read_events",
    "read_image_vectors",
    "read_items",
    "temporal",
]
