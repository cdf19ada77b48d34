"""The Search Relevance Workbench as its sources have it: what it takes, and what it counts.

The plugin cannot be had from packages, so it does not run in these tests. Transcribed from
opensearch-project/search-relevance: ``RestPutQuerySetAction``, ``RestPutJudgmentAction``,
``RestPutSearchConfigurationAction``, ``ImportJudgmentsProcessor``, ``TextValidationUtil`` (the
limits of the versions after 3.1, which are the stricter ones), ``SearchRequestBuilder`` of 3.1, and
``Evaluation``.
"""

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jsonschema

Body = Mapping[str, Any]

NAME: Final = {"type": "string", "minLength": 1, "maxLength": 50, "pattern": r'^[^"\\<>]*$'}
DESCRIPTION: Final = {**NAME, "maxLength": 250}
TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": r'^[^"\\<>\n\r]*$'}


def _object(properties: Body, *optional: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


QUERY_SET: Final = _object(
    {
        "name": NAME,
        "description": DESCRIPTION,
        "sampling": {"const": "manual"},
        # plugins.search_relevance.query_set.maximum
        "querySetQueries": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1000,
            "items": _object({"queryText": TEXT}),
        },
    },
    "description",
)

SEARCH_CONFIGURATION: Final = _object(
    {
        "name": NAME,
        "index": {"type": "string", "minLength": 1},
        "query": {"type": "string", "pattern": "%SearchText%"},
        "searchPipeline": {"type": "string"},
    },
    "searchPipeline",
)

# docId and rating are cast to String, and the rating is read as a Float
RATING: Final = _object(
    {
        "docId": {"type": "string", "minLength": 1},
        "rating": {"type": "string", "pattern": r"^\d+(\.\d+)?$"},
    }
)

JUDGMENTS: Final = _object(
    {
        "name": NAME,
        "description": DESCRIPTION,
        "type": {"const": "IMPORT_JUDGMENT"},
        "judgmentRatings": {
            "type": "array",
            "items": _object({"query": TEXT, "ratings": {"type": "array", "items": RATING}}),
        },
    },
    "description",
)

Search = Callable[[Body, str, int], Sequence[str]]
"""Returns ids of the documents that a configuration finds for the text of a query."""


class Imported:
    """What a folder holds, read as the Workbench reads it."""

    def __init__(self, folder: Path) -> None:
        self.index = _read(folder / "index.json")
        self.lists = (folder / "lists.ndjson").read_bytes()
        self.queries = [
            one["queryText"] for one in _checked(folder / "query_set.json", QUERY_SET)[
                "querySetQueries"
            ]
        ]  # fmt: skip
        ratings = _checked(folder / "judgments.json", JUDGMENTS)["judgmentRatings"]
        self.ratings = {
            one["query"]: {each["docId"]: each["rating"] for each in one["ratings"]}
            for one in ratings
        }
        self.configurations = {
            file.stem.removeprefix("search_configuration-"): _checked(file, SEARCH_CONFIGURATION)
            for file in sorted(folder.glob("search_configuration-*.json"))
        }
        assert len(self.queries) == len(set(self.queries)) == len(ratings)
        assert set(self.queries) == set(self.ratings)

    def ndcg(self, configuration: str, size: int, search: Search) -> float:
        """Return what an experiment counts, before the Workbench rounds each of its figures."""
        one = self.configurations[configuration]
        return sum(
            ndcg(search(one, text, size), self.ratings[text], size) for text in self.queries
        ) / len(self.queries)


def ndcg(found: Sequence[str], ratings: Mapping[str, str], k: int) -> float:
    """``Evaluation.calculateNDCGAtK``."""

    def gains(values: Sequence[float]) -> float:
        return sum((2**value - 1) / math.log2(place + 2) for place, value in enumerate(values[:k]))

    best = gains(sorted(map(float, ratings.values()), reverse=True))
    own = gains([float(ratings.get(one, 0)) for one in found[:k]])
    return own / best if best > 0 else 0.0


def search_body(configuration: Body, text: str, size: int) -> dict[str, Any]:
    """``SearchRequestBuilder.buildSearchRequest``: the query goes on as a wrapper query."""
    body: dict[str, Any] = json.loads(configuration["query"].replace("%SearchText%", text))
    query = base64.b64encode(json.dumps(body.pop("query")).encode()).decode()
    return {**body, "query": {"wrapper": {"query": query}}, "size": size}


def _checked(file: Path, schema: Body) -> Any:
    body = _read(file)
    jsonschema.validate(body, schema)
    return body


def _read(file: Path) -> Any:
    return json.loads(file.read_bytes())
