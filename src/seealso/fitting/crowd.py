"""How far neighbours lift what they chose lately: never so far that dev ranks worse for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seealso.evaluation.baselines.profiles import Matrix
from seealso.fitting.bench import Bench
from seealso.training.data.intervals import difference
from seealso.training.data.ranking import USERS_AT_ONCE, Places, Question, gains, ranks_among
from seealso.types import Vector

SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0)
TRIED: Final[Mapping[str, Sequence[int]]] = {
    "neighbours": (50, 20, 100, 200),
    "latest": (20, 10, 50, 5),
}
"""Values of each number; the search begins with the first ones."""

SEED: Final = 17

POOL: Final = 20_000
"""Most users who are looked through for neighbours; a real index holds all of them."""

Steps = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class ChosenCrowd:
    """What dev chose.

    Attributes
    ----------
    settings
        Of ``[crowd]``: ``share``, ``neighbours`` and ``latest``.
    without, reached
        NDCG@10 on dev without the crowd, and with it as chosen.
    lifts
        What it adds to w * cos, shape (users, n); None where it adds nothing.
    notes
        What a person should know.
    """

    settings: Mapping[str, Any]
    without: float
    reached: float
    lifts: Matrix | None
    notes: tuple[str, ...] = ()

    def over(self, base: Matrix | None) -> Matrix | None:
        """Return what lifts items on top of what did before."""
        if base is None or self.lifts is None:
            return self.lifts if base is None else base
        return base + self.lifts


@dataclass(frozen=True, eq=False)
class Pool:
    """Users among whom neighbours are looked for.

    Attributes
    ----------
    sequences
        Their items, oldest first.
    vectors
        E of each, unit rows, shape (pool, d).
    """

    sequences: Sequence[tuple[int, ...]]
    vectors: Vector


def drawn(sequences: Sequence[tuple[int, ...]], seed: int) -> Sequence[tuple[int, ...]]:
    """Return those that are not empty, at most `POOL` of them, the same ones for one seed."""
    known = [one for one in sequences if one]
    if len(known) <= POOL:
        return known
    chosen = np.random.default_rng(seed).choice(len(known), size=POOL, replace=False)
    return [known[place] for place in sorted(chosen)]


def as_questions(sequences: Sequence[tuple[int, ...]]) -> list[Question]:
    """Return users whose sequence is their history; nothing is asked of them."""
    nothing = np.empty(0, dtype=np.int64)
    return [Question(np.array(one[::-1], dtype=np.int64), 0, nothing) for one in sequences]


def choose_crowd(
    bench: Bench, users: Vector, items: Vector, pool: Pool, base: Matrix | None, tick: Steps
) -> ChosenCrowd:
    """Return the crowd that ranks best on dev; none, unless it ranks better beyond chance.

    A crowd costs a request and lifts what many choose, so a gain that may be chance is not enough.

    Parameters
    ----------
    bench
        Dev users.
    users, items
        E_u and w_i * E_i, shapes (users, d) and (n, d).
    pool
        Who their neighbours may be.
    base
        What else lifts items, shape (users, n).
    tick
        Called after each crowd; there are `crowds`.
    """
    near = nearest(bench.questions, users, pool, max(TRIED["neighbours"]))
    numbers = {name: values[0] for name, values in TRIED.items()}
    share, best = 0.0, np.zeros(len(users))
    alone = best
    for name, values in (("latest", TRIED["latest"][:1]), *((n, TRIED[n][1:]) for n in TRIED)):
        start = dict(numbers)
        for value in values:
            found = votes(bench, near, pool, **{**start, name: value})
            reached = [gains(one) for one in ranks_by_share(bench, users, items, base, found)]
            alone = reached[0]
            place = int(np.argmax([one.mean() for one in reached]))
            if reached[place].mean() > best.mean():
                numbers, share, best = {**start, name: value}, SHARES[place], reached[place]
            tick(1)
    without, reached_best = float(alone.mean()), float(best.mean())
    if not share or difference(best - alone, SEED).low <= 0:
        note = (
            f"the crowd is left out: on dev it gains {reached_best - without:.4f} NDCG@10 at most, "
            "which may be chance"
        )
        return ChosenCrowd({"share": 0.0}, without, without, None, (note,))
    lifts = votes(bench, near, pool, **numbers) * np.float32(share)
    settings = {"share": share, **numbers}
    return ChosenCrowd(settings, without, reached_best, lifts)


def crowds() -> int:
    """Return how many crowds `choose_crowd` tries."""
    return 1 + sum(len(values) - 1 for values in TRIED.values())


@dataclass(frozen=True, eq=False)
class Near:
    """The users of a pool who are most like others, most similar first.

    Attributes
    ----------
    places
        In the pool, shape (users, k).
    similarities
        Cosines, 0 for those who do not count, same shape.
    """

    places: Places
    similarities: Vector


def nearest(asked: Sequence[Question], users: Vector, pool: Pool, most: int) -> Near:
    """Return the nearest of the pool to each user, without the user.

    Parameters
    ----------
    asked, users
        Who, and E_u, shape (users, d).
    pool
        Among whom.
    most
        How many of each.
    """
    longest = max(len(question.history) for question in asked)
    rows_of: dict[tuple[int, ...], list[int]] = {}
    for row, sequence in enumerate(pool.sequences):
        rows_of.setdefault(sequence[-longest:], []).append(row)
    kept = min(most, len(pool.sequences))
    places, similarities = [], []
    for start in range(0, len(asked), USERS_AT_ONCE):
        chunk = asked[start : start + USERS_AT_ONCE]
        cosines = users[start : start + len(chunk)] @ pool.vectors.T
        for row, question in enumerate(chunk):
            # the pool names nobody; a sequence that equals the history could add nothing anyhow
            cosines[row, rows_of.get(tuple(question.history[::-1].tolist()), [])] = 0.0
        found = np.argsort(-cosines, axis=1, kind="stable")[:, :kept]
        places.append(found)
        similarities.append(np.maximum(np.take_along_axis(cosines, found, axis=1), 0.0))
    return Near(np.concatenate(places), np.concatenate(similarities))


def votes(bench: Bench, near: Near, pool: Pool, *, neighbours: int, latest: int) -> Matrix:
    """Return crowd_i of each user and item, shape (users, n), as `seealso.plugin.crowd` votes.

    Parameters
    ----------
    bench
        Dev users; what they have seen gets no vote.
    near, pool
        Their neighbours.
    neighbours
        How many are asked.
    latest
        Newest items of each that count.
    """
    n = len(bench.texts)
    places, similarities = near.places[:, :neighbours], near.similarities[:, :neighbours]
    starts, columns, weights = [0], [], []
    for row, question in enumerate(bench.questions):
        total = similarities[row].sum()
        own = [np.unique(pool.sequences[place][-latest:]) for place in places[row]]
        cast = np.repeat(similarities[row], [len(one) for one in own])
        sums = np.bincount(np.concatenate(own), weights=cast, minlength=n)
        sums[question.seen] = 0.0
        chosen = np.flatnonzero(sums)
        starts.append(starts[-1] + len(chosen))
        columns.append(chosen)
        weights.append(sums[chosen] / total if total else sums[chosen])
    shape = (len(bench.questions), n)
    data = np.concatenate(weights).astype(np.float32)
    return Matrix((data, np.concatenate(columns), starts), shape=shape)


def ranks_by_share(
    bench: Bench, users: Vector, items: Vector, base: Matrix | None, found: Matrix
) -> list[Places]:
    """Return the ranks of the targets for each of `SHARES` times the votes."""
    ranks: list[list[Places]] = [[] for _ in SHARES]
    for start in range(0, len(users), USERS_AT_ONCE):
        rows = slice(start, start + USERS_AT_ONCE)
        scores = users[rows] @ items.T
        if base is not None:
            scores += base[rows].toarray()
        more, asked = found[rows].toarray(), bench.questions[rows]
        for share, own in zip(SHARES, ranks, strict=True):
            own.append(ranks_among(scores + np.float32(share) * more, asked))
    return [np.concatenate(own) for own in ranks]
