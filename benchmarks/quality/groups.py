"""Measures strategies for groups on real data: who is served how well by each.

Everything is fitted and chosen on what happened before the questions; test is asked once. Lists are
computed from the vectors of an index that knows no answers, and a sample of groups asks the index
itself: both must agree.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.node import running_node
from benchmarks.quality.evaluating import FROZEN, export_frozen
from benchmarks.quality.parties import (
    DEPTH,
    KINDS,
    SIZES,
    Floats,
    Member,
    Party,
    cut,
    members,
    parties,
    worth,
)
from seealso.cli.context import plain
from seealso.cluster import Cluster, scan
from seealso.config import Settings
from seealso.errors import DataError
from seealso.fitting.fit import fit
from seealso.indexer.build import build
from seealso.indexer.inputs import Inputs, inputs
from seealso.log import progress
from seealso.models.group_strategies import Strategy, average, fair, looked_at, strategies
from seealso.plugin import Recommender
from seealso.readers import Problems
from seealso.types import Calibration, HistoryEntry, User, Vector

FAIRNESS: Final = (0.5, 1.0, 2.0, 4.0)
"""What dev chooses from."""

MOST_LOST: Final = 0.06
"""Share of the average strategy's mean NDCG that fairness may cost."""

RESAMPLES: Final = 2_000

CHECKED: Final = 10
"""Groups of each size that ask the index itself."""

SUFFIX: Final = "-groups"

Worths = Sequence[Floats]
"""What a strategy's list is worth to each member, of every group."""

Of = Callable[[Floats], Any]
"""The mean or the least over the members."""


