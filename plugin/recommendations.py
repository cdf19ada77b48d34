"""What a recommendation query answers with: a ranked list that shows itself as table or JSON."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as fields_of
from typing import Any, Generic, Protocol, Self, TypeVar

import orjson
from rich.table import Table
from rich.text import Text

from seealso.types import Path, Source, format_value
from seealso.whole_table import WholeTable


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One place of a list.

    Attributes
    ----------
    item_id
        The item.
    probability
        p in (0, 1), or None for an item without a vector and for a list by importance alone.
    raw
        w * similarity, with `co_occurrence` and `neighbours`, before the sigmoid; None where
        `probability` is.
    score
        OpenSearch's score in the list that the item came from.
    source
        Which list that was.
    importance
        w.
    tail
        Whether the item is of the long tail.
    fields
        The catalogue's own fields.
    co_occurrence
        What is added to `raw` of what is chosen around items of the history.
    neighbours
        What the user's neighbours add to `raw`: share times what part of them chose it lately.
    boost
        What rules and freshness add to `raw` where the list is ranked; no part of the probability.
    """

    item_id: str
    probability: float | None
    raw: float | None
    score: float
    source: Source
    importance: float
    tail: bool
    fields: Mapping[str, Any] = field(default_factory=dict)
    co_occurrence: float = 0.0
    neighbours: float = 0.0
    boost: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        # one level is enough: `dataclasses.asdict` would copy what catalogues hold, value by value
        plain = {one.name: getattr(self, one.name) for one in fields_of(self)}
        return plain | {"source": self.source.value, "fields": dict(self.fields)}

    def with_fields(self, names: Collection[str] | None) -> Self:
        """Return the same with the fields of these names alone; with all of them for None."""
        if names is None or self.fields.keys() <= set(names):
            return self
        fields = {name: value for name, value in self.fields.items() if name in names}
        return replace(self, fields=fields)


class Place(Protocol):
    """A place of a ranked list."""

    @property
    def item_id(self) -> str:
        """The item."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """The catalogue's own fields."""


P = TypeVar("P", bound=Place)


class Ranked(ABC, Generic[P]):
    """A ranked list: iterable, with a length, and as plain values for programs."""

    __slots__ = ()

    items: tuple[P, ...]
    path: Path
    index: str
    fingerprint: str
    note: str
    latency_ms: Mapping[str, float]
    query_id: str

    def __iter__(self) -> Iterator[P]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> P:
        return self.items[place]

    @property
    def ids(self) -> list[str]:
        """Item ids, best first."""
        return [one.item_id for one in self.items]

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""

    def to_json(self) -> str:
        """Return the list as one line of JSON."""
        return orjson.dumps(self.as_dict()).decode()

    def provenance(self) -> dict[str, Any]:
        """Return plain values that say how the list was made."""
        return {
            "path": self.path.value,
            "index": self.index,
            "fingerprint": self.fingerprint,
            "note": self.note,
            **({"query_id": self.query_id} if self.query_id else {}),
            "latency_ms": {part: round(ms, 2) for part, ms in self.latency_ms.items()},
        }


@dataclass(frozen=True, slots=True)
class RecommendationList(Ranked[Recommendation]):
    """A ranked list and how it was made.

    Attributes
    ----------
    items
        Best first.
    user_id
        Whom the list is for, if known by id.
    path
        The path that ranked it.
    index, fingerprint
        The physical index that answered and the bundle that encoded the profile.
    note
        Something a person should know, for instance why there is no profile.
    latency_ms
        Milliseconds of the request that the list came with: ``profile`` (history and
        encoding), ``rendering``, ``search`` (as OpenSearch took them), ``transport`` (the rest
        of the round trip) and ``fusion`` add up to ``total``.
    query_id
        What clicks on the list are logged against, where lists are written to UBI.
    """

    items: tuple[Recommendation, ...]
    user_id: str | None
    path: Path
    index: str
    fingerprint: str
    note: str = ""
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    query_id: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "user_id": self.user_id,
            **self.provenance(),
            "items": [item.as_dict() for item in self.items],
        }

    def table(self, show: str | None = None, title: str | None = None) -> Table:
        """Return the list as a rich table.

        Parameters
        ----------
        show
            Catalogue field to show beside the id; the first text, by name, where an item has none.
        title
            Line above the table.
        """
        return ranked_table(((one, (one.probability,)) for one in self.items), ("p",), show, title)


@dataclass(frozen=True, slots=True)
class ItemRanking(RecommendationList):
    """Items that a caller named, in a user's order, and those of them that have no place in it.

    Attributes
    ----------
    unknown
        Ids that the index does not hold.
    blocked
        Ids of items that the user must not be shown.
    """

    unknown: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            # a class with slots is made twice: super() would look for the first one
            **RecommendationList.as_dict(self),
            "unknown": list(self.unknown),
            "blocked": list(self.blocked),
        }


def ranked_table(
    rows: Iterable[tuple[Recommendation, Sequence[float | None]]],
    columns: Sequence[str],
    show: str | None,
    title: str | None = None,
) -> Table:
    """Return a ranked list as a rich table.

    Parameters
    ----------
    rows
        Each item, and its probabilities.
    columns
        What the probabilities are called.
    show, title
        As for `RecommendationList.table`.
    """
    table = WholeTable(title)
    table.add_column("#", justify="right", style="dim")
    table.add_column("item", overflow="fold")
    table.add_column(show or "what", overflow="ellipsis", max_width=48)
    # as Text: rich would read [brackets] in a plain string as markup
    for name in columns:
        table.add_column(Text(name), justify="right", overflow="fold", max_width=16)
    table.add_column("importance", justify="right")
    table.add_column("by", overflow="fold")
    for place, (item, probabilities) in enumerate(rows, 1):
        table.add_row(
            str(place),
            Text(escape_controls(item.item_id)),
            Text(" ".join(name_of(item.fields, show).split()), no_wrap=True, overflow="ellipsis"),
            *("-" if p is None else f"{p:.3f}" for p in probabilities),
            f"{item.importance:.2f}",
            item.source.value,
        )
    return table


def escape_controls(text: str) -> str:
    """Return an id as one line: what cannot be printed is escaped, as in Python."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def name_of(fields: Mapping[str, Any], show: str | None) -> str:
    """Return what a table calls an item by: its field `show`, or for None the first text.

    A dash where it has no such field: another one under that name would mislead.
    """
    if show is None:
        return label(fields)
    value = fields.get(show)
    if isinstance(value, list):
        return ", ".join(map(format_value, value)) or "-"
    return "-" if value is None or value == "" else format_value(value)


def label(fields: Mapping[str, Any]) -> str:
    """Return the text that names an item for a person: the first one, by name of the field."""
    # OpenSearch gives fields in any order: by name, two lists show the same one
    return next((fields[name] for name in sorted(fields) if isinstance(fields[name], str)), "")


def join_notes(*notes: str) -> str:
    """Return one line of several, those that say nothing left out."""
    return "; ".join(filter(None, notes))
