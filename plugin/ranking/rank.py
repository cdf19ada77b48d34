"""Ranks: builds the searches of some lists, sends them together, merges what they found, reranks.

Pure functions around one send; the same for users, items and groups.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from seealso.plugin.ranking.answers import missing_part
from seealso.plugin.ranking.context import RankingContext
from seealso.plugin.ranking.plans import Purpose, SubQuery
from seealso.plugin.ranking.requests import RankedRequest, Response
from seealso.plugin.ranking.searches import Search
from seealso.plugin.recommendations import join_notes
from seealso.plugin.reranking.components import rerank
from seealso.plugin.reranking.draft import Candidate, Draft, Pool

Send: TypeAlias = Callable[[Sequence[Search]], Sequence[Response]]
"""Sends searches, and returns the response to each."""


@dataclass(frozen=True, slots=True)
class RankedItems:
    """What became of one request.

    Attributes
    ----------
    items
        The list, best first.
    note
        What a person should know of it, for instance that a part is missing.
    """

    items: tuple[Candidate, ...]
    note: str


@dataclass(frozen=True, slots=True)
class BuiltQuery:
    """A sub-query and its searches."""

    query: SubQuery
    searches: tuple[Search, ...]


@dataclass(frozen=True, slots=True)
class AnsweredQuery:
    """A sub-query and the responses to its searches."""

    query: SubQuery
    responses: tuple[Response, ...]


def rank(
    requests: Sequence[RankedRequest], context: RankingContext, send: Send, now: datetime
) -> list[RankedItems]:
    """Return a list for each request, asked for together.

    Parameters
    ----------
    requests
        What is wanted.
    context
        How to rank.
    send
        Sends all searches of all requests.
    now
        The time that freshness counts from.

    Raises
    ------
    ClusterError
        A search failed.
    """
    built = [build(request, context) for request in requests]
    responses = iter(send([one for own in built for query in own for one in query.searches]))
    return [
        finish(request, [answer(query, responses) for query in own], context, now)
        for request, own in zip(requests, built, strict=True)
    ]


def build(request: RankedRequest, context: RankingContext) -> list[BuiltQuery]:
    """Return the sub-queries of a request, with their searches."""
    return [
        BuiltQuery(one, tuple(request.searches(one.criteria, context)))
        for one in request.plan.sub_queries()
    ]


def answer(built: BuiltQuery, responses: Iterator[Response]) -> AnsweredQuery:
    """Return a sub-query with its responses, which are the next ones."""
    return AnsweredQuery(built.query, tuple(next(responses) for _ in built.searches))


def merge(
    request: RankedRequest, answered: Sequence[AnsweredQuery], context: RankingContext
) -> Draft:
    """Return the candidates that the sub-queries of a request found, boosted, in no order yet."""
    plan = request.plan
    draft = Draft(
        plan.criteria.size,
        plan.depth,
        request.order,
        reserves=tuple(Pool() for _ in plan.segments),
    )
    tail: list[Candidate] = []
    buried: list[Candidate] = []
    for one in answered:
        ranked, by_words = request.read(one.responses, one.query.criteria, context)
        boosted = [candidate.boost(one.query.tier.boost) for candidate in ranked]
        draft = _add(draft, one.query, boosted)
        (buried if one.query.tier.last else tail).extend(by_words)
    # each tier brings its own; the score of BM25 is the same in all
    for some in (tail, buried):
        some.sort(key=lambda candidate: candidate.item.score, reverse=True)
    return replace(draft, tail=(*tail, *buried))


def finish(
    request: RankedRequest,
    answered: Sequence[AnsweredQuery],
    context: RankingContext,
    now: datetime,
) -> RankedItems:
    """Return the list that the answers to a request make."""
    plan = request.plan
    components = list(plan.rerankers(now, known=request.known))
    items, lacking = rerank(merge(request, answered, context), components)
    missing = missing_part([response for one in answered for response in one.responses])
    shown = tuple(_only_fields(one, plan.criteria.fields) for one in items)
    return RankedItems(shown, join_notes(missing, lacking))


def _add(draft: Draft, query: SubQuery, found: Sequence[Candidate]) -> Draft:
    """Return a draft with the candidates of a sub-query where they belong."""
    more = Pool(back=tuple(found)) if query.tier.last else Pool(front=tuple(found))
    if query.purpose is Purpose.RANKED:
        return replace(draft, ranked=draft.ranked.join(more))
    if query.purpose is Purpose.PINS:
        return replace(draft, pinnable=draft.pinnable.join(more))
    reserves = list(draft.reserves)
    reserves[query.share] = reserves[query.share].join(more)
    return replace(draft, reserves=tuple(reserves))


def _only_fields(candidate: Candidate, wanted: tuple[str, ...] | None) -> Candidate:
    """Return a candidate with the fields that the caller wants alone."""
    if wanted is None:
        return candidate
    fields = {name: value for name, value in candidate.fields.items() if name in wanted}
    return replace(candidate, item=replace(candidate.item, fields=fields))
