"""The users most like one: a list that prints as a table or as JSON, and what they chose lately."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from seealso.config import NeighbourSettings
from seealso.models.user_knn import vote
from seealso.plugin.scores import raw_value
from seealso.whole_table import WholeTable

PSEUDONYM_DIGITS = 12
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
        How many of them the other user has met as well.
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
        What a reader should know, for instance that some of the users are missing.
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
            "neighbours": [asdict(one) | {"latest": list(one.latest)} for one in self.neighbours],
        }

    def table(self, latest: int = 5) -> Table:
        """Return the list as a rich table, with the newest `latest` items of each."""
        table = WholeTable()
        table.add_column("#", justify="right", style="dim")
        table.add_column("user", overflow="fold")
        table.add_column("similarity", justify="right")
        table.add_column("shared", justify="right")
        table.add_column("latest", overflow="fold")
        for place, one in enumerate(self.neighbours, 1):
            # as Text: rich would read [brackets] in a plain string as markup
            table.add_row(
                str(place),
                Text(one.pseudonym[:PSEUDONYM_DIGITS]),
                f"{one.similarity:.3f}",
                str(one.shared),
                Text(", ".join(one.latest[:latest])),
            )
        return table


@dataclass(frozen=True, slots=True)
class NeighbourBoosts:
    """What the neighbours of one user add to items.

    Attributes
    ----------
    gains
        What is added to w * cos of an item; items without a vote are left out.
    candidates
        Items that may come into the list by this alone, the largest gain first.
    note
        What a reader of the list should know, for instance that some users are missing.
    """

    gains: Mapping[str, float] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()
    note: str = ""

    @classmethod
    def of(
        cls, neighbours: NeighbourList, seen: Collection[str], settings: NeighbourSettings
    ) -> "NeighbourBoosts":
        """Return what the vote of user kNN adds.

        Parameters
        ----------
        neighbours
            Most similar users.
        seen
            What the user has met; left out.
        settings
            Share, how much of a history counts, how many candidates.
        """
        votes = vote(neighbours, seen, settings.latest)
        gains = {item_id: settings.share * part for item_id, part in votes.items()}
        order = sorted(gains, key=lambda item_id: (-gains[item_id], item_id))
        note = f"of the users index, {neighbours.note}" if neighbours.note else ""
        return cls(gains, tuple(order[: settings.candidates]), note)


def read_neighbours(
    hits: Sequence[Mapping[str, Any]], seen: frozenset[str]
) -> tuple[Neighbour, ...]:
    """Return the neighbours among the hits of the users index.

    Parameters
    ----------
    hits
        Of the users index.
    seen
        What the user has met.
    """
    return tuple(
        Neighbour(
            hit["_id"],
            raw_value(hit["_score"]),
            tuple(hit["_source"]["latest"]),
            sum(item_id in seen for item_id in hit["_source"]["latest"]),
        )
        for hit in hits
    )
