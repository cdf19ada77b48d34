"""Who is most like a user: a list that shows itself as table or JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from seealso.plugin.scores import raw_value

SHOWN = 12
"""Hex digits of a pseudonym in a table."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A user who is like another.

    Attributes
    ----------
    pseudonym
        Who it is.
    similarity
        Cosine of both vectors.
    latest
        Items of the history, newest first.
    shared
        How many of them the other user has met, too.
    """

    pseudonym: str
    similarity: float
    latest: tuple[str, ...]
    shared: int = 0


@dataclass(frozen=True, slots=True)
class NeighbourList:
    """The users most like one, most similar first.

    Attributes
    ----------
    neighbours
        Most similar first.
    pseudonym
        Whose neighbours they are, if known by id.
    index
        The physical index that answered.
    note
        Something a person should know, for instance that a part of the users is missing.
    """

    neighbours: tuple[Neighbour, ...]
    pseudonym: str | None
    index: str
    note: str = ""

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(self.neighbours)

    def __len__(self) -> int:
        return len(self.neighbours)

    def __getitem__(self, place: int) -> Neighbour:
        return self.neighbours[place]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "pseudonym": self.pseudonym,
            "index": self.index,
            "note": self.note,
            "neighbours": [
                {
                    "pseudonym": one.pseudonym,
                    "similarity": one.similarity,
                    "shared": one.shared,
                    "latest": list(one.latest),
                }
                for one in self.neighbours
            ],
        }

    def table(self, latest: int = 5) -> Table:
        """Return the list as a rich table, with the newest `latest` items of each."""
        table = Table(box=None, pad_edge=False)
        table.add_column("#", justify="right", style="dim")
        table.add_column("user", no_wrap=True)
        table.add_column("similarity", justify="right")
        table.add_column("shared", justify="right")
        table.add_column("latest", overflow="ellipsis", no_wrap=True)
        for place, one in enumerate(self.neighbours, 1):
            # as Text: rich would read [brackets] in a plain string as markup
            table.add_row(
                str(place),
                Text(one.pseudonym[:SHOWN]),
                f"{one.similarity:.3f}",
                str(one.shared),
                Text(", ".join(one.latest[:latest])),
            )
        return table


def neighbours_of(hits: Sequence[Mapping[str, Any]], seen: frozenset[str]) -> tuple[Neighbour, ...]:
    """Return the neighbours that a search of the users index found.

    Parameters
    ----------
    hits
        Of the users index.
    seen
        What the user has met.
    """
    return tuple(_neighbour(hit["_id"], hit["_score"], hit["_source"], seen) for hit in hits)


def _neighbour(
    pseudonym: str, score: float, document: Mapping[str, Any], seen: frozenset[str]
) -> Neighbour:
    latest = tuple(document["latest"])
    shared = sum(item_id in seen for item_id in latest)
    return Neighbour(pseudonym, raw_value(score), latest, shared)
