"""What a business wants of every list: rules, the tree that they speak of, and who is to be seen.

Rules say which items; plugin/rules makes queries of them.
"""

from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, model_validator

from seealso.config.section import Section

Value: TypeAlias = str | int | float | bool


class Choice(Section):
    """Says which items are meant; what is not given does not count."""

    items: tuple[str, ...] = ()
    """Item ids."""
    field: str | None = None
    """A field of the catalogue."""
    values: tuple[Value, ...] = ()
    """Values of `field`, any of which will do; of a taxonomy's field, what lies below as well."""
    least: float | None = None
    """Least value of `field`."""
    most: float | None = None
    """Greatest value of `field`."""

    @model_validator(mode="after")
    def _says_something(self) -> "Choice":
        ranged = self.least is not None or self.most is not None
        if self.field is None and (self.values or ranged):
            raise ValueError("values, least and most need a field: name it")
        if self.field is not None and not (self.values or ranged):
            raise ValueError(f"field {self.field!r} is not enough: give values, least or most")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"least {self.least:g} is above most {self.most:g}")
        return self

    @property
    def empty(self) -> bool:
        """Whether no item is meant."""
        return not self.items and self.field is None


class Rule(Choice):
    """``[[rules]]``: one rule; of several boosts and buries of an item, the first applies."""

    do: Literal["require", "exclude", "boost", "bury", "pin"]
    """What becomes of the items."""
    factor: float | None = Field(None, gt=0)
    """``boost``, ``bury``: multiplies the importance w, and so w * similarity."""
    add: float | None = None
    """``boost``: added to w * similarity."""
    position: int | None = Field(None, ge=1)
    """``pin``: the place of the item, or of the first of them."""

    @model_validator(mode="after")
    def _can_be_done(self) -> "Rule":
        if self.empty:
            raise ValueError(f"an empty rule: {self.do} needs items, or a field with values")
        if self.do == "pin" and (not self.items or self.field is not None):
            raise ValueError("pin takes items, not a field")
        if (self.position is not None) != (self.do == "pin"):
            raise ValueError("pin needs a position, and only pin has one")
        if self.add is not None and self.do != "boost":
            raise ValueError("add belongs to boost")
        if self.factor is not None and self.do not in ("boost", "bury"):
            raise ValueError("factor belongs to boost and bury")
        if self.do == "boost" and self.add is None and self.factor is None:
            raise ValueError("boost needs add or factor")
        if self.do == "bury" and self.factor is not None and self.factor >= 1:
            raise ValueError("bury needs a factor below 1, or no factor to move items to the end")
        return self


class TaxonomySettings(Section):
    """``[taxonomy]``: a tree of a field's values; a rule on a node applies to the nodes below."""

    field: str | None = None
    """The field whose values are nodes; none for no tree."""
    separator: str | None = None
    """The separator, if the values are paths: ``" > "`` for Games > Board > Chess."""
    path: Path | None = None
    """Or a CSV file with the columns ``node`` and ``parent``, one line for each node."""

    @model_validator(mode="after")
    def _one_tree(self) -> "TaxonomySettings":
        if self.field is None and (self.separator or self.path):
            raise ValueError("set the field of the tree")
        if self.field is not None and (self.separator is None) == (self.path is None):
            raise ValueError("set either a separator or a path")
        return self


class ShareSettings(Choice):
    """A guaranteed share of a list's places for some items."""

    share: float = Field(gt=0, le=1)
    """Of the places, rounded up; the first place belongs to the best item."""
    new: bool = False
    """Items without any interaction, instead of a choice."""

    @model_validator(mode="after")
    def _of_something(self) -> "ShareSettings":
        if self.empty != self.new:
            raise ValueError(
                "name the items of the share: items, a field with values, or new = true"
            )
        return self


class CapSettings(Section):
    """How often one value of a field may be in a list."""

    field: str
    """The field; an item without a value is not counted."""
    most: int = Field(ge=1)
    """Items with the same value."""
    window: int | None = Field(None, ge=2)
    """Counted in any so many places in a row; none for the whole list."""


class ExposureSettings(Section):
    """``[exposure]``: guaranteed shares, caps, diversity and freshness."""

    shares: tuple[ShareSettings, ...] = ()
    """Shares of the places, beside ``recommend.tail_share``: ``share``, and ``items``, ``field``
    with ``values``, ``least`` or ``most``, or ``new``."""
    caps: tuple[CapSettings, ...] = ()
    """At most ``most`` items with the same value of ``field``, in the list or in any ``window``."""
    diversity: float = Field(0.0, ge=0, le=1)
    """1 - lambda of maximal marginal relevance: how much difference from the items above counts."""
    fresh: str | None = None
    """A field with a date, a year or seconds since 1970: older items get lower values."""
    half_life_days: float = Field(365.0, gt=0)
    """Days after which `fresh` halves the value of an item."""
    depth: int = Field(5, ge=1, le=100)
    """Candidates for caps, diversity and freshness, as a multiple of the list's length."""
