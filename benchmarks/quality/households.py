"""Makes households of users: groups whose members and whose own choices are known.

No public set of households can be shipped, so two kinds are made of the users at hand. A *pair* are
two users with like taste: half of what both chose is what they chose together. A *shared account*
is one user cut in three: two members and the household, so that all three are one taste.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import orjson
import polars as pl

FEWEST_TOGETHER: Final = 6
"""Choices of a household at least: one for dev, one for test, and some to learn from."""

FEWEST_ALONE: Final = 20
"""Choices of a user at least, to become a member of a pair or an account that is cut."""


@dataclass(frozen=True, slots=True)
class Households:
    """Events, some of them of households, and who belongs to each household.

    Attributes
    ----------
    events
        ``user_id``, ``item_id``, ``value`` and ``time``, in an order that holds where times do not
        tell.
    members
        Members of each household, by its id.
    """

    events: pl.DataFrame
    members: Mapping[str, tuple[str, ...]]

    def write(self, folder: Path) -> None:
        """Write ``events.csv`` and ``groups.jsonl``."""
        self.events.write_csv(folder / "events.csv")
        lines = (
            orjson.dumps({"group": name, "members": own}) for name, own in self.members.items()
        )
        (folder / "groups.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def pairs(events: pl.DataFrame, positive: float | None, seed: int) -> Households:
    """Return households of two users each, with half of what both of them chose.

    The most similar users first (cosine of the sets of what they chose) are paired, each user once.
    A choice of the household has the time of the later of the two, and neither member has it. What
    else both chose stays with both.

    Parameters
    ----------
    events
        As `read_events` yields them.
    positive
        Events with a value below this are no choices.
    seed
        Draws which half.
    """
    ordered = _in_order(events)
    chosen = _chosen_by_user(ordered, positive)
    partners = _match({name: set(own) for name, own in chosen.items()})
    rng = np.random.default_rng(seed)
    taken: list[tuple[str, str, str]] = []
    members: dict[str, tuple[str, ...]] = {}
    for one, other in partners:
        both = sorted(set(chosen[one]) & set(chosen[other]))
        drawn = rng.choice(len(both), size=len(both) // 2, replace=False)
        household = f"household-{one}-{other}"
        members[household] = (one, other)
        taken += [(household, who, both[place]) for place in drawn for who in (one, other)]
    moved = pl.DataFrame(taken, schema=["household", "user_id", "item_id"], orient="row")
    together = (
        ordered.join(moved, on=["user_id", "item_id"])
        .sort("time", "row", nulls_last=False)
        .unique(["household", "item_id"], keep="last", maintain_order=True)
        .with_columns(pl.col("household").alias("user_id"))
        .select(ordered.columns)
    )
    alone = ordered.join(moved, on=["user_id", "item_id"], how="anti")
    return Households(_without_row(pl.concat([alone, together])), members)


def shared_accounts(events: pl.DataFrame, positive: float | None, seed: int) -> Households:
    """Return households that are one user each, whose events are cut in three by chance.

    Parameters are those of `pairs`; users with fewer than `FEWEST_ALONE` choices stay themselves.
    """
    ordered = _in_order(events)
    chosen = _chosen_by_user(ordered, positive)
    cut = [name for name, own in chosen.items() if len(own) >= FEWEST_ALONE]
    rng = np.random.default_rng(seed)
    # an item that was met twice stays with one of the three
    whose = {
        (name, item): int(rng.integers(3))
        for name, item in ordered.select("user_id", "item_id").unique(maintain_order=True).rows()
    }
    names = {name: (f"{name}-a", f"{name}-b", f"household-{name}") for name in cut}
    moved = [
        names[name][whose[name, item]] if name in names else name
        for name, item in ordered.select("user_id", "item_id").rows()
    ]
    found = ordered.with_columns(pl.Series("user_id", moved))
    return Households(
        _without_row(found), {household: (one, other) for one, other, household in names.values()}
    )


MAKERS: Final[Mapping[str, Callable[[pl.DataFrame, float | None, int], Households]]] = {
    "pairs": pairs,
    "shared accounts": shared_accounts,
}
"""The two kinds."""


def _in_order(events: pl.DataFrame) -> pl.DataFrame:
    return (
        events.drop_nulls("user_id")
        .select("user_id", "item_id", "value", "time")
        .with_row_index("row")
    )


def _without_row(ordered: pl.DataFrame) -> pl.DataFrame:
    return ordered.sort("row", maintain_order=True).drop("row")


def _chosen_by_user(events: pl.DataFrame, positive: float | None) -> dict[str, list[str]]:
    liked = events if positive is None else events.filter(pl.col("value") >= positive)
    by_user = liked.group_by("user_id", maintain_order=True).agg(pl.col("item_id").unique())
    return {name: sorted(own) for name, own in sorted(by_user.iter_rows())}


def _match(chosen: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Return pairs of users, the most similar first, no user twice."""
    names = [name for name, own in chosen.items() if len(own) >= FEWEST_ALONE]
    place = {item: n for n, item in enumerate(sorted({i for one in names for i in chosen[one]}))}
    sets = np.zeros((len(names), len(place)), dtype=np.float32)
    for row, name in enumerate(names):
        sets[row, [place[item] for item in chosen[name]]] = 1.0
    common = sets @ sets.T
    sizes = np.sqrt(sets.sum(axis=1))
    alike = np.triu(common / np.outer(sizes, sizes), 1)
    alike[common < 2 * FEWEST_TOGETHER] = 0.0
    rows, columns = np.nonzero(alike)
    free, found = set(range(len(names))), []
    for best in np.argsort(-alike[rows, columns], kind="stable").tolist():
        one, other = int(rows[best]), int(columns[best])
        if {one, other} <= free:
            free -= {one, other}
            found.append((names[one], names[other]))
    return found
