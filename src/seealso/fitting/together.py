"""How much items may be lifted that are chosen around those of a history: chosen on dev."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from seealso.encoder import Together
from seealso.evaluation.baselines.profiles import Matrix
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.pairs import Pairing, pairs
from seealso.training.data.material import Material
from seealso.types import Vector

SHARES: Final = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
TRIED: Final[Mapping[str, Sequence[float]]] = {
    "recency": (0.8, 0.9, 0.6, 0.4),
    "distance": (0.9, 0.8, 1.0),
    "backward": (0.5, 0.25, 1.0),
    "shrink": (10.0, 3.0, 30.0),
}
"""Values of each number; the search begins with the first ones."""

Steps = Callable[[int], None]


def lifts(bench: Bench, together: Together | None) -> Matrix | None:
    """Return what the histories of the bench add to each item, shape (users, n)."""
    if together is None:
        return None
    found = [together.lifted(list(one.history), range(len(one.history))) for one in bench.questions]
    starts = np.concatenate([[0], np.cumsum([len(places) for places, _ in found])])
    places = np.concatenate([places for places, _ in found])
    added = np.concatenate([added for _, added in found])
    return Matrix((added, places, starts), shape=(len(found), len(bench.texts)))


def pair(
    bench: Bench, users: Vector, items: Vector, material: Material, tick: Steps
) -> tuple[Pairing | None, float]:
    """Choose what pairs weigh; None where they lift nothing that dev users chose.

    One number after the other takes the value that does best with those chosen so far; with each
    of them every share is tried.

    Parameters
    ----------
    bench
        Dev users.
    users, items
        E_u, unit rows, and E_i, shapes (users, d) and (n, d).
    material
        Its sequences give the pairs.
    tick
        Called after each pairing; there are `pairings`.

    Returns
    -------
    tuple
        What was chosen, and the NDCG@10 that it reaches on dev.
    """
    first = {name: values[0] for name, values in TRIED.items()}
    best, reached = Pairing(**first, share=0.0), -1.0
    for name, values in (("share", (0.0,)), *((name, TRIED[name][1:]) for name in TRIED)):
        start = best
        for value in values:
            changed: dict[str, Any] = {name: value}
            one = replace(start, **changed)
            together = pairs(material.sequences, len(items), replace(one, share=1.0))
            found = bench.ranks_by_share(users, items, lifts(bench, together), SHARES)
            for share, ranks in zip(SHARES, found, strict=True):
                if (gain := ndcg(ranks)) > reached:
                    best, reached = replace(one, share=share), gain
            tick(1)
    return (best if best.share > 0 else None), reached


def pairings() -> int:
    """Return how many pairings `pair` tries."""
    return 1 + sum(len(values) - 1 for values in TRIED.values())
