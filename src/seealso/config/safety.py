"""What must not be shown, to whom: no request can loosen it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from seealso.config.section import Section


class AgeSettings(Section):
    """Which field says from what age on an item may be shown."""

    item: str
    """Number field of the catalogue with the least age."""
    user: str = "age"
    """Attribute of the user; unknown or no number counts as 0."""
    missing: Literal["show", "hide"] = "show"
    """What becomes of items without the field."""


class RegionSettings(Section):
    """Which field says where an item may be shown."""

    item: str
    """Field of the catalogue with the regions."""
    user: str = "region"
    """Attribute of the user; unknown is nowhere."""
    missing: Literal["show", "hide"] = "show"
    """What becomes of items without the field."""


class SafetySettings(Section):
    """``[safety]``: items that no list contains; no request can change this."""

    blocklist: Path | None = None
    """A file of item ids, one on each line; it is read again when it changes."""
    fields: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Blocked values by field, as texts; for a taxonomy's field, values below them are blocked
    too."""
    words: tuple[str, ...] = ()
    """Items with one of these words or phrases in their text are blocked."""
    age: tuple[AgeSettings, ...] = ()
    """``item`` and ``user``: an item is for users of at least its age."""
    region: tuple[RegionSettings, ...] = ()
    """``item`` and ``user``: an item is for users of one of its regions."""
