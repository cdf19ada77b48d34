"""What a user's neighbours chose lately. Pure functions over neighbours."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seealso.config import CrowdSettings
from seealso.plugin.neighbours import Neighbour


@dataclass(frozen=True, slots=True)
class Crowd:
    """What the neighbours of one user make of the items.

    Attributes
    ----------
    gains
        What is added to w * cos of an item; items without any are left out.
    candidates
        Items that come into the list by this alone, the largest gain first.
    """

    gains: Mapping[str, float]
    candidates: tuple[str, ...]


NOBODY: Final = Crowd({}, ())
"""No neighbours, or none that is asked."""


def crowd_of(
    neighbours: Sequence[Neighbour], seen: Collection[str], settings: CrowdSettings
) -> Crowd:
    """Return the crowd of a user.

    Parameters
    ----------
    neighbours
        Most similar users.
    seen
        What the user has met.
    settings
        Share, how much of a history is late, how many candidates.
    """
    chosen = chosen_by(neighbours, seen, settings.latest)
    gains = {item_id: settings.share * part for item_id, part in chosen.items()}
    order = sorted(gains, key=lambda item_id: (-gains[item_id], item_id))
    return Crowd(gains, tuple(order[: settings.candidates]))


def chosen_by(
    neighbours: Sequence[Neighbour], seen: Collection[str], latest: int
) -> dict[str, float]:
    """Return which part of the neighbours chose an item lately, each weighted by similarity.

    crowd_i = sum of s_n over those who chose i / sum of all s_n, in (0, 1], s_n being the
    cosine of both users, or 0 where that is negative: the vote of user-based collaborative
    filtering (Herlocker et al. 1999, "An Algorithmic Framework for Performing Collaborative
    Filtering").

    Parameters
    ----------
    neighbours
        Most similar users.
    seen
        What the user has met; left out.
    latest
        Newest items of each that count.
    """
    votes: defaultdict[str, float] = defaultdict(float)
    total = 0.0
    for one in neighbours:
        if one.similarity > 0:
            total += one.similarity
            for item_id in dict.fromkeys(one.latest[:latest]):
                votes[item_id] += one.similarity
    return {item_id: vote / total for item_id, vote in votes.items() if item_id not in seen}
