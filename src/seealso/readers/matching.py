"""Finds ids of one source that another one lacks, and the likely cause: `gar-501`, `GAR-501`.

Two systems often write the same ids in two ways; then nothing fails and no event finds its item.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

EXAMPLES: Final = 3

_ID = pl.col("id")
_FIRST: Final = _ID.str.extract(r"^[\[('\"\s]*([^\s,;|'\"]+)['\"]?\s*[,;|]")
_LIST: Final = "is a list of ids"
_SPELLINGS: Final[Mapping[str, tuple[pl.Expr, pl.Expr]]] = {
    cause: (spelled, _ID if spelled is _FIRST else spelled)
    for cause, spelled in {
        "differs by case": _ID.str.to_lowercase(),
        "differs by blanks": _ID.str.replace_all(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]+", ""),
        "ends in .0": _ID.str.replace(r"\.0*$", ""),
        "differs by leading zeros": _ID.str.replace(r"^0+(.)", "$1"),
        "differs by how accents are encoded": _ID.str.normalize("NFKC"),
        "differs by quotes or brackets around it": _ID.str.strip_chars("'\"`{}[]()<> "),
        "differs by hyphens, dots or underscores": _ID.str.replace_all(r"[-_./\s]+", ""),
        "differs by case, and by hyphens, dots or underscores": (
            _ID.str.to_lowercase().str.replace_all(r"[-_./\s]+", "")
        ),
        _LIST: _FIRST,
    }.items()
}
"""Causes, and what makes ids equal that differ by it alone; the plain ones first."""

# the most frequent of the lost ids, by which causes are tried
_TRIED = 10_000
# ids from which a prefix or a suffix is guessed, before it is tried
_GUESSED_FROM = 200
# a cause that explains less is chance
_LEAST_EXPLAINED = 0.5


@dataclass(frozen=True)
class Unmatched:
    """Ids that are named and not there.

    Attributes
    ----------
    rows, of
        Rows that name them, and all rows.
    ids
        How many different ids these are.
    examples
        The most frequent of them, three at most.
    cause
        How such an id differs from one that is there, as the end of "an id ...", or None.
    pair
        One of them, and the id that is probably meant.
    row, id
        What messages call a row and an id, in the plural.
    place
        What messages call where the ids are not.
    """

    rows: int
    of: int
    ids: int
    examples: tuple[str, ...]
    cause: str | None = None
    pair: tuple[str, str] | None = None
    row: str = "events"
    id: str = "items"
    place: str = "the catalogue"

    @property
    def share(self) -> float:
        """Share of the rows that name ids which are not there, from 0 to 1."""
        return self.rows / self.of

    def without_ids(self) -> "Unmatched":
        """Return the same without any id, for messages about users: they may end in a log."""
        return replace(self, examples=(), pair=None)

    def __str__(self) -> str:
        sentence = (
            f"{self.rows:,} of {self.of:,} {self.row} name {self.id} that are not in {self.place}"
        )
        if self.examples:
            sentence += f", such as {', '.join(map(repr, self.examples))}"
        if self.cause:
            sentence += f"; the likely cause: an id {self.cause}"
        if self.pair:
            sentence += f" ({self.pair[0]!r} is there as {self.pair[1]!r})"
        return sentence


def describe_unmatched(
    counts: Mapping[str, int],
    known: Collection[str],
    *,
    row: str = "events",
    id: str = "items",  # noqa: A002
    place: str = "the catalogue",
    lists: str = "which events.lists can separate",
) -> Unmatched | None:
    """Return what `counts` names and `known` lacks, or None where all are known.

    Parameters
    ----------
    counts
        Rows that name an id, by id.
    known
        The ids that are there.
    row, id, place
        What messages call a row and an id, in the plural, and where the ids are not.
    lists
        What to do if a cell has a list of ids.
    """
    there = pl.DataFrame({"id": pl.Series(list(known), dtype=pl.String)})
    named = pl.DataFrame(
        {
            "id": pl.Series(list(counts), dtype=pl.String),
            "rows": pl.Series(list(counts.values()), dtype=pl.Int64),
        }
    )
    lost = named.join(there, on="id", how="anti").sort("rows", "id", descending=[True, False])
    if lost.is_empty():
        return None
    cause, pair = _likely_cause(lost.head(_TRIED), there) or (None, None)
    if cause == _LIST:
        cause = f"{_LIST}, {lists}"
    return Unmatched(
        rows=int(lost["rows"].sum()),
        of=int(named["rows"].sum()),
        ids=lost.height,
        examples=tuple(lost["id"].head(EXAMPLES)),
        cause=cause,
        pair=pair,
        row=row,
        id=id,
        place=place,
    )


def _likely_cause(lost: pl.DataFrame, there: pl.DataFrame) -> tuple[str, tuple[str, str]] | None:
    """Return the cause that explains most rows, with a pair of ids; the first of equal ones."""
    best, explained = None, 0
    tried = [(cause, *spellings) for cause, spellings in _SPELLINGS.items()]
    for cause, of_lost, of_there in (*tried, *_guess_affixes(lost["id"], there["id"])):
        spelt = there.select(_ID.alias("meant"), of_there.alias("key"))
        met = (
            lost.with_columns(of_lost.alias("key"))
            .join(spelt, on="key", maintain_order="left")
            .unique("id", keep="first", maintain_order=True)
        )
        rows = int(met["rows"].sum())
        if rows > explained:
            best, explained = (cause, (met["id"][0], met["meant"][0])), rows
    return best if explained >= _LEAST_EXPLAINED * int(lost["rows"].sum()) else None


def _guess_affixes(lost: pl.Series, there: pl.Series) -> Iterable[tuple[str, pl.Expr, pl.Expr]]:
    """Yield the most frequent prefix and suffix by which ids of one side differ from the other."""
    sides = ((lost, there, "has"), (there, lost, "lacks"))
    for longer, shorter, verb in sides:
        ids = longer.head(_GUESSED_FROM).to_list()
        for word, parts in (("prefix", _list_prefixes(ids)), ("suffix", _list_suffixes(ids))):
            affix = _find_most_frequent(parts, shorter)
            if affix is None:
                continue
            cut = _ID.str.strip_prefix(affix) if word == "prefix" else _ID.str.strip_suffix(affix)
            of_lost, of_there = (cut, _ID) if verb == "has" else (_ID, cut)
            yield f"{verb} a {word}, {affix!r}", of_lost, of_there


def _list_prefixes(ids: Sequence[str]) -> list[tuple[str, str]]:
    return [(one[:end], one[end:]) for one in ids for end in range(1, len(one))]


def _list_suffixes(ids: Sequence[str]) -> list[tuple[str, str]]:
    return [(one[start:], one[:start]) for one in ids for start in range(1, len(one))]


def _find_most_frequent(parts: Sequence[tuple[str, str]], rests: pl.Series) -> str | None:
    """Return the affix that leaves one of `rests` most often; twice at least."""
    remainders = pl.Series([remainder for _, remainder in parts], dtype=pl.String)
    found = set(rests.filter(rests.is_in(remainders.implode())).to_list())
    votes = Counter(affix for affix, remainder in parts if remainder in found)
    # of two that explain the same, the longer leaves less to chance
    affix, times = max(votes.items(), key=lambda vote: (vote[1], len(vote[0])), default=("", 0))
    return affix if times > 1 else None
