"""Asks the cluster for the value of some items, and tells what it is built from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seealso.cluster import Cluster, fetch
from seealso.errors import DataError
from seealso.indexer.documents import item_vector
from seealso.plugin.explanations.explanation import Explanation, MatchedWord, matched_words
from seealso.plugin.explanations.shares import Floats, Kind, Share, item_shares, profile_parts
from seealso.plugin.latency import Stopwatch
from seealso.plugin.profiles.inputs import ProfileInputs
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.profiles.users import describe_gaps
from seealso.plugin.ranking import answers
from seealso.plugin.ranking.context import RankingContext
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.searches import Search, tail_search, vector_search
from seealso.plugin.ranking.sending import send_at_once
from seealso.plugin.recommendations import join_notes
from seealso.plugin.serving import Live
from seealso.readers import RESERVED
from seealso.types import Path, Space

NO_SUM = "in an index for {space} a similarity is no sum over the history: one share for all of it"


@dataclass(frozen=True, slots=True)
class Explained:
    """Whose reasons are wanted.

    Attributes
    ----------
    inputs, profile
        The user's profile and what it is built from.
    neighbours
        What neighbours add to items.
    """

    inputs: ProfileInputs
    profile: Profile
    neighbours: Mapping[str, float]


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
    hits: Mapping[str, answers.Hit]

    @property
    def vector_hit(self) -> answers.Hit | None:
        """The hit of the vector list."""
        return next((hit for name, hit in self.hits.items() if name != "tail"), None)

    @property
    def words(self) -> tuple[MatchedWord, ...]:
        """The words that bring it into the tail list."""
        return matched_words(self.hits["tail"]["_explanation"]) if "tail" in self.hits else ()


def explain(
    cluster: Cluster,
    live: Live,
    asked: Explained,
    item_ids: Sequence[str],
    criteria: Criteria,
    context: RankingContext,
) -> list[Explanation]:
    """Return why each item has its value for a user.

    Parameters
    ----------
    cluster, live
        Where to ask.
    asked
        The user.
    item_ids
        The items, seen ones too.
    criteria, context
        What a list must be, and how it is ranked.

    Raises
    ------
    DataError
        The index does not hold an item.
    """
    documents = _documents(cluster, live, item_ids)
    searches = _searches(asked.profile, item_ids, criteria, context)
    responses = send_at_once(cluster, live, searches, Stopwatch()) if searches else []
    hits = {
        search.template: {hit["_id"]: hit for hit in answers.hits_of(response)}
        for search, response in zip(searches, responses, strict=True)
    }
    missing = answers.missing_part(responses)
    parts = profile_parts(asked.inputs, live.encoder.bundle, live.settings.profile)
    found = []
    for item_id in item_ids:
        own = {name: of[item_id] for name, of in hits.items() if item_id in of}
        item = FoundItem(item_id, documents[item_id], own)
        shares, raw = _shares(asked, parts, item, live, context.path)
        one = _explanation(asked, item, shares, raw, live, context.path)
        found.append(replace(one, note=join_notes(one.note, missing)))
    return found


def _documents(cluster: Cluster, live: Live, item_ids: Sequence[str]) -> dict[str, Any]:
    found = fetch(cluster, live.name, list(item_ids), source=["*"])
    for item_id in item_ids:
        if item_id not in found:
            raise DataError(
                f"item {item_id!r} is not in the index",
                hint="`seealso index update` adds items of the catalogue",
                item_id=item_id,
            )
    return {item_id: hit["_source"] for item_id, hit in found.items()}


def _searches(
    profile: Profile, item_ids: Sequence[str], criteria: Criteria, context: RankingContext
) -> list[Search]:
    """Return the searches of a list, for these items alone and whether they were seen or not."""
    if profile.vector is None:
        return []
    clause = {"ids": {"values": list(item_ids)}}
    only = replace(criteria, filters=(clause,), fields=(), size=len(item_ids), min_probability=0.0)
    ranking = vector_search(profile.vector, (), only, context)
    if not profile.words:
        return [ranking]
    tail = tail_search(replace(profile, seen=frozenset()), only, context.space)
    params = {**tail.params, "size": len(item_ids), "explain": True}
    return [ranking, Search(tail.template, params)]


def _shares(
    asked: Explained, parts: Floats, item: FoundItem, live: Live, path: Path
) -> tuple[tuple[Share, ...], float | None]:
    """Return the shares of an item's value, and the value as OpenSearch computed it."""
    vector, hit = item_vector(item.document), item.vector_hit
    if vector is None or hit is None:
        return (), None
    votes = asked.neighbours.get(item.item_id, 0.0)
    co_occurrence = _co_occurrence(asked, item.item_id, live)
    importance = float(item.document["importance"])
    shares = item_shares(asked.inputs, parts, vector, importance, live.space, co_occurrence)
    if votes:
        shares.append(Share(Kind.NEIGHBOURS, votes))
    raw = answers.raw_of(hit["_score"], path, live.calibration)
    return tuple(shares), raw + sum(co_occurrence.values()) + votes


def _co_occurrence(asked: Explained, item_id: str, live: Live) -> dict[str, float]:
    """Return what each event adds to an item that is chosen around it, by item id."""
    if item_id not in asked.profile.co_occurrence:
        return {}
    added = {
        entry.item_id: live.encoder.bundle.boosts([entry.item_id], [age]).get(item_id, 0.0)
        for age, entry in enumerate(asked.inputs.entries)
    }
    return {one: boost for one, boost in added.items() if boost}


def _explanation(
    asked: Explained,
    item: FoundItem,
    shares: tuple[Share, ...],
    raw: float | None,
    live: Live,
    path: Path,
) -> Explanation:
    events = [one.item_id for one in shares if one.item_id is not None]
    known = asked.inputs.items
    unranked = ("importance",) if asked.profile.vector is None else ()
    return Explanation(
        user_id=asked.inputs.user.user_id,
        item_id=item.item_id,
        fields={name: value for name, value in item.document.items() if name not in RESERVED},
        probability=None if raw is None else float(live.calibration.probability(raw)),
        raw=raw,
        importance=float(item.document.get("importance", 0.0)),
        shares=shares,
        words=item.words,
        path=path,
        templates=tuple(item.hits) or unranked,
        index=live.name,
        fingerprint=live.fingerprint,
        texts={one: known[one].text for one in events if one in known},
        note=_note(asked, item, live.space),
    )


def _note(asked: Explained, item: FoundItem, space: Space) -> str:
    notes = [describe_gaps(asked.inputs.user, asked.profile)]
    if item.item_id in asked.inputs.user.seen:
        notes.append("the user met it already: no list shows it")
    if "vector" not in item.document:
        notes.append("it has no text, so no vector: words and importance alone find it")
    elif space is not Space.COSINE:
        notes.append(NO_SUM.format(space=space.value))
    return "; ".join(one for one in notes if one)
