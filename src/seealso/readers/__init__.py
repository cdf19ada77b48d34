"""Reads catalogues, events, users and image vectors from files and indices."""

from seealso.readers.attributes import Attributes as Attributes
from seealso.readers.attributes import read_attributes as read_attributes
from seealso.readers.events import EVENT_SCHEMA as EVENT_SCHEMA
from seealso.readers.events import read_events as read_events
from seealso.readers.files import FileSource as FileSource
from seealso.readers.groups import read_groups as read_groups
from seealso.readers.groups import read_known_groups as read_known_groups
from seealso.readers.histories import Histories as Histories
from seealso.readers.images import read_image_vectors as read_image_vectors
from seealso.readers.items import RESERVED as RESERVED
from seealso.readers.items import read_items as read_items
from seealso.readers.items import read_part as read_part
from seealso.readers.live.reader import LiveEvent as LiveEvent
from seealso.readers.live.reader import LiveReader as LiveReader
from seealso.readers.live.tail import Batch as Batch
from seealso.readers.live.tail import GrowingFile as GrowingFile
from seealso.readers.live.tail import Stream as Stream
from seealso.readers.matching import Unmatched as Unmatched
from seealso.readers.matching import describe_unmatched as describe_unmatched
from seealso.readers.problems import Problem as Problem
from seealso.readers.problems import Problems as Problems
from seealso.readers.pseudonyms import Pseudonyms as Pseudonyms
from seealso.readers.rows import Rows as Rows
from seealso.readers.rows import RowSource as RowSource
from seealso.readers.values.ids import parse_id as parse_id
from seealso.readers.values.ids import parse_named_id as parse_named_id
