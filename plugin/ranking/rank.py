"""Ranks: builds the searches of some lists, sends them together, merges what they found, reranks.

Pure functions around one send; the same for users, items and groups. `build` makes all that the
later steps need, so that no step asks an earlier one again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from seealso.plugin.ranking.answers import Response, hits_of, missing_part
from seealso.plugin.ranking.documents import (
    DocumentSearch,
    LateReader,
    Send,
    are_many,
    give_directions,
    search_columns,
)
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.ranking.plans import Plan, SubQuery
from seealso.plugin.ranking.requests import Query, RankedRequest
from seealso.plugin.ranking.searches import Search
from seealso.plugin.recommendations import join_notes
from seealso.plugin.reranking.draft import RANKED, Candidate, Draft, Pool
from seealso.plugin.reranking.filling import fill
from seealso.plugin.reranking.pins import insert


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
class BuiltList:
    """A list before it is sent: all that makes a list of the responses.

    Attributes
    ----------
    plan
        What it is made by: its components among others.
    queries
        Its searches, each with the part of the list that it is for.
    draft
        Without candidates.
    """

    plan: Plan
    queries: tuple[tuple[SubQuery, Query], ...]
    draft: Draft

    @property
    def searches(self) -> list[Search]:
        """Its searches."""
        return [query.search for _, query in self.queries]


def rank(
    requests: Sequence[RankedRequest],
    context: RankingContext,
    send: Send,
    reader: LateReader | None = None,
) -> list[RankedItems]:
    """Return a list for each request; the searches of all of them are sent together.

    Parameters
    ----------
    requests
        Whom the lists are for, and what they are made by.
    context
        How to rank.
    send
        Sends all searches of all requests.
    reader
        Reads documents of items that are in a list; None where every hit has its own.

    Raises
    ------
    ClusterError
        A search failed.
    """
    built = [build(request, context) for request in requests]
    searches = [search for one in built for search in one.searches]
    columns = _columns(built) if context.scripts else None
    if columns is None or reader is None:
        return [rerank(draft, one.plan) for draft, one in _merge_all(built, send(searches))]
    pairs = _merge_all(built, search_columns(searches, columns, send))
    drafts = [draft for draft, _ in pairs]
    if built[0].plan.diverse:
        drafts = give_directions(drafts, reader.directions)
    return _with_documents(
        [(one.plan, rerank(draft, one.plan)) for draft, one in zip(drafts, built, strict=True)],
        reader.send,
    )


def _columns(built: Sequence["BuiltList"]) -> tuple[str, ...] | None:
    """Return what the order of lists is read by, beside `COLUMNS`; None where documents are.

    Documents come along where hits are few, and where importance alone ranks: a document holds
    more digits of it than its column.
    """
    many = all(one.draft.known and are_many(one.searches, one.plan.size) for one in built)
    return built[0].plan.columns if built and many else None


def _merge_all(
    built: Sequence["BuiltList"], responses: Sequence[Response]
) -> list[tuple[Draft, "BuiltList"]]:
    """Return the draft of each list; `responses` are those of all, in order."""
    left = iter(responses)
    return [(merge(one, list(islice(left, len(one.queries)))), one) for one in built]


def _with_documents(found: Sequence[tuple[Plan, RankedItems]], send: Send) -> list[RankedItems]:
    """Return lists with the documents of their items, those without items as they are."""
    late = [DocumentSearch(plan, one.items) if one.items else None for plan, one in found]
    searches = [one.search() for one in late if one is not None]
    responses = iter(send(searches) if searches else ())
    completed = []
    for search, (_, one) in zip(late, found, strict=True):
        items, note = search.complete(next(responses)) if search is not None else ((), "")
        completed.append(RankedItems(items, join_notes(one.note, note)))
    return completed


def build(request: RankedRequest, context: RankingContext) -> BuiltList:
    """Return the list of a request, ready to be sent; arguments as for `rank`."""
    plan = request.plan
    queries = [
        (part, query)
        for part in plan.sub_queries
        for query in request.queries(part.criteria.narrow(request.allowed), context)
    ]
    order = request.order(context)
    note = join_notes(context.note if request.known else "", context.missing)
    gated = plan.sub_queries[0].criteria.min_probability > 0
    draft = Draft(
        plan.size,
        {},
        order,
        known=request.known,
        caps=plan.caps,
        note=note,
        checks=(describe_ungated,) if gated else (),
    )
    return BuiltList(plan, tuple(queries), draft)


def merge(built: BuiltList, responses: Sequence[Response]) -> Draft:
    """Return the draft with the candidates that its searches found, in no order yet.

    Raises
    ------
    ClusterError
        A search failed.
    """
    pools: dict[str, Pool] = {}
    tail = Pool()
    for (part, query), response in zip(built.queries, responses, strict=True):
        found, tier, last = query.read(hits_of(response)), part.tier, part.tier.last
        ranked = found.ranked
        boosted = ranked if tier.neutral else [one.boost(tier.boost) for one in ranked]
        pools[part.pool] = pools.get(part.pool, Pool()).add(boosted, last=last)
        tail = tail.add(found.tail, last=last)
    # each tier brings its own; the score of BM25 is the same in all
    by_words = tail.change(lambda items: sorted(items, key=lambda one: -one.item.score))
    note = join_notes(built.draft.note, missing_part(responses))
    return replace(built.draft, pools=pools, tail=by_words, note=note)


def rerank(draft: Draft, plan: Plan) -> RankedItems:
    """Return the list that the components of a plan make of a draft.

    Parameters
    ----------
    draft
        The candidates, unordered.
    plan
        Its components change values, then the order, then places.
    """
    for one in plan.components:
        draft = one.rerank(draft)
    filled = fill(draft.pool(RANKED).all, draft.shares, draft.size, draft.caps)
    items = insert(draft.name_sources(filled), draft.pins, draft.size)
    note = join_notes(draft.note, *(check(items) for check in draft.checks))
    return RankedItems(tuple(_only_fields(one, plan.fields) for one in items), note)


def describe_ungated(items: Sequence[Candidate]) -> str:
    """Return which items of a list ``min_probability`` says nothing about; empty for none."""
    without = sum(one.item.probability is None for one in items)
    return f"{without} items have no probability: min_probability lets them pass" if without else ""


def _only_fields(candidate: Candidate, names: tuple[str, ...] | None) -> Candidate:
    """Return a candidate with the fields of these names alone."""
    item = candidate.item.with_fields(names)
    return candidate if item is candidate.item else replace(candidate, item=item)
