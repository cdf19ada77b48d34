"""Why an item has its value for a user: shares of the value and matching words, as a table too."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from seealso.plugin.explanations.shares import Kind, Share
from seealso.plugin.recommendations import name_of
from seealso.types import Path
from seealso.whole_table import LEAST, WholeTable

WEIGHED: Final = re.compile(r"^weight\((?P<field>[^:()]+):(?P<word>.+?) in \d+\)")
"""What Lucene calls the part of a BM25 score that one word of one field is."""


@dataclass(frozen=True, slots=True)
class MatchedWord:
    """A word of the profile that the item contains, and its part of the tail list's score."""

    field: str
    word: str
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an item has its value for a user.

    Attributes
    ----------
    user_id, item_id
        Whose value of which item.
    fields
        The catalogue's own fields of the item.
    probability, raw
        As in a list: p, and x = w * similarity with its boosts, as OpenSearch computed it. None
        for an item without a vector, and for a user of whom nothing is known.
    importance
        w.
    shares
        Reasons, the largest first: the amounts that are not None add up to `raw`.
    words
        Words that bring the item into the tail list; none for an item that is not of the tail.
    path, templates
        The path that ranked, and the query templates that found the item.
    index, fingerprint
        The physical index that answered and the bundle that encoded the profile.
    texts
        Texts of the items of the events, by id.
    note
        Something a person should know.
    """

    user_id: str | None
    item_id: str
    fields: Mapping[str, Any]
    probability: float | None
    raw: float | None
    importance: float
    shares: tuple[Share, ...]
    words: tuple[MatchedWord, ...]
    path: Path
    templates: tuple[str, ...]
    index: str
    fingerprint: str
    texts: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        plain = asdict(self)
        del plain["texts"]
        return plain

    def table(self, show: str | None = None, most: int = 10) -> Table:
        """Return the reasons as a rich table; below the largest, the others in one line.

        Parameters
        ----------
        show
            Catalogue field that names the item.
        most
            Reasons with a line of their own.
        """
        name = name_of(self.fields, show)
        title = Text.assemble((self.item_id, "bold"), " ", name)
        table = WholeTable(title, title_style="")
        table.add_column("adds", justify="right")
        table.add_column("reason", overflow="fold")
        # what an event was about begins with an id, which is not shortened
        longest = max((cell_len(one.item_id or "") for one in self.shares[:most]), default=0)
        table.add_column(
            "what",
            overflow="ellipsis",
            no_wrap=True,
            min_width=max(LEAST, longest),
            max_width=max(60, longest),
        )
        table.add_column("similarity", justify="right")
        for one in self.shares[:most]:
            table.add_row(_signed(one.amount), one.kind.value, *self._describe_share(one))
        if smaller := self.shares[most:]:
            amount = sum(one.amount or 0.0 for one in smaller)
            table.add_row(_signed(amount), f"{len(smaller)} more", "", "")
        if self.raw is not None:
            p = "" if self.probability is None else f"p = {self.probability:.3f}"
            table.add_row(f"{self.raw:.4f}", "x", p, "", end_section=True)
        for word in self.words:
            table.add_row("", "word", Text(word.word), f"BM25 {word.score:.2f}")
        # of a user of whom nothing is known there are no reasons, and the note says so
        table.show_header = bool(table.rows)
        return table

    def in_short(self, most: int = 3) -> str:
        """Return the largest reasons as one line."""
        largest = [one for one in self.shares if one.amount is not None][:most]
        parts = [
            f"{self.texts.get(one.item_id or '') or one.kind} {one.amount:+.3f}" for one in largest
        ]
        parts += [f"{word.word!r}" for word in self.words[:most]] if not largest else []
        return "; ".join(parts) or self.note or "nothing is known"

    def _describe_share(self, share: Share) -> tuple[Text, str]:
        what = ""
        if share.kind is Kind.EVENT:
            what = f"{share.item_id} {self.texts.get(share.item_id or '', '')}"
        elif share.kind is Kind.IMPORTANCE:
            what = f"w = {self.importance:.2f}"
        return Text(what), "" if share.similarity is None else f"{share.similarity:.3f}"


def matched_words(explanation: Mapping[str, Any]) -> tuple[MatchedWord, ...]:
    """Return the words in Lucene's explanation of a BM25 score, the largest first.

    Their scores add up to it: of several fields, the best one counts.

    Parameters
    ----------
    explanation
        ``_explanation`` of a hit: value, description and details.
    """
    return tuple(sorted(_words(explanation), key=lambda one: -one.score))


def _words(node: Mapping[str, Any]) -> Iterator[MatchedWord]:
    if found := WEIGHED.match(node["description"]):
        if node["value"] > 0:
            yield MatchedWord(found["field"], found["word"], float(node["value"]))
        return
    details = node.get("details", ())
    if node["description"].startswith("max of") and details:
        details = [max(details, key=lambda one: float(one["value"]))]
    for one in details:
        yield from _words(one)


def _signed(amount: float | None) -> str:
    return "?" if amount is None else f"{amount:+.4f}"
