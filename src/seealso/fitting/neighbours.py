"""How much neighbours boost what they chose lately: never so much that dev ranks worse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from seealso.datasets.intervals import Values, estimate
from seealso.datasets.questions import Places, Question, sample
from seealso.datasets.ranks import gains, score_in_chunks
from seealso.evaluation.choosing import search_coordinates
from seealso.fitting.bench import Bench
from seealso.log import Tick
from seealso.models.histories import Matrix
from seealso.models.user_knn import vote
from seealso.types import Vector

SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0)
NEIGHBOUR_GRID: Final[Mapping[str, Sequence[int]]] = {
    "k": (50, 20, 100, 200),
    "latest": (20, 10, 50, 5),
}
"""Values of each number; the search begins with the first ones."""

SEED: Final = 17

MOST_POOLED: Final = 20_000
"""Most users who are looked through for neighbours; a real index holds all of them."""


@dataclass(frozen=True, eq=False)
class ChosenNeighbours:
    """What was chosen on dev.

    Attributes
    ----------
    settings
        Of ``[neighbours]``: ``share``, ``k`` and ``latest``.
    without, reached
        NDCG@10 on dev without neighbours, and with it as chosen.
    boosts
        What it adds to w * cos, shape (users, n); None where it adds nothing.
    notes
        What a person should know.
    """

    settings: Mapping[str, Any]
    without: float
    reached: float
    boosts: Matrix | None
    notes: tuple[str, ...] = ()

    def over(self, base: Matrix) -> Matrix:
        """Return these boosts added to those of before."""
        return base if self.boosts is None else base + self.boosts


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


def draw_pool(sequences: Sequence[tuple[int, ...]], seed: int) -> Sequence[tuple[int, ...]]:
    """Draw at most `MOST_POOLED` of those that are not empty, the same ones for one seed."""
    return sample([one for one in sequences if one], MOST_POOLED, seed)


def as_questions(sequences: Sequence[tuple[int, ...]]) -> list[Question]:
    """Return users whose sequence is their history, without questions."""
    nothing = np.empty(0, dtype=np.int64)
    return [Question(np.array(one[::-1], dtype=np.int64), 0, nothing) for one in sequences]


def choose_neighbours(
    bench: Bench, users: Vector, items: Vector, pool: Pool, base: Matrix, tick: Tick
) -> ChosenNeighbours:
    """Return the boost by neighbours that ranks best on dev; none, unless it is beyond chance.

    Neighbours cost a request and boost what many choose: a gain that may be chance is not enough.

    Parameters
    ----------
    bench
        Dev users.
    users, items
        E_u and w_i * E_i, shapes (users, d) and (n, d).
    pool
        Who their neighbours may be.
    base
        What else boosts items, shape (users, n).
    tick
        Called after each attempt of `NEIGHBOUR_GRID`.
    """
    near = find_nearest(bench.questions, users, pool, max(NEIGHBOUR_GRID["k"]))

    def attempt(numbers: Mapping[str, int]) -> _Tried:
        found = collect_votes(bench, near, pool, **numbers)
        reached = [gains(one) for one in bench.ranks_by_share(users, items, found, SHARES, base)]
        best = int(np.argmax([one.mean() for one in reached]))
        return _Tried(numbers, SHARES[best], reached[best], reached[0])

    best = search_coordinates(NEIGHBOUR_GRID, attempt, tick)
    without = float(best.alone.mean())
    if not best.share or estimate(best.reached - best.alone, SEED).low <= 0:
        note = (
            f"neighbours are left out: on dev they gain {best.ndcg - without:.4f} NDCG@10 at most, "
            "which may be chance"
        )
        return ChosenNeighbours({"share": 0.0}, without, without, None, (note,))
    boosts = collect_votes(bench, near, pool, **best.numbers) * np.float32(best.share)
    settings = {"share": best.share, **best.numbers}
    return ChosenNeighbours(settings, without, best.ndcg, boosts)


@dataclass(frozen=True, eq=False)
class _Tried:
    """Numbers that were tried with their best share, and each user's NDCG@10 with and without."""

    numbers: Mapping[str, int]
    share: float
    reached: Values
    alone: Values

    @property
    def ndcg(self) -> float:
        """NDCG@10 on dev."""
        return float(self.reached.mean())


@dataclass(frozen=True, eq=False)
class NearestUsers:
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


def find_nearest(
    questions: Sequence[Question], users: Vector, pool: Pool, most: int
) -> NearestUsers:
    """Return the nearest of the pool to each user, without the user.

    Parameters
    ----------
    questions, users
        Who, and E_u, shape (users, d).
    pool
        Among whom.
    most
        How many of each.
    """
    longest = max(len(question.history) for question in questions)
    rows_of: dict[tuple[int, ...], list[int]] = {}
    for row, sequence in enumerate(pool.sequences):
        rows_of.setdefault(sequence[-longest:], []).append(row)
    kept = min(most, len(pool.sequences))
    places, similarities = [], []
    for _, chunk, cosines in score_in_chunks(questions, lambda rows: users[rows] @ pool.vectors.T):
        for row, question in enumerate(chunk):
            # the pool names nobody; a sequence that equals the history could add nothing anyhow
            cosines[row, rows_of.get(tuple(question.history[::-1].tolist()), [])] = 0.0
        found = np.argsort(-cosines, axis=1, kind="stable")[:, :kept]
        places.append(found)
        similarities.append(np.maximum(np.take_along_axis(cosines, found, axis=1), 0.0))
    return NearestUsers(np.concatenate(places), np.concatenate(similarities))


class _Voter(NamedTuple):
    """A neighbour, as `vote` takes them."""

    similarity: float
    latest: Sequence[int]


def collect_votes(bench: Bench, near: NearestUsers, pool: Pool, *, k: int, latest: int) -> Matrix:
    """Return the `vote` of each user's neighbours, shape (users, n).

    Parameters
    ----------
    bench
        Dev users; what they have seen gets no vote.
    near, pool
        Their neighbours.
    k
        How many there are.
    latest
        Newest items of each that count.
    """
    newest = [one[: -latest - 1 : -1] for one in pool.sequences]
    starts: list[int] = [0]
    columns: list[int] = []
    weights: list[float] = []
    for row, question in enumerate(bench.questions):
        nearest = zip(near.similarities[row, :k].tolist(), near.places[row, :k], strict=True)
        voters = [_Voter(similarity, newest[place]) for similarity, place in nearest]
        votes = vote(voters, frozenset(question.seen.tolist()), latest)
        starts.append(starts[-1] + len(votes))
        columns += votes.keys()
        weights += votes.values()
    shape = (len(bench.questions), len(bench.texts))
    values = np.array(weights, dtype=np.float32)
    found = Matrix((values, np.array(columns, dtype=np.int64), starts), shape=shape)
    found.sort_indices()
    return found
