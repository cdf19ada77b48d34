"""What is read: the catalogue, the events, and the texts made of them."""

import codecs
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from seealso.config.section import Section

DEFAULT_ITEM_TEMPLATE = "{{ title }}{% if description %}. {{ description }}{% endif %}"
_DEFAULT_COLUMNS = ("title", "description")
_WORDS_OF_JINJA = frozenset(
    {
        "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False",
        "None", "self", "loop", "range", "fields", "varargs", "kwargs", "caller",
    }
)  # fmt: skip
DEFAULT_USER_TEMPLATE = (
    "{% if words %}{{ words }}. {% endif %}"
    "{% for name, value in attributes.items() %}{{ name }}: {{ value }}. {% endfor %}"
    "{% for item in history %}{{ item }}. {% endfor %}"
)


class FormatSettings(Section):
    """How a file of rows is written; what is not set is found out from the file."""

    separator: str | None = Field(None, min_length=1, max_length=1)
    """The character between two fields of a delimited file."""
    encoding: str | None = None
    """The encoding of the file, by its name in Python: ``utf-8``, ``cp1252``."""
    quote: str | None = Field('"', min_length=1, max_length=1)
    """The character around fields that contain a separator or a line break; null for none."""
    escape: str | None = Field(None, min_length=1, max_length=1)
    """The character before a quote within a field: a backslash in files of MySQL, Spark and
    BigQuery. A quote that is written twice is always read as one."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark, for numbers with two possible meanings, such as ``1.129``."""
    nulls: tuple[str, ...] | None = None
    """Words that mean an empty value, exactly as written; by default a usual set."""

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str | None) -> str | None:
        if encoding is not None:
            try:
                # what is no encoding of text (base64, rot13) is refused, too
                "".encode(encoding)
                codecs.getincrementaldecoder(encoding)
            except LookupError as exc:
                raise ValueError(f"there is no encoding {encoding!r}") from exc
        return encoding


class EventFormatSettings(FormatSettings):
    """How a file of events is written; what is not set is found out from the file."""

    time: str | None = Field(None, pattern="%")
    """How times are written, in the format of ``strptime``: ``%d.%m.%Y %H:%M``; without a zone
    (``%z``), times are in UTC."""


class CatalogueSettings(Section):
    """``[catalogue]``: where the items are and what their columns mean."""

    path: Path | None = None
    """A CSV, TSV, JSON or Parquet file, which may be compressed; or a folder or pattern of such
    files."""
    index: str | None = None
    """Or an OpenSearch index with the items."""
    id: str = "item_id"
    """The column with the item id (``_id`` for an index: the document's own)."""
    text: tuple[str, ...] = ("title",)
    """Text columns: analysed for BM25 and given to the text template."""
    keywords: tuple[str, ...] = ()
    """Category and attribute columns: stored for filters as keywords."""
    numbers: tuple[str, ...] = ()
    """Number columns (price, year, rating count): stored as doubles, for filters and importance."""
    lists: Mapping[str, str] = Field(default_factory=dict)
    """Columns with several values in a cell, and the separator of the values: ``genres = "|"``."""
    rename: Mapping[str, str] = Field(default_factory=dict)
    """New names for columns: ``movieId = "item_id"``."""
    format: FormatSettings = FormatSettings()
    """How the file is written."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read, by their names in the source."""
        old = {new: name for name, new in self.rename.items()}
        named = (self.id, *self.text, *self.keywords, *self.lists, *self.numbers)
        return tuple(dict.fromkeys((*(old.get(name, name) for name in named), *self.rename)))


class EventSettings(Section):
    """``[events]``: where the events are and what their columns mean."""

    path: Path | None = None
    """A CSV, TSV, JSON or Parquet file, which may be compressed; or a folder or pattern of such
    files."""
    index: str | None = None
    """Or an OpenSearch index with the events."""
    user: str = "user_id"
    """The column with the user id; an event without one counts only for importance."""
    item: str = "item_id"
    """The column with the item id, or with a list of them: ``products.sku`` of an order."""
    type: str | None = None
    """The column with the event type; without it, every event has the ``default_type``."""
    default_type: str = "view"
    """The event type if the column is missing or empty."""
    value: str | None = None
    """The column with a number (rating, quantity, seconds); without it, every value is 1."""
    time: str | None = None
    """The column with the time: ISO 8601, a date as a number, or a count since 1970."""
    lists: Mapping[str, str] = Field(default_factory=dict)
    """Columns of ``item`` and ``value`` with several values in a cell, and the separator: ``items =
    ","``."""
    positive: float | None = None
    """Items of events with a lower value count as seen, but are not part of profiles."""
    format: EventFormatSettings = EventFormatSettings()
    """How the file is written."""

    @model_validator(mode="after")
    def _parts_what_may_be_several(self) -> Self:
        for name in self.lists:
            if name not in (self.item, self.value):
                raise ValueError(f"lists names {name!r}, which is neither item nor value")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        named = (self.user, self.item, self.type, self.value, self.time)
        return tuple(dict.fromkeys(name for name in named if name is not None))


def item_template(columns: Sequence[str]) -> str:
    """Return the template that writes `columns` one after the other, those that are empty left out.

    Title and description have the template that they always had: it is part of fingerprints.
    """
    if tuple(columns) == _DEFAULT_COLUMNS[: len(columns)]:
        return DEFAULT_ITEM_TEMPLATE
    names = ", ".join(_name_in_template(column) for column in columns)
    return f"{{{{ [{names}] | select | join('. ') }}}}"


def _name_in_template(column: str) -> str:
    if column.isidentifier() and column not in _WORDS_OF_JINJA:
        return column
    return f"fields[{json.dumps(column)}]"


class TextSettings(Section):
    """``[text]``: what the model reads; part of the bundle's fingerprint."""

    item: str = DEFAULT_ITEM_TEMPLATE
    """Jinja template over the item's fields; by default it joins the columns of
    ``catalogue.text``."""
    views: Mapping[str, str] = Field(default_factory=dict)
    """More item templates by name; their vectors are added, weighted by ``weights``."""
    weights: Mapping[str, float] = Field(default_factory=dict)
    """Weight of each view (``item`` is the main template); 1 by default."""
    user: str = DEFAULT_USER_TEMPLATE
    """Jinja template over words, attributes and history (texts of items, newest first)."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if "item" in self.views:
            raise ValueError("views.item: that name belongs to the main template")
        for name, weight in self.weights.items():
            if name not in ("item", *self.views):
                known = ", ".join(("item", *self.views))
                raise ValueError(f"weights.{name}: there is no such view; the views are {known}")
            if weight < 0:
                raise ValueError(f"weights.{name}: must be 0 or more, not {weight:g}")
        return self
