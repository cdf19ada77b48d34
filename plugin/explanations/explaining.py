"""Why items have their values for a user: searched for in the cluster, taken apart here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from seealso.cluster import Cluster
from seealso.cluster.failures import not_all
from seealso.errors import DataError
from seealso.indexer.documents import item_vector
from seealso.plugin.explanations.explanation import Explanation, matched_words
from seealso.plugin.explanations.shares import Floats, Kind, Share, item_shares, profile_parts
from seealso.plugin.latency import Stopwatch
from seealso.plugin.profiles.inputs import ProfileInputs
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.profiles.users import describe_gaps
from seealso.plugin.ranking.answers import Hit, Response, hits_of, missing_part
from seealso.plugin.ranking.candidates import raw_of
from seealso.plugin.ranking.documents import read_columns, without_documents
from seealso.plugin.ranking.options import Criteria, Filter
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.ranking.searches import (
    Search,
    importance_search,
    tail_search,
    vector_search,
)
from seealso.plugin.ranking.sending import send_at_once
from seealso.plugin.recommendations import join_notes
from seealso.plugin.serving import Live
from seealso.readers import RESERVED
from seealso.types import Space

NO_SUM = "in an index for {space} a similarity is not a sum over the history: it has one share"

SEEN = "the user has already seen it: no list contains it"


@dataclass(frozen=True, slots=True)
class ExplainedUser:
    """The user whose values are explained, in one index.

    Attributes
    ----------
    inputs, profile
        The user's profile and what it is built from.
    neighbours
        What neighbours add to items.
    live, context
        The index, and how it ranks.
    """

    inputs: ProfileInputs
    profile: Profile
    neighbours: Mapping[str, float]
    live: Live
    context: RankingContext


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An item, and what the searches of a list found of it.

    Attributes
    ----------
    item_id
        The item.
    document
        As it is stored, its vector too.
    hits
        Its hit by the template of the search; none where that search does not find it.
    """

    item_id: str
    document: Mapping[str, Any]
    hits: Mapping[str, Hit]


def explain(
    cluster: Cluster, who: ExplainedUser, item_ids: Sequence[str], criteria: Criteria
) -> list[Explanation]:
    """Return why each item has its value for a user.

    Parameters
    ----------
    cluster
        Where the index is.
    who
        The user.
    item_ids
        The items, seen ones too.
    criteria
        What a list must be.

    Raises
    ------
    DataError
        The index does not hold an item.
    PartialAnswer
        Some items could not be looked for.
    """
    live = who.live
    only: Filter = {"ids": {"values": list(item_ids)}}
    alone = replace(criteria, filters=(only,), size=len(item_ids), min_probability=0.0)
    whole = importance_search((), replace(alone, fields=("*",)))
    searches = _searches(who, alone)
    send = partial(send_at_once, cluster, live, watch=Stopwatch())
    first, *others = send([whole, *without_documents(searches)])
    columns = read_columns(others)
    responses = send(searches) if columns is None else columns
    documents = _documents(live, item_ids, first)
    hits = {
        search.template: {hit["_id"]: hit for hit in hits_of(response)}
        for search, response in zip(searches, responses, strict=True)
    }
    missing = missing_part([first, *responses])
    level = who.profile.entry_level
    parts = profile_parts(who.inputs, live.encoder.bundle, live.settings.profile, level)
    found = []
    for item_id in item_ids:
        own = {name: of[item_id] for name, of in hits.items() if item_id in of}
        item = FoundItem(item_id, documents[item_id], own)
        found.append(_explain_item(who, parts, item, missing))
    return found


def _documents(
    live: Live, item_ids: Sequence[str], response: Response
) -> dict[str, Mapping[str, Any]]:
    """Return the documents that a search found, by id.

    Raises
    ------
    PartialAnswer
        Some could not be looked for.
    DataError
        The index does not hold an item.
    """
    found = {hit["_id"]: hit["_source"] for hit in hits_of(response)}
    for item_id in item_ids:
        if item_id in found:
            continue
        if missing := missing_part([response]):
            raise not_all(live.name, f"item {item_id!r}: {missing}")
        raise DataError(
            f"item {item_id!r} is not in the index",
            hint="`seealso index update` adds items of the catalogue",
            caller_hint="ask about items of lists",
            item_id=item_id,
        )
    return found


def _searches(who: ExplainedUser, only: Criteria) -> list[Search]:
    """Return the searches of a list for `only` some items, whether they were seen or not."""
    profile, context = who.profile, who.context
    if profile.vector is None:
        return []
    ranking = vector_search(profile.vector, (), only, context)
    if not profile.words:
        return [ranking]
    tail = tail_search(profile.words, None, (), only, context.space)
    params = {**tail.params, "size": only.size, "explain": True}
    return [ranking, Search(tail.template, params)]


def _explain_item(who: ExplainedUser, parts: Floats, item: FoundItem, missing: str) -> Explanation:
    live, user = who.live, who.inputs.user
    shares, raw = _shares(who, parts, item)
    texts = who.inputs.items
    events = [one.item_id for one in shares if one.item_id is not None]
    unranked = ("importance",) if who.profile.vector is None else ()
    return Explanation(
        user_id=user.user_id,
        item_id=item.item_id,
        fields={name: value for name, value in item.document.items() if name not in RESERVED},
        probability=None if raw is None else float(live.calibration.probability(raw)),
        raw=raw,
        importance=float(item.document.get("importance", 0.0)),
        shares=shares,
        words=matched_words(item.hits["tail"]["_explanation"]) if "tail" in item.hits else (),
        path=who.context.path,
        templates=tuple(item.hits) or unranked,
        index=live.name,
        fingerprint=live.fingerprint,
        texts={one: texts[one].text for one in events if one in texts},
        note=join_notes(
            describe_gaps(who.profile),
            SEEN if item.item_id in user.seen else "",
            _without_sum(item, live.space),
            missing,
        ),
    )


def _shares(
    who: ExplainedUser, parts: Floats, item: FoundItem
) -> tuple[tuple[Share, ...], float | None]:
    """Return the shares of an item's value, and the value as OpenSearch computed it."""
    live = who.live
    vector = item_vector(item.document, live.encoder.bundle)
    hit = next((hit for name, hit in item.hits.items() if name != "tail"), None)
    if vector is None or hit is None:
        return (), None
    votes = who.neighbours.get(item.item_id, 0.0)
    co_occurrence = _co_occurrence(who, item.item_id)
    importance = float(item.document["importance"])
    shares = item_shares(who.inputs, parts, vector, importance, live.space, co_occurrence)
    if votes:
        shares.append(Share(Kind.NEIGHBOURS, votes))
    return tuple(shares), raw_of(hit["_score"], who.context) + sum(co_occurrence.values()) + votes


def _co_occurrence(who: ExplainedUser, item_id: str) -> dict[str, float]:
    """Return what each event adds to an item that is chosen around it, by item id."""
    if item_id not in who.profile.co_occurrence:
        return {}
    bundle = who.live.encoder.bundle
    dilution = bundle.dilution(who.profile.entry_level)
    added = {
        entry.item_id: bundle.boosts([entry.item_id], [age]).diluted(dilution).get(item_id, 0.0)
        for age, entry in enumerate(who.inputs.entries)
    }
    return {one: boost for one, boost in added.items() if boost}


def _without_sum(item: FoundItem, space: Space) -> str:
    """Return why an item's value is no sum over the history; empty where it is one."""
    if "vector" not in item.document:
        return "it has no text, so no vector: words and importance alone find it"
    return "" if space is Space.COSINE else NO_SUM.format(space=space.value)
