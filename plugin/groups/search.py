"""The one search of a group: candidates of every member, each hit scored for all. Pure functions.

A named query tells its score with each hit (`include_named_queries_score`): the members' vectors
travel once, and so does each candidate.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from itertools import zip_longest
from typing import Final

import orjson

from seealso.plugin.groups.members import Group
from seealso.plugin.groups.options import GroupCriteria
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.searches import (
    MOST_HITS,
    Search,
    common,
    importance_search,
    tail_search,
    vector_search,
)
from seealso.plugin.rules.taxonomy import Clause
from seealso.types import Calibration, Path, Space, Vector

TAIL: Final = "tail"
"""Names the tail list among the named queries; members are called by their number."""

FAINT: Final = 1e-3
"""Boost of the tail list: below every member's own, in the order of BM25."""

LIFT: Final = 10.0
"""Boost of items that a history lifts: none of them is lost where hits are cut off."""

EXCLUSIONS: Final = 50_000
"""Most ids that are left out within the members' own searches, over all of them."""

SCORES: Final = {"include_named_queries_score": "true"}
"""Query parameters of a group's search."""


def group_search(
    group: Group,
    criteria: GroupCriteria,
    path: Path,
    space: Space,
    calibration: Calibration,
    *,
    scripts: bool = True,
) -> Search:
    """Return the search of a group; send it with `SCORES`.

    Where the cluster runs no scripts, each hit brings its vector, to be scored here.

    Parameters
    ----------
    group
        Who counts.
    criteria, path, space, calibration
        How to rank.
    """
    vectors = [one.vector for one in group.profiles if one.vector is not None]
    excluded = sorted(group.excluded)
    if not vectors:
        return importance_search(excluded, criteria.list)
    scoring = Path.REFERENCE if path is Path.REFERENCE else Path.EXACT
    bare = replace(criteria.list, filters=())
    alone = _query_maker(replace(bare, size=1), scoring, space, calibration)
    scores = [alone(one, ()) for one in vectors]
    each = criteria.each(len(vectors))
    if path is Path.ANN:
        nearest = _query_maker(replace(criteria.list, size=each), path, space, calibration)
        within = _within(group.profiles, group.excluded)
        offered = [nearest(one, out) for one, out in zip(vectors, within, strict=True)]
        offered += _tail(group, criteria.list, space)
    else:
        offered = [{"dis_max": {"queries": scores, "tie_breaker": 1 / len(scores)}}]
    lifted = _lifted(group, each)
    if lifted:
        offered.append({"ids": {"values": lifted, "boost": LIFT}})
    params = {
        **common(criteria.list, excluded),
        "size": min(MOST_HITS, len(vectors) * each + len(lifted) + criteria.list.size),
        "candidates": offered,
        "members": [_named(query, str(number)) for number, query in enumerate(scores)],
    }
    if not scripts:
        params |= {"members": [], "source": [*params.get("source", ("*",)), "vector"]}
    return Search("group", params)


def joined_words(profiles: Sequence[Profile], limit: int) -> str:
    """Return at most `limit` different words: each member's first one, then the next ones."""
    rounds = zip_longest(*(one.words.split() for one in profiles))
    words = dict.fromkeys(word for one in rounds for word in one if word is not None)
    return " ".join(list(words)[:limit])


def _query_maker(
    criteria: Criteria, path: Path, space: Space, calibration: Calibration
) -> Callable[[Vector, Sequence[str]], Clause]:
    """Return what makes the query of the vector list of a vector, without some items."""

    def made(vector: Vector, left_out: Sequence[str]) -> Clause:
        return _query(
            vector_search(
                vector, left_out, criteria, path=path, space=space, calibration=calibration
            )
        )

    return made


def _query(search: Search) -> Clause:
    query: Clause = orjson.loads(search.body())["query"]
    return query


def _within(profiles: Sequence[Profile], excluded: Set[str]) -> list[list[str]]:
    """Return what each member's own search leaves out; of many, what that member has seen."""
    if len(profiles) * len(excluded) <= EXCLUSIONS:
        return [sorted(excluded)] * len(profiles)
    return [sorted(excluded & one.seen) for one in profiles]


def _lifted(group: Group, each: int) -> list[str]:
    """Return the items that the members' histories lift most."""
    most = [sorted(one.pairs, key=lambda i: -one.pairs[i])[:each] for one in group.profiles]
    return sorted({item_id for own in most for item_id in own} - group.excluded)


def _tail(group: Group, criteria: Criteria, space: Space) -> list[Clause]:
    words = joined_words(group.profiles, criteria.words)
    if criteria.tail_share == 0 or not words:
        return []
    query = _query(tail_search(Profile(None, words, group.excluded), criteria, space))
    return [{"bool": {**query["bool"], "boost": FAINT, "_name": TAIL}}]


def _named(query: Clause, name: str) -> Clause:
    ((kind, content),) = query.items()
    return {kind: {**content, "_name": name}}
