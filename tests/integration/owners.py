"""A search stack that was there before seealso: an index with what owners make of one.

Its own analyzer, nested variants, a suggester, aliases (one filtered), pipelines, an ``_meta``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from seealso.cluster import Cluster, indices
from seealso.config import Settings
from seealso.plugin import Recommender
from tests.integration.catalogues import OpenShop, Shop, films, views

DOCUMENTS = 60
PIPELINE = "owners-pipeline"


def documents() -> dict[str, dict[str, Any]]:
    """Return the owner's documents by id."""
    return {
        film["item_id"]: {
            "title": film["title"],
            "description": film["description"],
            "kind": film["kind"],
            "price": film["price"],
            "stock": {"shelf": f"s{number % 4}", "left": number % 7},
            "variants": [{"colour": "red", "size": number % 3}, {"colour": "blue", "size": 2}],
            "complete": film["title"].split()[:3],
            "code": 9007199254740993 + number,
        }
        for number, film in enumerate(films(DOCUMENTS))
    }


MAPPINGS: Mapping[str, Any] = {
    "dynamic": "strict",
    "_meta": {"team": "search", "version": 7},
    "properties": {
        "title": {
            "type": "text",
            "analyzer": "owners",
            "fields": {"raw": {"type": "keyword"}},
        },
        "description": {"type": "text", "term_vector": "with_positions_offsets"},
        "kind": {"type": "keyword"},
        "price": {"type": "double"},
        "stock": {"properties": {"shelf": {"type": "keyword"}, "left": {"type": "integer"}}},
        "variants": {
            "type": "nested",
            "properties": {"colour": {"type": "keyword"}, "size": {"type": "integer"}},
        },
        "complete": {"type": "completion"},
        "code": {"type": "long"},
    },
}

ANALYSIS: Mapping[str, Any] = {
    "analyzer": {"owners": {"tokenizer": "standard", "filter": ["lowercase", "owners_stop"]}},
    "filter": {"owners_stop": {"type": "stop", "stopwords": ["and", "the", "a"]}},
}

BEST = [{"_score": "desc"}, {"title.raw": "asc"}]
"""The best first, and of equals the first by name: whatever the order of the documents is."""

QUERIES: Mapping[str, Mapping[str, Any]] = {
    "match": {"query": {"match": {"title": "sailor and the castle"}}, "size": 100},
    "filters": {
        "query": {
            "bool": {
                "must": {"multi_match": {"query": "thriller harbour", "fields": ["title^2", "*"]}},
                "filter": [{"range": {"price": {"lte": 30}}}, {"term": {"stock.shelf": "s1"}}],
            }
        },
        "size": 100,
    },
    "aggregations": {
        "size": 0,
        "aggs": {
            "kinds": {"terms": {"field": "kind"}, "aggs": {"price": {"avg": {"field": "price"}}}}
        },
    },
    "sort": {"query": {"match_all": {}}, "sort": [{"price": "desc"}, {"title.raw": "asc"}]},
    "highlight": {
        "size": 100,
        "query": {"match": {"description": "sisters castle"}},
        "highlight": {"fields": {"description": {"type": "fvh"}, "title": {}}},
    },
    "collapse": {
        "query": {"match": {"description": "western romance"}},
        "sort": BEST,
        "collapse": {"field": "kind", "inner_hits": {"name": "others", "size": 2, "sort": BEST}},
    },
    "suggest": {
        "suggest": {
            "start": {"prefix": "two", "completion": {"field": "complete", "size": 100}},
            "spelling": {"text": "wesern", "term": {"field": "description"}},
        }
    },
    "nested": {
        "size": 100,
        "query": {
            "nested": {
                "path": "variants",
                "query": {"term": {"variants.size": 1}},
                "inner_hits": {},
            }
        },
    },
    "paging": {"query": {"match": {"title": "judge ship"}}, "sort": BEST, "from": 3, "size": 4},
}


