"""The one search of a group: candidates of every member, each hit scored for all. Pure functions.

Each hit comes with the score of each named query (`include_named_queries_score`): the members'
vectors travel once, and so does each candidate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import nlargest
from itertools import zip_longest
from typing import Final

import orjson

from seealso.config import GroupSettings
from seealso.plugin.groups.members import Group
from seealso.plugin.groups.options import candidates_each
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.ranking.searches import (
    MOST_HITS,
    Search,
    common_parameters,
    tail_search,
    vector_search,
)
from seealso.plugin.rules.taxonomy import Clause
from seealso.types import Path, Space, Vector

TAIL: Final = "tail"
"""Names the tail list among the named queries; members are called by their number."""

FAINT: Final = 1e-3
"""Boost of the tail list: below every member's own, in the order of BM25."""

FIRST: Final = 10.0
"""Boost of items that a history brings: none of them is lost where hits are cut off."""

EXCLUSIONS: Final = 50_000
"""Most ids that are left out within the members' own searches, over all of them."""


def group_search(
    group: Group, criteria: Criteria, settings: GroupSettings, context: RankingContext
) -> Search:
    """Return the search of a group; send it with `SCORES`.

    Where the cluster runs no scripts, each hit brings its vector, to be scored here.

    Parameters
    ----------
    group
        Those whose preferences count, at least one.
    criteria, settings
        What the list must be, and how it is made.
    context
        How to rank.
    """
    vectors = [one.vector for one in group.profiles if one.vector is not None]
    scores = _scores(vectors, criteria, context)
    each = candidates_each(settings, criteria.size, len(vectors))
    if context.path is Path.ANN:
        offered = [*_nearest(group, vectors, replace(criteria, size=each), context)]
        offered += _tail(group, criteria, context.space)
    else:
        offered = [{"dis_max": {"queries": scores, "tie_breaker": 1 / len(scores)}}]
    boosted = _boosted(group, each)
    if boosted:
        offered.append({"ids": {"values": boosted, "boost": FIRST}})
    params = {
        **common_parameters(criteria, sorted(group.excluded)),
        "size": min(MOST_HITS, len(vectors) * each + len(boosted) + criteria.size),
        "candidates": offered,
        "members": [_named(query, str(number)) for number, query in enumerate(scores)],
    }
    if not context.scripts:
        params |= {"members": [], "source": [*params.get("source", ("*",)), "vector"]}
    return Search("group", params)


def _scores(vectors: Sequence[Vector], criteria: Criteria, context: RankingContext) -> list[Clause]:
    """Return the query that scores any item for each member."""
    path = Path.REFERENCE if context.path is Path.REFERENCE else Path.EXACT
    bare = replace(criteria, filters=(), size=1)
    alone = replace(context, path=path)
    return [_query(vector_search(one, (), bare, alone)) for one in vectors]


def _nearest(
    group: Group, vectors: Sequence[Vector], criteria: Criteria, context: RankingContext
) -> Iterator[Clause]:
    """Yield the query for what each member likes best."""
    everything = sorted(group.excluded)
    # of many items, each member's own search leaves out what that member has seen
    many = len(vectors) * len(everything) > EXCLUSIONS
    for profile, vector in zip(group.profiles, vectors, strict=True):
        out = sorted(group.excluded & profile.seen) if many else everything
        yield _query(vector_search(vector, out, criteria, context))


def mix_words(profiles: Sequence[Profile], limit: int) -> str:
    """Return at most `limit` different words: each member's first one, then the next ones."""
    rounds = zip_longest(*(one.words.split() for one in profiles))
    words = dict.fromkeys(word for one in rounds for word in one if word is not None)
    return " ".join(list(words)[:limit])


def _query(search: Search) -> Clause:
    query: Clause = orjson.loads(search.body())["query"]
    return query


def _boosted(group: Group, each: int) -> list[str]:
    """Return the items that the members' histories boost most."""
    found: set[str] = set()
    for boosts in (one.co_occurrence for one in group.profiles):
        found.update(nlargest(each, boosts, key=boosts.__getitem__))
    return sorted(found - group.excluded)


def _tail(group: Group, criteria: Criteria, space: Space) -> list[Clause]:
    words = mix_words(group.profiles, criteria.words)
    if criteria.tail_share == 0 or not words:
        return []
    # what the group must not get, the search leaves out as a whole
    query = _query(tail_search(words, None, (), replace(criteria, filters=()), space))
    return [{"bool": {**query["bool"], "boost": FAINT, "_name": TAIL}}]


def _named(query: Clause, name: str) -> Clause:
    ((kind, content),) = query.items()
    return {kind: {**content, "_name": name}}
