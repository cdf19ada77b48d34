"""What a group's search found becomes one list."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from seealso.plugin.groups.lists import GroupList, GroupRecommendation
from seealso.plugin.groups.members import Group
from seealso.plugin.groups.options import GroupCriteria
from seealso.plugin.groups.search import TAIL
from seealso.plugin.groups.strategies import Matrix, average, strategies
from seealso.plugin.ranking.answers import Hit, importance_items, is_tail, raw_of, recommendation
from seealso.plugin.recommendations import Recommendation, RecommendationList
from seealso.plugin.reranking.filling import fuse
from seealso.types import Calibration, Path, Source

Wishes: TypeAlias = npt.NDArray[np.float64]


def group_items(
    hits: Sequence[Hit], group: Group, criteria: GroupCriteria, path: Path, calibration: Calibration
) -> list[GroupRecommendation]:
    """Return a group's list from the hits of its search."""
    size = criteria.list.size
    if not group.profiles:
        return [GroupRecommendation(one, None) for one in importance_items(hits)]
    wishes = probabilities(hits, group, path, calibration)
    tail = [_item(hit, wishes.get(hit["_id"]), Source.TAIL) for hit in _by_words(hits)]
    chosen = fuse(
        _ordered(hits, wishes, criteria), tail, size=size, tail_share=criteria.list.tail_share
    )
    return [
        GroupRecommendation(one, None if (p := wishes.get(one.item_id)) is None else tuple(p))
        for one in chosen
    ]


def of_one(found: RecommendationList, name: str, criteria: GroupCriteria) -> GroupList:
    """Return the list of one user, whom the group calls `name`, as that of a group of one."""
    return GroupList(
        tuple(
            GroupRecommendation(one, None if one.probability is None else (one.probability,))
            for one in found
        ),
        (name,),
        criteria.groups.strategy,
        found.path,
        found.index,
        found.fingerprint,
        found.note,
        found.latency_ms,
    )


def probabilities(
    hits: Sequence[Hit], group: Group, path: Path, calibration: Calibration
) -> dict[str, Wishes]:
    """Return each member's probability of each hit that has a vector, shape (members,).

    What a member's history is chosen around lifts it, as in a list of their own.
    """
    scored = {
        hit["_id"]: values for hit in hits if (values := _values(hit, group, path, calibration))
    }
    raw = [
        [
            value + one.pairs.get(item_id, 0.0)
            for value, one in zip(values, group.profiles, strict=True)
        ]
        for item_id, values in scored.items()
    ]
    return dict(zip(scored, calibration.probability(raw), strict=True))


def _values(hit: Hit, group: Group, path: Path, calibration: Calibration) -> list[float]:
    """Return w * similarity of a hit for each member; nothing for one without a vector."""
    scores = hit.get("matched_queries") or {}
    if "0" in scores:
        names = map(str, range(len(group.profiles)))
        return [raw_of(scores[name], path, calibration) for name in names]
    # no script could score it: it brought its vector, which has the importance in it
    stored = hit["_source"].get("vector")
    if stored is None:
        return []
    return [float(np.dot(stored, one.vector)) for one in group.profiles if one.vector is not None]


def _by_words(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits of the tail list, in its order."""
    named = [hit for hit in hits if TAIL in (hit.get("matched_queries") or ())]
    return sorted(named, key=lambda hit: -hit["matched_queries"][TAIL])


def _ordered(
    hits: Sequence[Hit], wishes: Mapping[str, Wishes], criteria: GroupCriteria
) -> list[Recommendation]:
    """Return the hits as the strategy ranks them; behind its list, those of the long tail."""
    found = [
        hit for hit in hits
        if hit["_id"] in wishes and wishes[hit["_id"]].mean() >= criteria.list.min_probability
    ]  # fmt: skip
    if not found:
        return []
    # the order of the hits, which decides between equals, would change with that of the members
    found.sort(key=lambda hit: str(hit["_id"]))
    matrix: Matrix = np.stack([wishes[hit["_id"]] for hit in found], axis=1)
    first = strategies(criteria.groups.fairness)[criteria.groups.strategy](
        matrix, criteria.list.size
    )
    # the tail's share may need items from further down
    rest = [n for n in average(matrix, matrix.shape[1]).tolist() if is_tail(found[n])]
    return [
        _item(found[place], matrix[:, place], Source.VECTOR)
        for place in dict.fromkeys([*first.tolist(), *rest[: 2 * criteria.list.size]])
    ]


def _item(hit: Hit, wishes: Wishes | None, source: Source) -> Recommendation:
    item = recommendation(hit, None, source, Calibration())
    return item if wishes is None else replace(item, probability=float(np.sort(wishes).mean()))