@dataclass(frozen=True)
class Wishes:
    """What everyone who is asked about wishes of every item.

    Attributes
    ----------
    ids
        The n items.
    x, lifts
        w * similarity, and what lifts it, of each member, by id of the user, shape (n,).
    calibration
        Makes probabilities of it.
    """

    ids: Sequence[str]
    x: Mapping[str, Vector]
    boosts: Mapping[str, Vector]
    calibration: Calibration

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Row of each item."""
        return {item_id: row for row, item_id in enumerate(self.ids)}

    def of(self, party: Party, strategy: str) -> tuple[list[str], Floats]:
        """Return the candidates of a group, by id, and their probabilities for each member.

        As the group's search has them: what is nearest to each member, and what is lifted most.
        """
        each = looked_at(strategy)
        seen = frozenset().union(*(one.seen for one in party.members))
        left_out = [self.place[item_id] for item_id in seen if item_id in self.place]
        x = np.stack([self.x[one.user_id] for one in party.members])
        x[:, left_out] = -np.inf
        boosts = np.stack([self.boosts[one.user_id] for one in party.members])
        nearest, lifted = (np.argpartition(one, -each, axis=1)[:, -each:] for one in (x, boosts))
        brought = lifted[np.take_along_axis(boosts, lifted, axis=1) > 0]
        best = {*nearest.ravel().tolist(), *brought.tolist()} - set(left_out)
        chosen = sorted(best, key=lambda row: self.ids[row])
        wished = self.calibration.probability((x + boosts)[:, chosen])
        return [self.ids[row] for row in chosen], wished


def measure(settings: Settings, prefix: str) -> dict[str, Any]:
    """Return what dev chose and what every strategy reached on test.

    Parameters
    ----------
    settings
        Of the data set; ``training.backbone`` is the frozen model, ``events.positive`` is needed.
    prefix
        Put before every text that the frozen model reads.
    """
    if settings.events.positive is None:
        raise DataError("events.positive says which events are choices", hint="set it")
    export_frozen(settings, prefix)
    read = inputs(settings, None, Problems("skip"))
    events = cut(pl.concat(read.events()), settings.events.positive)
    known = events.filter(part="train").sort("row").drop("row", "choice", "met", "all", "part")
    fitted = fit(_with(settings, FROZEN), read.items, lambda: [known])
    own = _with(settings, fitted.bundle)
    seed = settings.training.seed
    drawn = {asked: parties(members(events, asked), seed) for asked in ("dev", "test")}
    with (
        running_node("2g") as (cluster, node),
        _built(cluster, own, replace(read, events=lambda: [known])),
    ):
        recommender = Recommender(cluster, own)
        dev, test = (wishes(cluster, recommender, drawn[asked]) for asked in ("dev", "test"))
        found = answers(dev, test, drawn, seed)
        checked = agreement(recommender, test, drawn["test"])
    return {
        "fit": plain(fitted),
        "opensearch": node.opensearch,
        "people": len(members(events, "test")),
        **found,
        **checked,
    }


def answers(
    dev: Wishes, test: Wishes, drawn: Mapping[str, Sequence[Party]], seed: int
) -> dict[str, Any]:
    """Choose fairness on dev, and return what every strategy is worth on test."""
    tried = _tried(dev, drawn["dev"])
    chosen = _best(tried)
    found = _worths(test, drawn["test"], strategies(chosen))
    return {
        "groups": {asked: len(asking) for asked, asking in drawn.items()},
        "dev": tried,
        "fairness": chosen,
        "test": {
            name: told(own, found["average"], drawn["test"], seed) for name, own in found.items()
        },
    }


def wishes(cluster: Cluster, recommender: Recommender, drawn: Sequence[Party]) -> Wishes:
    """Return what the members of all groups wish, by the vectors that the index holds."""
    live = recommender.live
    hits = [hit for batch in scan(cluster, live.name, source=["vector"]) for hit in batch]
    held = [hit for hit in hits if "vector" in hit["_source"]]
    ids = [hit["_id"] for hit in held]
    place = {item_id: row for row, item_id in enumerate(ids)}
    vectors = np.array([hit["_source"]["vector"] for hit in held], dtype=np.float32)
    people = list({one.user_id: one for party in drawn for one in party.members}.values())
    similar: dict[str, Vector] = {}
    boosts: dict[str, Vector] = {}
    for one, profile in zip(people, recommender.profiles(list(map(user, people))), strict=True):
        assert profile.vector is not None
        added = np.zeros(len(ids), dtype=np.float32)
        for item_id, lift in profile.co_occurrence.items():
            if item_id in place:
                added[place[item_id]] = lift
        similar[one.user_id], boosts[one.user_id] = vectors @ profile.vector, added
    return Wishes(ids, similar, boosts, live.calibration)


def user(member: Member) -> User:
    """Return a member as the product knows them."""
    return User(member.user_id, tuple(map(HistoryEntry, member.history)), member.seen)


def agreement(recommender: Recommender, held: Wishes, drawn: Sequence[Party]) -> dict[str, Any]:
    """Ask the index for some groups: how many lists are the computed ones, and how long it took."""
    took: dict[int, list[float]] = {size: [] for size in SIZES}
    same = asked = 0
    with progress("asking the index", CHECKED * len(SIZES)) as tick:
        for party in drawn[:: max(1, len(drawn) // (CHECKED * len(SIZES)))]:
            found = recommender.recommend_group(
                list(map(user, party.members)), strategy="average", fields=()
            )
            ids, matrix = held.of(party, "average")
            same += found.ids == [ids[place] for place in average(matrix, DEPTH)]
            asked += 1
            took[len(party.members)].append(found.latency_ms["total"])
            tick(1)
    times = {str(size): round(median(ms), 1) for size, ms in took.items() if ms}
    return {"agreement": {"asked": asked, "same": same}, "ms": times}


def _with(settings: Settings, bundle: str) -> Settings:
    encoder = settings.encoder.model_copy(update={"bundle": bundle})
    name = settings.fit_name + SUFFIX
    return settings.model_copy(
        update={
            "encoder": encoder,
            "fit": settings.fit.model_copy(update={"name": name}),
            "index": settings.index.model_copy(update={"alias": name}),
            # what the tail is guaranteed is nothing that strategies differ in
            "recommend": settings.recommend.model_copy(update={"tail_share": 0.0}),
        }
    )


@contextmanager
def _built(cluster: Cluster, settings: Settings, read: Inputs) -> Iterator[None]:
    report = build(cluster, settings, read)
    try:
        yield
    finally:
        cluster.request("DELETE", f"/{report.index}")


def _worths(
    held: Wishes, drawn: Sequence[Party], ways: Mapping[str, Strategy]
) -> dict[str, list[Floats]]:
    found: dict[str, list[Floats]] = {name: [] for name in ways}
    for party in drawn:
        for name, rank in ways.items():
            ids, matrix = held.of(party, name)
            shown = [ids[place] for place in rank(matrix, DEPTH)]
            found[name].append(worth(shown, party))
    return found


def _tried(held: Wishes, drawn: Sequence[Party]) -> list[dict[str, float]]:
    ways = {f"{one:g}": fair(one) for one in FAIRNESS}
    found = _worths(held, drawn, {"average": average, **ways})
    rows = []
    for name in ways:
        mean, least = (_ratio(found[name], found["average"], of) for of in (np.mean, np.min))
        rows.append({"fairness": float(name), "mean ratio": mean, "least ratio": least})
    return rows


def _best(tried: Sequence[Mapping[str, float]]) -> float:
    """Return the fairness with the best served worst-off that costs no more than it may."""
    allowed = [one for one in tried if one["mean ratio"] >= 1 - MOST_LOST] or tried
    return max(allowed, key=lambda one: one["least ratio"])["fairness"]


def told(found: Worths, other: Worths, drawn: Sequence[Party], seed: int) -> dict[str, Any]:
    """Return what a strategy is worth to members on the mean, and to the worst-off of a group.

    Parameters
    ----------
    found, other
        Worths of its lists and of those of the average strategy.
    drawn
        The groups.
    seed
        Draws the resamples.
    """
    kinds = {}
    for kind in ("all", *KINDS):
        rows = [n for n, one in enumerate(drawn) if kind in ("all", one.kind) and len(found[n])]
        own, base = [found[n] for n in rows], [other[n] for n in rows]
        kinds[kind] = {
            "mean": float(np.mean([one.mean() for one in own])),
            "least": float(np.mean([one.min() for one in own])),
            "mean ratio": ratio_with_interval(own, base, np.mean, seed),
            "least ratio": ratio_with_interval(own, base, np.min, seed),
        }
    return kinds


def _ratio(own: Worths, other: Worths, of: Of) -> float:
    return float(_each(own, of).mean() / _each(other, of).mean())


def _each(found: Worths, of: Of) -> Floats:
    return np.array([of(one) for one in found if len(one)])


def ratio_with_interval(own: Worths, other: Worths, of: Of, seed: int) -> dict[str, float]:
    """Return the ratio of two means over groups with its 95 % bootstrap interval, paired."""
    mine, theirs = _each(own, of), _each(other, of)
    rng = np.random.default_rng(seed)
    rows: npt.NDArray[np.int64] = rng.integers(len(mine), size=(RESAMPLES, len(mine)))
    drawn = mine[rows].mean(axis=1) / np.maximum(theirs[rows].mean(axis=1), 1e-12)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return {"ratio": float(mine.mean() / theirs.mean()), "low": float(low), "high": float(high)}
