"""Groups drawn from real users, and what a list is worth to each of their members."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

KINDS: Final = ("random", "similar", "divergent")
SIZES: Final = tuple(range(2, 9))
GROUPS_EACH: Final = 60
"""Groups of each kind and size."""

DEPTH: Final = 10
FEWEST_CHOICES: Final = 20
"""Members have chosen at least so many items: a fifth is test, the fifth before is dev."""

NEAR: Final = 0.05
"""Share of the users that a similar or divergent member is drawn from."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Member:
    """What may be known of a member when the group asks, and what is right.

    Attributes
    ----------
    user_id
        Who that is.
    history
        Items chosen before, newest first.
    seen
        Items met before.
    wanted
        Items chosen after.
    """

    user_id: str
    history: tuple[str, ...]
    seen: frozenset[str]
    wanted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Party:
    """A group that is asked about."""

    kind: str
    members: tuple[Member, ...]


def cut(events: pl.DataFrame, positive: float) -> pl.DataFrame:
    """Return the events in order, each with its ``part``: ``train``, ``dev`` or ``test``.

    A user's newest fifth of choices is test from its first one on, the fifth before is dev. Users
    with fewer than `FEWEST_CHOICES` choices train only.
    """
    liked = pl.col("value") >= positive
    ordered = events.with_row_index("row").sort("user_id", "time", "row", nulls_last=False)
    first = liked & pl.struct("item_id", liked).is_first_distinct().over("user_id")
    told = ordered.with_columns(first.alias("choice")).with_columns(
        pl.col("choice").cum_sum().over("user_id").alias("met"),
        pl.col("choice").sum().over("user_id").alias("all"),
    )
    fifth = pl.col("all") // 5
    return told.with_columns(
        pl.when(pl.col("all") < FEWEST_CHOICES)
        .then(pl.lit("train"))
        .when(pl.col("met") > pl.col("all") - fifth)
        .then(pl.lit("test"))
        .when(pl.col("met") > pl.col("all") - 2 * fifth)
        .then(pl.lit("dev"))
        .otherwise(pl.lit("train"))
        .alias("part")
    )


def members(events: pl.DataFrame, asked: str) -> dict[str, Member]:
    """Return everyone who can be asked about in ``dev`` or ``test``, by id."""
    known = ("train",) if asked == "dev" else ("train", "dev")
    found = {}
    for (user_id,), rows in events.group_by("user_id", maintain_order=True):
        before, after = rows.filter(pl.col("part").is_in(known)), rows.filter(part=asked)
        seen = frozenset(before["item_id"])
        wanted = frozenset(after.filter("choice")["item_id"]) - seen
        if wanted:
            history = before.filter("choice")["item_id"].to_list()[::-1]
            found[str(user_id)] = Member(str(user_id), tuple(history), seen, wanted)
    return found


def parties(people: Mapping[str, Member], seed: int) -> list[Party]:
    """Draw groups of every kind and size: who is similar is told by what was chosen before."""
    ids = list(people)
    alike = _alike([people[one].history for one in ids])
    rng = np.random.default_rng(seed)
    drawn = []
    for kind, size in product(KINDS, SIZES):
        for _ in range(GROUPS_EACH):
            places = _drawn(kind, size, alike, rng)
            drawn.append(Party(kind, tuple(people[ids[place]] for place in places)))
    return drawn


def _alike(histories: Sequence[Sequence[str]]) -> Floats:
    """Return the cosine of each two histories as sets, shape (users, users)."""
    place = {item: n for n, item in enumerate(sorted({i for one in histories for i in one}))}
    chosen = np.zeros((len(histories), len(place)))
    for row, history in enumerate(histories):
        chosen[row, [place[item] for item in history]] = 1.0
    chosen /= np.linalg.norm(chosen, axis=1, keepdims=True)
    return np.asarray(chosen @ chosen.T)


def _drawn(kind: str, size: int, alike: Floats, rng: np.random.Generator) -> list[int]:
    """Draw one group: the first anyone, the next among the most or least similar to the rest."""
    chosen = [int(rng.integers(len(alike)))]
    pool = max(size, round(NEAR * len(alike)))
    while len(chosen) < size:
        near = alike[chosen].mean(axis=0) if kind == "similar" else -alike[chosen].max(axis=0)
        near = rng.random(len(alike)) if kind == "random" else near
        near[chosen] = -np.inf
        chosen.append(int(rng.choice(np.argsort(-near)[:pool])))
    return chosen


def ndcg(shown: Sequence[str], wanted: frozenset[str], depth: int = DEPTH) -> float:
    """Return NDCG at `depth` with all of `wanted` equally right (Jarvelin and Kekalainen 2002)."""
    discount = 1.0 / np.log2(np.arange(2, depth + 2))
    hits = np.array([item in wanted for item in shown[:depth]], dtype=bool)
    return float(discount[: len(hits)][hits].sum() / discount[: len(wanted)].sum())


def worth(shown: Sequence[str], party: Party) -> Floats:
    """Return the NDCG of each member who can be served: of the others all was seen by somebody."""
    seen = frozenset().union(*(one.seen for one in party.members))
    open_ = [one.wanted - seen for one in party.members]
    return np.array([ndcg(shown, wanted) for wanted in open_ if wanted])
