"""What was asked and answered, as OpenSearch's Search Relevance Workbench takes it: bodies.

A user is a query, by their pseudonym. The item that the user chose next is the only document that
is judged. The Workbench searches and counts for itself, so the lists go into an index: each item
knows at which place of whose list it stands, and one search configuration per system finds the list
of a user. What the Workbench then counts is what this evaluation counts.

Field names and limits are those of opensearch-project/search-relevance, from 3.1 on
(``RestPutQuerySetAction``, ``RestPutSearchConfigurationAction``, ``ImportJudgmentsProcessor``,
``TextValidationUtil``). On 3.1 its searches know no ``ext``, and no query finds a vector by the
name of a user: neither a search pipeline nor kNN could give the lists that are compared here.
Besides, the live index has learnt what users chose next.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from seealso.evaluation.protocols import EvaluationProtocol
from seealso.evaluation.systems import NOTHING, Lists
from seealso.readers import Pseudonyms

LONGEST_NAME: Final = 50
"""Of a name, in characters."""

NESTED: Final = 10_000
"""How many nested documents an index lets a document have where nothing is set."""

QUERY: Final = "%SearchText%"
"""What the Workbench replaces by the text of a query."""

CHOSEN: Final = "1.0"
"""The rating of the item that was chosen next."""

Body = dict[str, Any]


def query_texts(protocol: EvaluationProtocol, names: Pseudonyms) -> list[str]:
    """Return a text for each question, each another one: the pseudonym of the user.

    Where a protocol does not say who a user is, or asks for one more than once, a number tells them
    apart.
    """
    texts = [names.of(one.user_id) if one.user_id else "user" for one in protocol.questions]
    times, found = Counter(texts), []
    place: Counter[str] = Counter()
    for text in texts:
        place[text] += 1
        found.append(text if times[text] == 1 and text != "user" else f"{text} {place[text]}")
    return found


def query_set(title: str, queries: Sequence[str]) -> Body:
    """Return the body of ``PUT _plugins/_search_relevance/query_sets``."""
    return {
        "name": _name(f"seealso {title}"),
        "description": "Each query is a user, by pseudonym",
        "sampling": "manual",
        "querySetQueries": [{"queryText": text} for text in queries],
    }


def judgments(
    title: str, protocol: EvaluationProtocol, queries: Sequence[str], ids: Sequence[str]
) -> Body:
    """Return the body of ``PUT _plugins/_search_relevance/judgments``."""
    return {
        "name": _name(f"seealso {title}"),
        "description": "The item that each user chose next, which no system knew of",
        "type": "IMPORT_JUDGMENT",
        "judgmentRatings": [
            {"query": text, "ratings": [{"docId": ids[question.target], "rating": CHOSEN}]}
            for text, question in zip(queries, protocol.questions, strict=True)
        ],
    }


def search_configuration(system: str, title: str, index: str) -> Body:
    """Return the body of ``PUT _plugins/_search_relevance/search_configurations``."""
    own = [{"term": {"lists.system": system}}, {"term": {"lists.user": QUERY}}]
    by_place = {
        "query": {"bool": {"filter": own}},
        "field_value_factor": {"field": "lists.place", "modifier": "reciprocal"},
        "boost_mode": "replace",
    }
    nested = {"path": "lists", "score_mode": "max", "query": {"function_score": by_place}}
    search = {"query": {"nested": nested}, "_source": ["title"]}
    return {
        "name": _name(f"{system}: {title}"),
        "index": index,
        "query": orjson.dumps(search).decode(),
    }


def index_body(documents: Sequence[tuple[str, Body]]) -> Body:
    """Return the body that creates the index of the lists."""
    most = max((len(document["lists"]) for _, document in documents), default=0)
    return {
        "settings": {
            "index.number_of_shards": 1,
            "index.search.default_pipeline": "_none",
            "index.mapping.nested_objects.limit": max(NESTED, most),
        },
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "title": {"type": "text"},
                "lists": {
                    "type": "nested",
                    "properties": {
                        "system": {"type": "keyword"},
                        "user": {"type": "keyword"},
                        "place": {"type": "short"},
                    },
                },
            },
        },
    }


def documents_of(
    queries: Sequence[str],
    lists: Mapping[str, Lists],
    ids: Sequence[str],
    titles: Sequence[str],
) -> Iterator[tuple[str, Body]]:
    """Yield each item that is in a list: its id, and at which place of whose list it stands."""
    entries: dict[int, list[Body]] = {}
    for system, own in lists.items():
        for text, places in zip(queries, own.places.tolist(), strict=True):
            for place, item in enumerate(places, 1):
                if item != NOTHING:
                    entry = {"system": system, "user": text, "place": place}
                    entries.setdefault(item, []).append(entry)
    for item, listed in sorted(entries.items()):
        yield ids[item], {"title": titles[item], "lists": listed}


def _name(text: str) -> str:
    """Return a name as the Workbench takes one: short, without quotes, backslashes and tags."""
    return re.sub(r'["\\<>]', "", text)[:LONGEST_NAME]