def answer(cluster: Cluster, where: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a search finds, without what may differ: time, index name, our own fields.

    Equals without an order of their own are in that of their ids.
    """
    found: dict[str, Any] = cluster.request("POST", f"/{where}/_search", body)
    found.pop("took")
    return _stripped(found)


OURS = (
    "item_id", "text", "vector", "importance", "interactions", "counted", "tail", "digest",
    "updated_at",
)  # fmt: skip


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {k: _stripped(v) for k, v in value.items() if k != "_index"}
        if "_source" in kept and "_nested" not in kept:
            kept["_source"] = {k: v for k, v in kept["_source"].items() if k not in OURS}
        return kept
    if isinstance(value, list) and value and all(isinstance(v, dict) and "_id" in v for v in value):
        entries = [_stripped(entry) for entry in value]
        if "sort" in entries[0]:
            return entries
        return sorted(entries, key=lambda one: (-one["_score"], one["_id"]))
    return [_stripped(entry) for entry in value] if isinstance(value, list) else value


def without_scores(value: Any) -> Any:
    """Return answers without scores and frequencies, which count overwritten documents, too.

    They do until segments are merged. The order that the scores made is still there.
    """
    if isinstance(value, dict):
        scores = ("_score", "max_score", "score", "sort", "freq")
        return {k: without_scores(v) for k, v in value.items() if k not in scores}
    return [without_scores(entry) for entry in value] if isinstance(value, list) else value


@dataclass
class Stack:
    """The owner's index, its alias, and the settings that attach to it.

    Attributes
    ----------
    shop
        Settings: its ``index.alias`` is the owner's alias.
    index
        The owner's physical index.
    """

    shop: Shop
    index: str
    settings_of_index: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cluster(self) -> Cluster:
        return self.shop.cluster

    @property
    def alias(self) -> str:
        return self.shop.alias

    def create(self) -> None:
        """Make the index as its owner did, and fill it."""
        for path in (f"/_ingest/pipeline/{PIPELINE}", f"/_search/pipeline/{PIPELINE}"):
            body = {"processors": []} if "ingest" in path else {}
            self.cluster.request("PUT", path, body)
        aliases = {
            self.alias: {},
            f"{self.alias}-cheap": {"filter": {"range": {"price": {"lt": 20}}}},
        }
        self.cluster.request(
            "PUT",
            f"/{self.index}",
            {
                "settings": {
                    "index.analysis": ANALYSIS,
                    "index.default_pipeline": PIPELINE,
                    "index.search.default_pipeline": PIPELINE,
                    "index.refresh_interval": "7s",
                    "index.number_of_replicas": 0,
                    **self.settings_of_index,
                },
                "mappings": MAPPINGS,
                "aliases": aliases,
            },
        )
        self.write(documents())

    def write(self, some: Mapping[str, Mapping[str, Any]], where: str | None = None) -> None:
        """Write documents as their owner does."""
        lines = b"".join(
            orjson.dumps({"index": {"_id": item_id}}) + b"\n" + orjson.dumps(body) + b"\n"
            for item_id, body in some.items()
        )
        where = where or self.index
        done = self.cluster.request("POST", f"/{where}/_bulk", lines, {"refresh": "true"})
        assert not done["errors"]

    def answers(self, where: str | None = None) -> dict[str, dict[str, Any]]:
        """Return what each of the owner's queries finds."""
        asked = where or self.alias
        found = {name: answer(self.cluster, asked, body) for name, body in QUERIES.items()}
        found["filtered alias"] = answer(self.cluster, f"{self.alias}-cheap", {"size": 100})
        return found

    @property
    def settings(self) -> Settings:
        return self.shop.settings()

    def recommender(self) -> Recommender:
        return Recommender(self.cluster, self.settings)

    def mappings(self, name: str) -> dict[str, Any]:
        """Return the mapping of an index."""
        found: dict[str, Any] = self.cluster.request("GET", f"/{name}/_mapping")[name]["mappings"]
        return found


OpenStack = Callable[..., Stack]


@pytest.fixture
def open_stack(open_shop: OpenShop) -> Iterator[OpenStack]:
    """Make stacks on a cluster; their indices go when the test ends."""
    made: list[Stack] = []

    def on(url: str, **settings_of_index: Any) -> Stack:
        shop = open_shop(url)
        shop.stock([], views({"f1": 9, "f2": 4, "f3": 1}))
        stack = Stack(shop, f"owned-{shop.alias}", settings_of_index)
        stack.create()
        made.append(stack)
        return stack

    yield on
    for stack in made:
        indices.delete(stack.cluster, stack.index)
